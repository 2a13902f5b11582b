import { levelDb } from '../level.ts';
import type { VadEngine, VadState, VadWindow } from './vad.ts';

const WINDOW_SAMPLES = 160;
/** The noise floor falls at once and rises by this much per window: 1 dB in 0.4 s. */
const RISE_DB = 0.05;
const SPEECH_OVER_NOISE_DB = 12;
const QUIETEST_SPEECH_DB = -45;

export class EnergyState implements VadState {
  noiseDb = -60;

  reset(): void {
    this.noiseDb = -60;
  }
}

/** Level over a tracked noise floor. No match for a trained model: for relays, load tests and as the fallback. */
export class EnergyVad implements VadEngine {
  readonly windowSamples = WINDOW_SAMPLES;

  open(): VadState {
    return new EnergyState();
  }

  infer(batch: readonly VadWindow[]): Promise<Float32Array> {
    const probabilities = new Float32Array(batch.length);
    for (let i = 0; i < batch.length; i++) {
      const { state, pcm } = batch[i]!;
      if (state instanceof EnergyState) probabilities[i] = energyProbability(state, levelDb(pcm));
    }
    return Promise.resolve(probabilities);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Speech probability of a window by its level alone; moves the state's noise floor. */
export function energyProbability(state: EnergyState, db: number): number {
  state.noiseDb = Math.max(-75, Math.min(db, state.noiseDb + RISE_DB));
  const threshold = Math.max(QUIETEST_SPEECH_DB, state.noiseDb + SPEECH_OVER_NOISE_DB);
  return 1 / (1 + Math.exp((threshold - db) / 2));
}

/** The module contract of vad.ts. */
export function createVadEngine(_options: unknown): Promise<VadEngine> {
  return Promise.resolve(new EnergyVad());
}
