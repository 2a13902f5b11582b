import type { Ms } from '../../core/clock.ts';
import { FRAME_MS } from '../audio.ts';
import { float64s } from '../call-memory.ts';

/** Frames remembered: 640 ms, more than any jitter buffer holds back. */
const REMEMBERED = 32;

/** Which of the last frames were echo, by the time they were spoken: for those who get them later. */
export class EchoMarks {
  readonly #at = float64s(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  readonly #echo = new Uint8Array(REMEMBERED);
  #next = 0;
  #marked = 0;

  mark(at: Ms, echo: boolean): void {
    this.#marked += (echo ? 1 : 0) - this.#echo[this.#next]!;
    this.#at[this.#next] = at;
    this.#echo[this.#next] = echo ? 1 : 0;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** Was the frame spoken from about `at` on echo? */
  isEcho(at: Ms): boolean {
    if (this.#marked === 0) return false;
    let nearest = FRAME_MS;
    let echo = false;
    for (let i = 0; i < REMEMBERED; i++) {
      const distance = Math.abs(this.#at[i]! - at);
      if (distance >= nearest) continue;
      nearest = distance;
      echo = this.#echo[i] === 1;
    }
    return echo;
  }
}
