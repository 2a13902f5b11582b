import type { Ms } from '../../core/clock.ts';
import { FRAME_MS, type Pcm } from '../audio.ts';
import { meanSquare } from '../level.ts';
import { FAINTEST_TONE, peakNear, powerAt, shareOf } from './goertzel.ts';

/** A steady tone of one frequency that has ended, as answering machines have before they record. */
export interface Tone {
  /** When it ended. */
  at: Ms;
  hz: number;
  durationMs: Ms;
}

const LOWEST_HZ = 380;
const HIGHEST_HZ = 2600;
/** Half of what a frame of 20 ms can tell apart. */
const STEP_HZ = 25;
/** Of the frame's energy, in the one frequency: 15 dB of noise leave 0.97, vowels have 0.3 to 0.8. */
const MIN_SHARE = 0.8;
/** It stays what it is: a voice glides. */
const SAME_HZ = 18;
const MIN_MS: Ms = 120;
/** Longer than any beep, and than the 4 s of a fax (V.25) with what clocks and late packets add: a dial tone, a fault. */
const MAX_MS: Ms = 4500;
/** One frame may be lost on the way. */
const MAX_GAP = 1;
/**
 * A fax's answer tone (2100 ± 15 Hz) is no beep only by its length, so losses do not cut it in two: 200 ms, which is less
 * than is waited behind a beep.
 */
const FAX = { hz: 2100, offHz: 25, maxGap: 10 };

/**
 * Finds beeps: the share of each frame's energy that is in one frequency (Goertzel over a grid, then between its points)
 * must stay high and the frequency the same. Pairs of tones, such as DTMF and ring-back, are none. Pure, time passed in;
 * about 15,000 multiplications a frame, so it is for calls whose far end may be a machine.
 */
export class ToneDetector {
  #hz = 0;
  #frames = 0;
  #gap = 0;

  /** 20 ms of audio that ends at `at`; undefined: nothing came. Returns a tone that has ended with it. */
  push(frame: Pcm | undefined, at: Ms): Tone | undefined {
    const hz = frame && pureTone(frame);
    if (hz !== undefined && (this.#frames === 0 || Math.abs(hz - this.#hz) <= SAME_HZ)) {
      // Towards the mean: the last frame may be cut.
      this.#hz = this.#frames === 0 ? hz : (this.#hz * this.#frames + hz) / (this.#frames + 1);
      this.#frames += 1 + this.#gap;
      this.#gap = 0;
      return undefined;
    }
    if (this.#frames > 0 && hz === undefined && this.#gap < this.#maxGap) {
      this.#gap++;
      return undefined;
    }
    const durationMs = this.#frames * FRAME_MS;
    const ended = { at: at - (1 + this.#gap) * FRAME_MS, hz: Math.round(this.#hz), durationMs };
    this.#frames = hz === undefined ? 0 : 1;
    this.#hz = hz ?? 0;
    this.#gap = 0;
    return durationMs >= MIN_MS && durationMs <= MAX_MS ? ended : undefined;
  }

  get #maxGap(): number {
    return Math.abs(this.#hz - FAX.hz) <= FAX.offHz ? FAX.maxGap : MAX_GAP;
  }
}

/** The frequency that nearly all of the frame is of. */
function pureTone(frame: Pcm): number | undefined {
  const all = meanSquare(frame);
  if (all < FAINTEST_TONE) return undefined;
  let best = 0;
  let bestHz = 0;
  for (let hz = LOWEST_HZ; hz <= HIGHEST_HZ; hz += STEP_HZ) {
    const power = powerAt(frame, hz);
    if (power > best) {
      best = power;
      bestHz = hz;
    }
  }
  const hz = peakNear(frame, bestHz);
  return shareOf(powerAt(frame, hz), all, frame.length) >= MIN_SHARE ? hz : undefined;
}
