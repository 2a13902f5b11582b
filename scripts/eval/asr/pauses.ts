import type { Ms } from '../../../src/core/clock.ts';
import type { Expectation } from '../../../src/dialogue/speaking/voice.ts';
import {
  adaptiveEndpointing,
  type EndpointingPolicy,
  fixedEndpointing,
} from '../../../src/dialogue/turn-taking/endpointing.ts';
import type { Utterance } from '../../../src/dialogue/turn-taking/listener.ts';
import { summarize } from '../../../tests/support/phone/measures.ts';
import { voicedSpan } from '../audio/levels.ts';
import type { Studio } from '../audio/studio.ts';
import { ALEX, callers, JORDAN, withPausesAt } from '../corpus/people.ts';
import { OPEN_SPLITS } from '../corpus/requests.ts';
import { NUMBER_PLACES, PAUSES_MS, PIN_PLACES } from '../corpus/turn-taking.ts';
import type { Caller, PauseSite, Piece } from '../corpus/types.ts';
import { groupBy, shareOf } from '../score/statistics.ts';
import { received } from './line.ts';
import { RoomCall, type RoomCallOptions } from './room-call.ts';
import { HUMAN } from './trials.ts';

/**
 * Pauses inside sentences and numbers, without SIP and without a bot: many more than can be played on the wire, and no
 * later on a busy machine. Every voice meets every length at every place.
 */

const PER_MS = 8;
/** Of the bot's answer nothing is heard before this, from the endpoint on: recogniser, dialogue, first packet. */
const ANSWER_MS: Ms = 80;
/** The caller listens, before the first line and between two. */
const LISTENING_MS: Ms = 3500;
/** By then the line is over, whatever the policy. */
const OVER_MS: Ms = 2600;

export const POLICIES: readonly { readonly name: string; readonly policy: EndpointingPolicy }[] = [
  { name: 'adaptive', policy: adaptiveEndpointing },
  { name: 'fixed 300 ms', policy: fixedEndpointing(300) },
  { name: 'fixed 700 ms', policy: fixedEndpointing(700) },
];

interface PausedLine {
  readonly site: PauseSite;
  readonly ms: Ms;
  readonly awaited: Expectation;
  readonly pieces: readonly Piece[];
}

export interface PauseOutcome {
  readonly policy: string;
  readonly voice: string;
  readonly site: PauseSite;
  readonly ms: Ms;
  readonly said: string;
  /** The answer would have been heard before the caller went on. */
  readonly cut: boolean;
  /** The endpoint came in a pause, though the caller's going on would have silenced the answer before it was heard. */
  readonly inPieces: boolean;
  /** From the end of the line to its endpoint; undefined where it was cut. */
  readonly endpointMs: Ms | undefined;
  readonly heard: readonly { readonly text: string; readonly why: string }[];
}

/** What this caller says: `round` turns the lengths, so that over six rounds each line meets each of them. */
function linesOf(caller: Caller, round: number): PausedLine[] {
  const lengthAt = (i: number) => PAUSES_MS[(i + round) % PAUSES_MS.length]!;
  const { number, pin } = round % 2 === 0 ? ALEX : JORDAN;
  const digits = (length: number, secret: boolean): Expectation => ({ kind: 'digits', length, secret });
  const sentences = OPEN_SPLITS.map(({ before, after }, i): PausedLine => {
    const ms = lengthAt(i);
    return { site: 'open', ms, awaited: { kind: 'request' }, pieces: [before, ms, after] };
  });
  const numbers = NUMBER_PLACES.map((places, i): PausedLine => {
    const ms = lengthAt(i);
    return { site: 'number', ms, awaited: digits(6, false), pieces: withPausesAt(caller, number, places, ms) };
  });
  const pins = PIN_PLACES.map((places, i): PausedLine => {
    const ms = lengthAt(i);
    return { site: 'pin', ms, awaited: digits(4, true), pieces: withPausesAt(caller, pin, places, ms) };
  });
  // The human voice has recorded digits only.
  return caller === HUMAN ? [...numbers, ...pins] : [...sentences, ...numbers, ...pins];
}

export interface PausesOptions extends Omit<RoomCallOptions, 'endpointing'> {
  readonly studio: Studio;
  readonly rounds: number;
  readonly policies: typeof POLICIES;
  /** Only pauses at sites whose name contains this. */
  readonly site: string;
}

