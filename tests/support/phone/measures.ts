import type { Ms } from '../../../src/core/clock.ts';
import type { HeardPacket, Spell } from './ear.ts';

/** The figures of measures.md, from what the phone sent and what reached it. Pure: all times are arguments. */

export interface Turn {
  readonly kind: 'say' | 'press' | 'interrupt';
  readonly text: string;
  /** False when no answer is due, e.g. a pause inside a sentence. */
  readonly expectsReply: boolean;
  /** First voiced window sent, or first key packet. */
  readonly startedAt: Ms | undefined;
  /** Last voiced window sent, or end of the last key. */
  readonly endedAt: Ms | undefined;
  /** `press`: first packet of the last key, from which on the far end may answer. */
  readonly lastKeyAt?: Ms | undefined;
}

export interface TurnMeasure {
  readonly kind: Turn['kind'];
  readonly text: string;
  readonly startedAt: Ms | undefined;
  readonly endedAt: Ms | undefined;
  /** When the first packet of the reply that carries sound arrived. */
  readonly replyAt: Ms | undefined;
  /** From the caller's last voiced window to the reply; for `press` from the last key's first packet. */
  readonly replyMs: Ms | undefined;
  /** A reply was due and never came. */
  readonly missed: boolean;
  /** The caller began while the bot spoke: until the bot's last packet with sound. */
  readonly bargeInToSilenceMs: Ms | undefined;
  /** The bot began to answer before the caller had finished. */
  readonly falseCutOff: boolean;
}

/** Sound this soon after the caller began still belongs to what the bot was saying when it was interrupted. */
export const OVERLAP_MS = 300;
/** A pause of the bot this short before the caller began still counts as speaking. */
const BREATH_MS = 200;

/** `until`: end of the turn's time, i.e. the start of the next turn or the end of the call. */
export function measureTurn(turn: Turn, spells: readonly Spell[], until: Ms): TurnMeasure {
  const { startedAt, endedAt } = turn;
  const identity = { kind: turn.kind, text: turn.text, startedAt, endedAt };
  if (startedAt === undefined || endedAt === undefined) {
    return {
      ...identity,
      replyAt: undefined,
      replyMs: undefined,
      missed: turn.expectsReply,
      bargeInToSilenceMs: undefined,
      falseCutOff: false,
    };
  }
  // A key is heard at its first packet, so the answer may be there before the key is up.
  const answerable = turn.lastKeyAt ?? endedAt;
  const reply = spells.find((spell) => spell.startAt > answerable && spell.startAt < until);
  const interrupted = spells.findLast(
    (spell) => spell.startAt < startedAt && startedAt - spell.lastSoundAt < BREATH_MS,
  );
  // The bot may draw breath within the time it needs to notice the caller.
  const tail = interrupted && spells.find((s) => s.startAt >= startedAt && s.startAt < startedAt + OVERLAP_MS);
  const lastSoundAt = interrupted && (tail ?? interrupted).lastSoundAt;
  const cutOff = spells.some(
    (spell) => spell !== tail && spell.startAt >= startedAt && spell.startAt <= endedAt && turn.kind !== 'press',
  );
  return {
    ...identity,
    replyAt: reply?.startAt,
    replyMs: reply && reply.startAt - answerable,
    missed: turn.expectsReply && reply === undefined,
    // Over already before the caller began: nothing was interrupted.
    bargeInToSilenceMs: lastSoundAt !== undefined && lastSoundAt > startedAt ? lastSoundAt - startedAt : undefined,
    falseCutOff: cutOff,
  };
}

/** Measures every turn against the one behind it. */
export function measureTurns(turns: readonly Turn[], spells: readonly Spell[], endOfCall: Ms): TurnMeasure[] {
  return turns.map((turn, i) => {
    const next = turns.slice(i + 1).find((later) => later.startedAt !== undefined);
    return measureTurn(turn, spells, next?.startedAt ?? endOfCall);
  });
}

export interface Pacing {
  /** Milliseconds between consecutive arrivals. */
  readonly intervals: readonly Ms[];
  /** Sequence numbers that never arrived, per SSRC, wrap taken into account. */
  readonly sequenceGaps: number;
  readonly duplicates: number;
  readonly reordered: number;
}

/** Streams that change their SSRC are counted apart; an event packet counts like any other. */
export function measurePacing(packets: readonly HeardPacket[]): Pacing {
  const intervals: Ms[] = [];
  const streams = new Map<number, { highest: number; lowest: number; seen: Set<number> }>();
  let duplicates = 0;
  let reordered = 0;
  packets.forEach((packet, i) => {
    const before = packets[i - 1];
    if (before) intervals.push(packet.at - before.at);
    const stream = streams.get(packet.ssrc);
    if (!stream) {
      streams.set(packet.ssrc, {
        highest: packet.sequence,
        lowest: packet.sequence,
        seen: new Set([packet.sequence]),
      });
      return;
    }
    // Extended sequence number nearest to the highest one so far (RFC 3550 appendix A.1).
    const delta = ((packet.sequence - stream.highest + 0x8000) & 0xffff) - 0x8000;
    const extended = stream.highest + delta;
    if (stream.seen.has(extended)) {
      duplicates++;
      return;
    }
    stream.seen.add(extended);
    if (extended < stream.highest) reordered++;
    stream.highest = Math.max(stream.highest, extended);
    stream.lowest = Math.min(stream.lowest, extended);
  });
  let sequenceGaps = 0;
  for (const { highest, lowest, seen } of streams.values()) sequenceGaps += highest - lowest + 1 - seen.size;
  return { intervals, sequenceGaps, duplicates, reordered };
}

export interface Summary {
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank percentiles; undefined when there is nothing to summarise. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const rank = (p: number) => sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)]!;
  return { n: sorted.length, p50: rank(50), p95: rank(95), p99: rank(99), max: sorted[sorted.length - 1]! };
}
