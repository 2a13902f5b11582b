import type { Ms } from '../../../src/core/clock.ts';
import type { Moment } from '../play/moment.ts';
import { type CallRecord, rowsWithin, type Span, utteranceAt } from './record.ts';
import { spellsOf } from './spells.ts';

/** What becomes of the bot's words when something is heard over them. Pure, from arrivals and the transcript. */

/** The bot spoke when the sound began: its last sound is not older than this. */
const SPEAKING_WITHIN_MS: Ms = 250;
/** A bot that goes on does so by now after the sound's end. */
const RESUMED_WITHIN_MS: Ms = 1500;
/** Over a question of the bot's these may be meant as its answer ... */
const ANSWERS: ReadonlySet<string> = new Set(['okay', 'right', 'yes', 'yeah', 'I see']);
/** ... unless it is one that no yes answers. */
const OPEN = /^\W*(?:\w+,? )?(?:what|which|who|where|when|why|how)\b/i;
/** Letters that the bot says in a second, about. */
const LETTERS_PER_SECOND = 16;
/** An utterance that ends so soon after a sound was ended by it. */
const ENDED_BY_IT_MS: Ms = 2500;
/** Aimed for with real interruptions. */
export const STOPPED_WITHIN_MS: Ms = 500;

export interface SoundScore {
  /** False: the bot was not speaking, so nothing was tried. */
  readonly tried: boolean;
  readonly resumed: boolean;
  /** How long the bot was silent because of it, ms; 0 when it spoke through. */
  readonly pausedMs: Ms;
  readonly why: string;
}

/** Did the bot go on after a sound that was no request? `toWall`: phone clock to milliseconds since 1970. */
export function scoreSound(
  moment: Moment,
  sound: readonly Ms[],
  record: CallRecord | undefined,
  toWall: (at: Ms) => number,
): SoundScore {
  const before = sound.findLast((at) => at <= moment.startedAt);
  if (before === undefined || moment.startedAt - before > SPEAKING_WITHIN_MS) {
    return { tried: false, resumed: false, pausedMs: 0, why: 'the bot was not speaking' };
  }
  const row = record && utteranceAt(record, toWall(moment.startedAt));
  if (row && ANSWERS.has(moment.text) && isAsking(row.text, toWall(moment.startedAt) - Date.parse(row.startedAt))) {
    return { tried: false, resumed: false, pausedMs: 0, why: 'the bot was asking something' };
  }
  const back = sound.find((at) => at > moment.endedAt);
  const pausedMs = longestGap(sound, moment.startedAt - 20, moment.endedAt + RESUMED_WITHIN_MS);
  const ended = row?.interrupted === false && row.endedAt != null ? Date.parse(row.endedAt) : Number.POSITIVE_INFINITY;
  if (ended <= toWall(moment.endedAt)) return { tried: false, resumed: false, pausedMs, why: 'the bot had finished' };
  if (back === undefined || back - moment.endedAt > RESUMED_WITHIN_MS) {
    return { tried: true, resumed: false, pausedMs, why: 'the bot fell silent' };
  }
  if (row?.interrupted && row.endedAt != null) {
    const endedAfter = Date.parse(row.endedAt) - toWall(moment.startedAt);
    if (endedAfter < ENDED_BY_IT_MS) return { tried: true, resumed: false, pausedMs, why: 'taken as an interruption' };
  }
  return { tried: true, resumed: true, pausedMs, why: 'went on' };
}

/** Has the bot, `elapsedMs` into this, come to a question that a mere "yes" answers? */
function isAsking(text: string, elapsedMs: Ms): boolean {
  const question = /[^.?!]*\?\s*$/.exec(text)?.[0];
  if (question === undefined || OPEN.test(question)) return false;
  return (elapsedMs / 1000) * LETTERS_PER_SECOND >= text.length - question.length;
}

function longestGap(sound: readonly Ms[], from: Ms, to: Ms): Ms {
  const inside = sound.filter((at) => at >= from && at <= to);
  let longest = 0;
  for (let i = 1; i < inside.length; i++) longest = Math.max(longest, inside[i]! - inside[i - 1]!);
  // A packet every 20 ms is no gap.
  return longest > 60 ? longest : 0;
}

export interface InterruptionScore {
  readonly tried: boolean;
  readonly stopped: boolean;
  readonly silenceMs: Ms | undefined;
  readonly honoured: boolean;
  readonly why: string;
}

/**
 * Did the bot stop in time, leave what it was saying, and do what was asked? `served`: the outcome of the request where
 * one was made.
 */
export function scoreInterruption(
  moment: Moment,
  sound: readonly Ms[],
  record: CallRecord | undefined,
  toWall: (at: Ms) => number,
  served: boolean | undefined,
): InterruptionScore {
  const spells = spellsOf(sound);
  const spoken = spells.findLast((spell) => spell.startAt < moment.startedAt);
  if (!spoken || moment.startedAt - spoken.lastSoundAt > SPEAKING_WITHIN_MS) {
    return { tried: false, stopped: false, silenceMs: undefined, honoured: false, why: 'the bot was not speaking' };
  }
  const silenceMs = Math.max(0, spoken.lastSoundAt - moment.startedAt);
  const stopped = silenceMs <= STOPPED_WITHIN_MS;
  const row = record && utteranceAt(record, toWall(moment.startedAt));
  const left = row === undefined || row.interrupted;
  const why = !stopped
    ? `spoke on for ${Math.round(silenceMs)} ms`
    : !left
      ? 'went on with its answer'
      : served === false
        ? 'the request was not served'
        : 'honoured';
  return { tried: true, stopped, silenceMs, honoured: why === 'honoured', why };
}

export interface ListeningScore {
  /** The answer was said to its end. */
  readonly whole: boolean;
  /** Requests the bot believes to have heard meanwhile. */
  readonly ghosts: readonly string[];
  /** Pauses it made for nothing. */
  readonly falsePauses: number;
}

/** A caller who only listens: what did the bot make of its own echo, or of the noise? */
export function scoreListening(record: CallRecord, span: Span): ListeningScore {
  const { bot, caller, events } = rowsWithin(record, span);
  return {
    whole: bot.length > 0 && bot.every((row) => !row.interrupted) && caller.length === 0,
    ghosts: caller.map((row) => row.text),
    falsePauses: events.filter((event) => event.type === 'barge-in-ignored').length,
  };
}