/** One call of this caller for each round and policy. */
export async function playPauses(caller: Caller, voice: string, options: PausesOptions): Promise<PauseOutcome[]> {
  const outcomes: PauseOutcome[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const lines = linesOf(caller, round).filter(({ site }) => site.includes(options.site));
    if (lines.length === 0) continue;
    const spoken = await Promise.all(lines.map(({ pieces }) => options.studio.speech(caller, pieces)));
    for (const { name, policy } of options.policies) {
      let at: Ms = LISTENING_MS;
      const placed = lines.map((line, i) => {
        const { pcm, pauses } = spoken[i]!;
        const span = voicedSpan(pcm) ?? { from: 0, to: pcm.length };
        const inCall = (sample: number): Ms => at + sample / PER_MS;
        const where = {
          line,
          at,
          pcm,
          from: inCall(span.from),
          to: inCall(span.to),
          pauses: pauses.map(({ from, to }) => ({ from: inCall(from), to: inCall(to) })),
        };
        at = Math.ceil((where.to + LISTENING_MS) / 20) * 20;
        return where;
      });
      const call = new Int16Array(Math.ceil((at * PER_MS) / 160) * 160);
      for (const one of placed) call.set(one.pcm, Math.round(one.at * PER_MS));
      const awaited = placed.map(({ line }, i) => ({
        at: i === 0 ? 0 : placed[i - 1]!.to + OVER_MS,
        expectation: line.awaited,
      }));
      const room = new RoomCall({ ...options, endpointing: policy });
      const utterances = await room.hear(received(call, undefined, 0, 1 + round), awaited);
      for (const { line, from, to, pauses } of placed) {
        const heard = utterances.filter((each) => each.endedAt > from - 100 && each.startedAt < to + 100);
        outcomes.push({ policy: name, voice, site: line.site, ms: line.ms, ...judged(line, heard, to, pauses) });
      }
    }
  }
  return outcomes;
}

function judged(
  { pieces }: PausedLine,
  heard: readonly Utterance[],
  to: Ms,
  pauses: readonly { from: Ms; to: Ms }[],
): Omit<PauseOutcome, 'policy' | 'voice' | 'site' | 'ms'> {
  const within = (at: Ms) => pauses.some((pause) => at >= pause.from && at < pause.to);
  const cut = heard.some(({ endpointAt }) => within(endpointAt) && within(endpointAt + ANSWER_MS));
  const last = heard.at(-1);
  return {
    said: pieces.join(' '),
    cut,
    inPieces: !cut && heard.some(({ endpointAt }) => within(endpointAt)),
    endpointMs: cut || last === undefined ? undefined : last.endpointAt - to,
    heard: heard.map(({ text, rejected, why }) => ({ text: rejected ? `(${text})` : text, why })),
  };
}

export function pauseTable(outcomes: readonly PauseOutcome[], wrong: boolean): string {
  const head = `${'pauses'.padEnd(24)}   ms     n   cut off        in pieces   endpoint p50   p95\n`;
  const keyOf = ({ policy, site, ms }: PauseOutcome) =>
    `${policy.padEnd(14)} ${site.padEnd(8)} ${String(ms).padStart(5)}`;
  const sorted = outcomes.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
  const rows = [...groupBy(sorted, keyOf)].map(([key, mine]) => row(key, mine));
  const short = [
    ...groupBy(
      sorted.filter(({ ms }) => ms <= 700),
      ({ policy }) => policy,
    ),
  ].map(([policy, mine]) => row(`${policy.padEnd(14)} all    <= 700`, mine));
  const cut = wrong ? outcomes.filter((one) => one.cut || one.inPieces).map(wrongLine) : [];
  return `${head}${[...rows, ...short, ...cut].join('\n')}\n`;
}

function row(key: string, mine: readonly PauseOutcome[]): string {
  const cut = shareOf(mine.filter((one) => one.cut).length, mine.length);
  const pieces = mine.filter((one) => one.inPieces).length;
  const ends = summarize(mine.map(({ endpointMs }) => endpointMs).filter((ms) => ms !== undefined));
  return [
    key.padEnd(29),
    String(mine.length).padStart(5),
    `${cut.hits} (${cut.percent!.toFixed(1)} %, <= ${cut.high!.toFixed(1)})`.padStart(22),
    String(pieces).padStart(8),
    (ends?.p50 ?? 0).toFixed(0).padStart(12),
    (ends?.p95 ?? 0).toFixed(0).padStart(6),
  ].join('');
}

function wrongLine({ policy, voice, site, said, cut, heard }: PauseOutcome): string {
  const what = heard.map(({ text, why }) => `"${text}" ${why}`).join(', ');
  return `${cut ? 'cut off' : 'pieces '}  ${policy}, ${voice}, ${site}: "${said}" -> ${what}`;
}

/** Who is tried: the callers of the corpus, and the human voice's digits. */
export function pausingCallers(sources: Parameters<typeof callers>[0]): Caller[] {
  return [...callers(sources), ...(sources.human ? [HUMAN] : [])];
}
