import type { Ms } from '../../../src/core/clock.ts';
import type { Utterance } from '../../../src/dialogue/turn-taking/listener.ts';
import { summarize } from '../../../tests/support/phone/measures.ts';
import { voicedSpan } from '../audio/levels.ts';
import { groupBy } from '../score/statistics.ts';
import type { Condition } from './conditions.ts';
import { received } from './line.ts';
import { judged, type Outcome } from './outcomes.ts';
import { RoomCall, type RoomCallOptions } from './room-call.ts';
import type { Trial } from './trials.ts';

const PER_MS = 8;
/** The bot's greeting, and what it answers: the caller listens. */
const GREETING_MS: Ms = 3000;
const LISTENING_MS: Ms = 4000;
/** By then the caller's line is understood, and something else is awaited. */
const UNDERSTOOD_MS: Ms = 2200;
/** What begins or ends so near to speech belongs to it. */
const NEAR_MS: Ms = 400;

/** What was taken for the caller's while nobody spoke. */
export interface Ghost {
  readonly text: string;
  readonly accepted: boolean;
}

export interface CallOutcome {
  readonly outcomes: readonly Outcome[];
  /** Voice and condition, as of the outcomes. */
  readonly condition: string;
  readonly ghosts: readonly Ghost[];
  readonly minutes: number;
  /** Lines of which nothing was heard, or that were heard in several pieces. */
  readonly missed: number;
  readonly inPieces: number;
  /** From the end of a line to its endpoint. */
  readonly endpointMs: readonly Ms[];
}

export interface Line {
  readonly trial: Trial;
  readonly pcm: Int16Array;
}

/** One call in which these lines are said one after another, in a room whose noise goes on all the time. */
export async function playCall(
  lines: readonly Line[],
  { noise, lossPercent = 0, name }: Omit<Condition, 'noise'> & { readonly noise: Int16Array | undefined },
  voice: string,
  seed: number,
  options: RoomCallOptions,
  meaningOf: (trial: Trial, text: string) => string,
): Promise<CallOutcome> {
  let at: Ms = GREETING_MS;
  const said = lines.map(({ trial, pcm }) => {
    const { from, to } = voicedSpan(pcm) ?? { from: 0, to: pcm.length };
    const spoken = { trial, pcm, at, from: at + from / PER_MS, to: at + to / PER_MS };
    at = spoken.to + LISTENING_MS;
    return spoken;
  });
  const speech = new Int16Array(Math.ceil((at * PER_MS) / 160) * 160);
  for (const { pcm, at } of said)
    speech.set(pcm.subarray(0, speech.length - Math.round(at * PER_MS)), Math.round(at * PER_MS));
  const awaited = said.map(({ trial }, i) => ({
    at: i === 0 ? 0 : said[i - 1]!.to + UNDERSTOOD_MS,
    expectation: trial.awaited,
  }));
  const utterances = await new RoomCall(options).hear(received(speech, noise, lossPercent, seed), awaited);
  const heardOf = new Map(said.map((line) => [line, utterances.filter((each) => overlap(each, line) > 0)]));
  const ghosts = utterances.filter((each) => said.every((line) => overlap(each, line) <= 0));
  const endpointMs: Ms[] = [];
  const outcomes = said.map((line) => {
    const pieces = heardOf.get(line)!;
    const best = pieces.toSorted((a, b) => overlap(b, line) - overlap(a, line))[0];
    if (best) endpointMs.push(best.endpointAt - line.to);
    const result = best ?? { text: '', rejected: true, confidence: 0 };
    const heard = { result: { segment: 0, kind: 'final', at: 0, ...result }, duringMs: 0, finalMs: 0 } as const;
    return judged(line.trial, voice, name, heard, line.to - line.from, (text) => meaningOf(line.trial, text));
  });
  return {
    outcomes,
    condition: name,
    ghosts: ghosts.map(({ text, rejected }) => ({ text, accepted: !rejected && text !== '' })),
    minutes: at / 60_000,
    missed: said.filter((line) => heardOf.get(line)!.length === 0).length,
    inPieces: said.filter((line) => heardOf.get(line)!.length > 1).length,
    endpointMs,
  };
}

function overlap({ startedAt, endedAt }: Utterance, { from, to }: { from: Ms; to: Ms }): Ms {
  return Math.min(endedAt, to + NEAR_MS) - Math.max(startedAt, from - NEAR_MS);
}

/** What besides the words matters in a call, by condition. */
export function callTable(calls: readonly CallOutcome[]): string {
  const head = 'in calls                   n  missed  pieces  ghosts/min  taken/min  endpoint p50   p95';
  const rows = [...groupBy(calls, ({ condition }) => condition)].map(([name, mine]) => {
    const sum = (of: (call: CallOutcome) => number) => mine.reduce((total, call) => total + of(call), 0);
    const minutes = sum((call) => call.minutes);
    const ends = summarize(mine.flatMap(({ endpointMs }) => endpointMs));
    return [
      name.padEnd(24),
      String(sum(({ outcomes }) => outcomes.length)).padStart(4),
      String(sum(({ missed }) => missed)).padStart(8),
      String(sum(({ inPieces }) => inPieces)).padStart(8),
      (sum(({ ghosts }) => ghosts.length) / minutes).toFixed(2).padStart(12),
      (sum(({ ghosts }) => ghosts.filter(({ accepted }) => accepted).length) / minutes).toFixed(2).padStart(11),
      (ends?.p50 ?? 0).toFixed(0).padStart(14),
      (ends?.p95 ?? 0).toFixed(0).padStart(6),
    ].join('');
  });
  return `${[head, ...rows].join('\n')}\n`;
}
