import type { Ms } from '../../core/clock.ts';
import { FRAME_SAMPLES, SAMPLE_RATE } from '../audio.ts';
import { DIGITS } from './dtmf.ts';

/** Keys that wait to be sent; one more is left out. */
const MOST_WAITING = 32;
/** RFC 4733 section 2.5.1.4: the end is said three times, in case one is lost. Between two keys they are the pause. */
const ENDS = 3;
/** The shortest that receivers have to take (ITU-T Q.24). */
const LEAST_MS: Ms = 40;
/** What the duration field can hold: 8 s beside G.711, 1.3 s beside Opus. Nobody presses a key longer for a machine. */
const LONGEST_UNITS = 0xffff;
/** RFC 4733 section 2.3: -10 dBm0, as telephones are loud. */
const VOLUME = 10;
export const EVENT_BYTES = 4;

/** Keys on their way to the far end as telephone events, a packet with each frame of 20 ms: RFC 4733 section 2.5.1. */
export class KeySender {
  readonly #waiting: { event: number; samples: number }[] = [];
  #current: { event: number; samples: number } | undefined;
  #elapsed = 0;
  #ends = 0;

  /** While true the frame is the key's, not the voice's. */
  get active(): boolean {
    return this.#current !== undefined || this.#waiting.length > 0;
  }

  /** False: it is no key, or too many wait. */
  press(digit: string, durationMs: Ms): boolean {
    const event = DIGITS.indexOf(digit);
    if (digit.length !== 1 || event === -1 || this.#waiting.length >= MOST_WAITING) return false;
    const samples = (Math.max(LEAST_MS, durationMs) * SAMPLE_RATE) / 1000;
    this.#waiting.push({ event, samples: Math.round(samples) });
    return true;
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#current = undefined;
  }

  /**
   * Writes the next packet's payload. `unit`: of the event's clock per sample at 8 kHz. True: it is the first of its key,
   * with the marker bit and a timestamp that all of the key's packets share.
   */
  write(target: Uint8Array, at: number, unit: number): boolean {
    const first = this.#current === undefined;
    if (first) {
      this.#current = this.#waiting.shift()!;
      this.#elapsed = 0;
      this.#ends = 0;
    }
    const { event, samples } = this.#current!;
    this.#elapsed = Math.min(samples, this.#elapsed + FRAME_SAMPLES);
    const duration = Math.min(LONGEST_UNITS, this.#elapsed * unit);
    const over = this.#elapsed === samples || duration === LONGEST_UNITS;
    target[at] = event;
    target[at + 1] = (over ? 0x80 : 0) | VOLUME;
    target[at + 2] = duration >>> 8;
    target[at + 3] = duration;
    if (over && ++this.#ends === ENDS) this.#current = undefined;
    return first;
  }
}
