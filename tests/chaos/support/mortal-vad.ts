import { EnergyVad } from '../../../src/media/voice-activity/energy-vad.ts';
import type { VadEngine } from '../../../src/media/voice-activity/vad.ts';
import { dieWhenTold } from './mortal.ts';

/** The plain detector, in a thread that a test can kill. `options`: the channel it listens on. */
export function createVadEngine(options: unknown): Promise<VadEngine> {
  dieWhenTold(String(options));
  return Promise.resolve(new EnergyVad());
}
