import type { Clock, Ms } from '../../core/clock.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Pcm } from '../audio.ts';
import type { Heard, SpokenChunk } from '../ports.ts';
import { FADE_SAMPLES, fadeIn, fadeOut } from './fade.ts';
import { PLAYOUT_AHEAD_MS, PlayoutQueue } from './playout-queue.ts';

/** Answers owed to writers at most; a writer has one write under way at a time. */
const MAX_WAITERS = 1024;

interface Finisher {
  turn: TurnId;
  reply(heard: Heard): void;
}

/**
 * The playout queue with the answers it owes: room for waiting writers, and what was heard of finished turns. A pause
 * in mid-sound lets 5 ms sink away that do not count as sent; the resume starts with the same 5 ms, rising.
 */
export class PlayoutDesk {
  readonly queue = new PlayoutQueue();
  readonly #onSound: (at: Ms, turn: TurnId) => void;
  readonly #clock: Clock;
  #writers: ((room: boolean) => void)[] = [];
  #finishers: Finisher[] = [];
  /** The frame pulled last was the bot's. */
  #sounding = false;
  /** The turn that faded out, until it fades in again. */
  #faded: TurnId | undefined;

  constructor(onSound: (at: Ms, turn: TurnId) => void, clock: Clock) {
    this.#onSound = onSound;
    this.#clock = clock;
  }

  begin(turn: TurnId): void {
    const before = this.queue.current;
    if (!this.queue.begin(turn) || before === turn) return;
    this.#settleWriters(false);
    this.#settleFinishers();
  }

  /** Answers true when there is room for more, false when the turn is not current. */
  write(turn: TurnId, chunk: SpokenChunk, reply: (room: boolean) => void): void {
    const taken = this.queue.write(turn, chunk);
    if (taken === 'wait' && this.#writers.length < MAX_WAITERS) this.#writers.push(reply);
    else reply(taken === 'room' || taken === 'wait');
  }

  finish(turn: TurnId, reply: (heard: Heard) => void): void {
    this.queue.finish(turn);
    this.#finishers.push({ turn, reply });
    this.#settleFinishers();
  }

  resume(turn: TurnId): void {
    this.queue.resume(turn);
  }

  cut(turn: TurnId): Heard {
    const current = this.queue.current === turn;
    const heard = this.queue.cut(turn);
    if (current) this.#settleWriters(false);
    this.#settleFinishers();
    return heard;
  }

  /** The next frame of the bot, or undefined for silence. `out` is filled and returned. */
  pull(out: Pcm, due: Ms): Pcm | undefined {
    const { queue } = this;
    const { samples, sound } = queue.pull(out, due);
    if (samples === 0) return this.#fadeOut(out, due);
    if (this.#faded !== undefined) {
      if (this.#faded === queue.current) fadeIn(out);
      this.#faded = undefined;
    }
    this.#sounding = true;
    if (sound) this.#onSound(this.#clock.now(), queue.current!);
    if (this.#writers.length > 0 && queue.queuedMs <= PLAYOUT_AHEAD_MS) this.#settleWriters(true);
    if (this.#finishers.length > 0 && queue.drained) this.#settleFinishers();
    return out;
  }

  /** Everybody who waits is answered. */
  close(): void {
    const { current } = this.queue;
    if (current !== undefined) this.cut(current);
    this.#settleWriters(false);
    this.#settleFinishers();
  }

  #fadeOut(out: Pcm, due: Ms): Pcm | undefined {
    const tail = this.#sounding && this.queue.paused ? this.queue.peek(out, FADE_SAMPLES) : 0;
    this.#sounding = false;
    if (tail === 0) return undefined;
    fadeOut(out, tail);
    this.#faded = this.queue.current;
    this.queue.faded(due);
    return out;
  }

  #settleWriters(room: boolean): void {
    for (const reply of this.#writers.splice(0)) reply(room);
  }

  /** A turn is settled when it is drained, cut, or was never current. */
  #settleFinishers(): void {
    const waiting: Finisher[] = [];
    for (const finisher of this.#finishers.splice(0)) {
      if (this.queue.current === finisher.turn && !this.queue.drained) waiting.push(finisher);
      else finisher.reply(this.queue.heard(finisher.turn));
    }
    this.#finishers = waiting;
  }
}
