import { type Ms, monotonicNow } from '../../../src/core/clock.ts';

/** Told once per 20 ms. `skipped`: frames whose time passed while the process was held up; their audio time is lost. */
export type PacerTick = (now: Ms, skipped: number) => void;

const FRAME_MS = 20;
/** Members are spread over this many slots of a frame, so that 200 phones do not all send in the same instant. */
const SLOTS = 4;
const SLOT_MS = FRAME_MS / SLOTS;
/** Further behind than this, frames are skipped rather than sent in one burst. */
const MAX_CATCH_UP_MS = 100;
const LATENESS_KEPT = 20_000;

interface Member {
  tick: PacerTick;
  slot: number;
  /** Frames that passed since its last tick, and that it has not been told of. */
  skipped: number;
}

/** One timer with absolute deadlines for every phone of the process: the drift of one frame never reaches the next. */
export class Pacer {
  readonly #slots: Set<Member>[] = Array.from({ length: SLOTS }, () => new Set());
  #count = 0;
  #next = 0;
  #slot = 0;
  #timer: NodeJS.Timeout | undefined;
  #lateness: number[] = [];

  /** Ticks begin within 20 ms and go on until the returned function is called. */
  add(tick: PacerTick): () => void {
    const slot = this.#slots.reduce((best, set, i) => (set.size < this.#slots[best]!.size ? i : best), 0);
    const member: Member = { tick, slot, skipped: 0 };
    this.#slots[slot]!.add(member);
    this.#count++;
    if (this.#count === 1) {
      this.#next = monotonicNow() + SLOT_MS;
      this.#arm();
    }
    return () => {
      if (!this.#slots[slot]!.delete(member)) return;
      this.#count--;
      if (this.#count === 0) {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  /** How late this process itself was in sending, ms, newest last: what the far end sees of the phone's own jitter. */
  get lateness(): readonly number[] {
    return this.#lateness;
  }

  forgetLateness(): void {
    this.#lateness = [];
  }

  #arm(): void {
    let steps = 0;
    while (this.#slots[(this.#slot + steps) % SLOTS]!.size === 0 && steps < SLOTS) steps++;
    this.#slot = (this.#slot + steps) % SLOTS;
    this.#next += steps * SLOT_MS;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, this.#next - monotonicNow()));
  }

  #wake(): void {
    let now = monotonicNow();
    if (now - this.#next > MAX_CATCH_UP_MS) {
      const skipped = Math.floor((now - this.#next) / FRAME_MS);
      this.#next += skipped * FRAME_MS;
      // Every member loses them, also those whose slot comes later.
      for (const slot of this.#slots) for (const member of slot) member.skipped += skipped;
    }
    // Timers fire on whole milliseconds; half a millisecond early is nearer than one late.
    for (let turns = 0; this.#next - now <= 0.5 && this.#count > 0 && turns < SLOTS * 8; turns++) {
      const members = this.#slots[this.#slot]!;
      if (members.size > 0) {
        if (this.#lateness.length >= LATENESS_KEPT) this.#lateness.splice(0, LATENESS_KEPT / 2);
        this.#lateness.push(Math.max(0, now - this.#next));
      }
      for (const member of [...members]) {
        if (!members.has(member)) continue;
        const { skipped } = member;
        member.skipped = 0;
        member.tick(monotonicNow(), skipped);
      }
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#next += SLOT_MS;
      now = monotonicNow();
    }
    if (this.#count > 0) this.#arm();
  }
}

/** The pacer that all phones of this process share. */
export const sharedPacer = new Pacer();
