import type { Ms } from '../../../src/core/clock.ts';
import { measureTurn, type Turn } from '../../../tests/support/phone/measures.ts';
import type { Moment, TimedPause } from '../play/moment.ts';
import { spellsOf } from './spells.ts';

/** The bot began to answer before the caller had finished. */
export interface CutOff {
  /** The pause it was taken in; undefined: it began in the middle of words. */
  readonly pause: TimedPause | undefined;
  /** How far into the pause, or into the turn, the bot's sound came. */
  readonly afterMs: Ms;
}

export interface ReplyScore {
  /** From the caller's last voiced window to the first packet with sound; undefined when cut off or missed. */
  readonly replyMs: Ms | undefined;
  /** The bot never answered: neither after the turn nor, wrongly, into it. */
  readonly missed: boolean;
  readonly cutOff: CutOff | undefined;
  readonly bargeInToSilenceMs: Ms | undefined;
}

/**
 * Pure: what the caller did, when the bot's sound arrived, and when the turn's time was over. A cut-off is sound that
 * begins between the caller's first and last voiced window; a bot that decides too early but is silenced again by the
 * caller's going on, before any sound of it has arrived, has not cut anybody off.
 */
export function scoreReply(moment: Moment, sound: readonly Ms[], until: Ms): ReplyScore {
  const spells = spellsOf(sound);
  const turn: Turn = {
    kind: moment.kind === 'keys' ? 'press' : moment.kind === 'interruption' ? 'interrupt' : 'say',
    text: moment.text,
    expectsReply: true,
    startedAt: moment.startedAt,
    endedAt: moment.endedAt,
  };
  const measure = measureTurn(turn, spells, until);
  const early = measure.falseCutOff
    ? spells.find((spell) => spell.startAt >= moment.startedAt && spell.startAt <= moment.endedAt)
    : undefined;
  const pause = early && moment.pauses.findLast(({ from }) => from <= early.startAt);
  const cutOff = early && { pause, afterMs: early.startAt - (pause?.from ?? moment.startedAt) };
  return {
    replyMs: cutOff ? undefined : measure.replyMs,
    missed: measure.missed && cutOff === undefined,
    cutOff,
    bargeInToSilenceMs: measure.bargeInToSilenceMs,
  };
}

/** One pause in one turn: was it survived? */
export interface PauseTrial {
  readonly ms: Ms;
  readonly site: TimedPause['site'];
  readonly cut: boolean;
}

/** The pauses that were really heard as such: those behind a cut-off are none any more. */
export function pauseTrials(moment: Moment, cutOff: CutOff | undefined): PauseTrial[] {
  const trials: PauseTrial[] = [];
  for (const pause of moment.pauses) {
    const cut = cutOff?.pause === pause;
    trials.push({ ms: pause.ms, site: pause.site, cut });
    if (cut) break;
  }
  return trials;
}
