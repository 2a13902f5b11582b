import { FRAME_SAMPLES, type Pcm, saturated } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import { FADE_SAMPLES, fadeIn, fadeOut } from './fade.ts';

/**
 * A sound that goes round until it is stopped: hold music, a ringing tone. It is silent while something is said, and
 * goes on behind it where it stopped. Stops within one frame, without a click.
 */
export class LoopedSound {
  readonly #tail = int16s(FRAME_SAMPLES);
  #pcm: Pcm | undefined;
  /** Sample that comes next. */
  #at = 0;
  #sounding = false;
  /** The tail is yet to be sent. */
  #leaving = false;

  /** Plays `pcm` from its beginning, or nothing. The array is read, never written. */
  play(pcm: Pcm | undefined): void {
    this.#leave();
    this.#pcm = pcm !== undefined && pcm.length > 0 ? pcm : undefined;
    this.#at = 0;
  }

  /** The leg's next frame: what is `said` to it, else the sound, written into `out`; undefined is silence. */
  pull(said: Pcm | undefined, out: Pcm): Pcm | undefined {
    let frame = said;
    if (said !== undefined) this.#leave();
    else if (this.#pcm !== undefined) {
      this.#at = copyRound(this.#pcm, this.#at, out);
      if (!this.#sounding) fadeIn(out);
      this.#sounding = true;
      frame = out;
    }
    if (!this.#leaving) return frame;
    this.#leaving = false;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      out[i] = saturated((frame === undefined ? 0 : frame[i]!) + this.#tail[i]!);
    }
    return out;
  }

  /** The sound stops here; 5 ms of it sink away. */
  #leave(): void {
    if (!this.#sounding) return;
    copyRound(this.#pcm!, this.#at, this.#tail);
    fadeOut(this.#tail, FADE_SAMPLES);
    this.#sounding = false;
    this.#leaving = true;
  }
}

/** Fills `out` with `pcm` from `at` on, round and round; where it stopped. */
function copyRound(pcm: Pcm, at: number, out: Pcm): number {
  let next = at;
  for (let i = 0; i < out.length; i++) {
    out[i] = pcm[next]!;
    if (++next === pcm.length) next = 0;
  }
  return next;
}
