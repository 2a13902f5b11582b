import { type Pcm, SAMPLE_RATE } from '../../media/audio.ts';
import { doubled } from '../double-rate.ts';

/** The model hears the last eight seconds. */
const SECONDS = 8;
export const TURN_SAMPLES = SECONDS * SAMPLE_RATE;

/** The end of what a caller has said so far, 8 kHz: at most eight seconds are kept, the oldest go. */
export class TurnAudio {
  readonly #ring = new Int16Array(TURN_SAMPLES);
  #taken = 0;

  begin(): void {
    this.#taken = 0;
  }

  push(pcm: Pcm): void {
    const kept = pcm.length > TURN_SAMPLES ? pcm.subarray(pcm.length - TURN_SAMPLES) : pcm;
    const at = this.#taken % TURN_SAMPLES;
    const first = Math.min(kept.length, TURN_SAMPLES - at);
    this.#ring.set(kept.subarray(0, first), at);
    this.#ring.set(kept.subarray(first), 0);
    this.#taken += kept.length;
  }

  /**
   * As the model wants it: eight seconds at 16 kHz, silence in front of shorter speech, mean zero and variance one over
   * the whole (the `do_normalize` of Whisper's feature extractor).
   */
  normalized(): Float32Array {
    const length = Math.min(this.#taken, TURN_SAMPLES);
    const samples = new Float32Array(TURN_SAMPLES);
    const from = (this.#taken - length) % TURN_SAMPLES;
    for (let i = 0; i < length; i++) {
      samples[TURN_SAMPLES - length + i] = this.#ring[(from + i) % TURN_SAMPLES]! / 32768;
    }
    return normalize(doubled(samples));
  }
}

function normalize(samples: Float32Array): Float32Array {
  let sum = 0;
  let squares = 0;
  for (const sample of samples) {
    sum += sample;
    squares += sample * sample;
  }
  const mean = sum / samples.length;
  const scale = 1 / Math.sqrt(squares / samples.length - mean * mean + 1e-7);
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i]! - mean) * scale;
  return samples;
}
