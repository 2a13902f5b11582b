import type { Ms } from '../../../src/core/clock.ts';
import type { Section, Tags } from '../corpus/types.ts';
import type { Moment, PlayedCall } from '../play/moment.ts';
import { whatIsWrong } from './outcome.ts';
import {
  type InterruptionScore,
  type ListeningScore,
  type SoundScore,
  scoreInterruption,
  scoreListening,
  scoreSound,
} from './overlap.ts';
import { type CallRecord, rowsWithin, type Span } from './record.ts';
import { type PauseTrial, pauseTrials, scoreReply } from './reply.ts';

/** One thing the caller did, judged: the raw rows of the report. */
export interface ScoredMoment {
  readonly variant: string;
  readonly section: Section;
  readonly conversation: string;
  readonly index: number;
  readonly kind: Moment['kind'];
  readonly text: string;
  readonly tags: Tags;
  /** From the call's first moment, ms. */
  readonly atMs: Ms;
  readonly spokeMs: Ms;
  readonly replyMs?: Ms;
  readonly missed?: boolean;
  /** Where the bot's sound came too early: into which pause, how far. */
  readonly cutOff?: { readonly pauseMs: Ms | undefined; readonly afterMs: Ms };
  readonly pauses: readonly PauseTrial[];
  readonly sound?: SoundScore;
  readonly interruption?: InterruptionScore;
  readonly listening?: ListeningScore;
  /** Undefined: not judged. */
  readonly right?: boolean;
  readonly wrong?: string;
  /** Only after the bot had asked whether that was what the caller said. */
  readonly asked?: boolean;
  /** What the bot understood, and what it said (heard part), in this moment's time. */
  readonly understood: readonly string[];
  readonly said: readonly string[];
  /** What each ear made of it, where both heard it: the connector's own account. */
  readonly heardTwice: readonly Record<string, unknown>[];
  /** The connector's own timings of its answer. */
  readonly timings?: Record<string, number>;
}

export interface ScoredCall {
  readonly conversation: string;
  readonly section: Section;
  readonly variant: string;
  readonly tags: Tags;
  readonly moments: readonly ScoredMoment[];
  readonly trouble?: string;
  readonly unplayed: number;
  readonly endCause?: string | null;
  readonly transcript: readonly { at: Ms; speaker: string; text: string; heard: string; interrupted: boolean }[];
}

/** A row may be stamped a little before the sound it belongs to. */
const CLOCK_SLACK_MS = 60;
/** Rows of the last turn may be stamped after the call's end. */
const LAST_WORDS_MS = 60_000;

/** Judges a whole call. Without a record (the API was away) what only the record tells stays unjudged. Pure. */
export function scoreCall(call: PlayedCall, record: CallRecord | undefined): ScoredCall {
  const { conversation, variant, moments } = call;
  const toWall = (at: Ms) => at + call.wallOffset;
  let wrongBefore = false;
  const scored = moments.map((moment, index): ScoredMoment => {
    const until = moments[index + 1]?.startedAt ?? call.endedAt + 1;
    const next = moments.slice(index + 1).find((later) => !later.continues);
    const span: Span = {
      from: toWall(moment.startedAt) - CLOCK_SLACK_MS,
      to: next ? toWall(next.startedAt) - CLOCK_SLACK_MS : toWall(call.endedAt) + LAST_WORDS_MS,
    };
    const lost = moment.follows === true && wrongBefore;
    const judged = moment.expect !== undefined && record !== undefined && !lost;
    const wrong = judged ? whatIsWrong(moment.expect!, record, span) : undefined;
    if (moment.expect !== undefined) wrongBefore = judged ? wrong !== undefined : wrongBefore;
    const rows = record && rowsWithin(record, span);
    const base = {
      variant,
      section: conversation.section,
      conversation: conversation.id,
      index,
      kind: moment.kind,
      text: moment.text,
      tags: { ...conversation.tags, ...moment.tags },
      atMs: Math.round(moment.startedAt - (moments[0]?.startedAt ?? 0)),
      spokeMs: Math.round(moment.endedAt - moment.startedAt),
      right: judged ? wrong === undefined : undefined,
      wrong,
      asked: wasAsked(moments.slice(index + 1)),
      understood: rows?.caller.map((row) => row.text) ?? [],
      said: rows?.bot.map((row) => (row.interrupted ? `${row.heard} --` : row.heard)) ?? [],
      heardTwice: rows?.events.filter(({ type }) => type === 'heard-twice').map(({ data }) => data ?? {}) ?? [],
      timings: rows?.bot.find((row) => row.timings)?.timings ?? undefined,
    };
    const scores = scoresOf(moment, call, record, { until, span, toWall, served: base.right });
    // A PIN told to a bot that still wants the number tries another pause than the one it is meant to try.
    return { ...base, ...scores, pauses: lost ? [] : scores.pauses };
  });
  const origin = toWall(moments[0]?.startedAt ?? call.endedAt);
  return {
    conversation: conversation.id,
    section: conversation.section,
    variant,
    tags: conversation.tags,
    moments: scored,
    trouble: call.trouble,
    unplayed: call.unplayed,
    endCause: record?.session.endCause,
    transcript: (record?.utterances ?? []).map(({ startedAt, speaker, text, heard, interrupted }) => ({
      at: Math.round(Date.parse(startedAt) - origin),
      speaker,
      text,
      heard,
      interrupted,
    })),
  };
}

function wasAsked(later: readonly Moment[]): boolean {
  const rest = later.findIndex(({ continues }) => !continues);
  return later.slice(0, rest < 0 ? later.length : rest).some(({ tags }) => tags.what === 'asked');
}

function scoresOf(
  moment: Moment,
  call: PlayedCall,
  record: CallRecord | undefined,
  { until, span, toWall, served }: { until: Ms; span: Span; toWall: (at: Ms) => number; served: boolean | undefined },
): Pick<ScoredMoment, 'replyMs' | 'missed' | 'cutOff' | 'pauses' | 'sound' | 'interruption' | 'listening'> {
  switch (moment.kind) {
    case 'turn':
    case 'keys': {
      const { replyMs, missed, cutOff } = scoreReply(moment, call.sound, until);
      return {
        replyMs,
        missed,
        cutOff: cutOff && { pauseMs: cutOff.pause?.ms, afterMs: Math.round(cutOff.afterMs) },
        pauses: pauseTrials(moment, cutOff),
      };
    }
    case 'interruption': {
      const { replyMs, missed } = scoreReply(moment, call.sound, until);
      const interruption = scoreInterruption(moment, call.sound, record, toWall, served);
      const answer = moment.wants === 'answer' && interruption.tried;
      return { interruption, pauses: [], replyMs: answer ? replyMs : undefined, missed: answer ? missed : undefined };
    }
    case 'sound':
      return { sound: scoreSound(moment, call.sound, record, toWall), pauses: [] };
    case 'listening':
      return { listening: record && scoreListening(record, span), pauses: [] };
    case 'silence':
      return { pauses: [] };
  }
}
