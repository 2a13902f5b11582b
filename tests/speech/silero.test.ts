import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VadEngine, VadState } from '../../src/media/voice-activity/vad.ts';
import { createVadEngine } from '../../src/speech/silero/vad-engine.ts';
import { Caller, lineNoise } from './support/telephone.ts';

let engine: VadEngine;
let speech: Int16Array;

beforeAll(async () => {
  engine = await createVadEngine({});
  const caller = await Caller.start('rms');
  speech = await caller.says('where is my new credit card');
  await caller.close();
});
afterAll(() => engine.close());

const window = (pcm: Int16Array, index: number) => pcm.subarray(index * 256, (index + 1) * 256);

async function probabilities(pcm: Int16Array, state: VadState = engine.open()): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; (i + 1) * 256 <= pcm.length; i++) {
    found.push((await engine.infer([{ state, pcm: window(pcm, i) }]))[0]!);
  }
  return found;
}

describe('voice activity detection', () => {
  it('hears a caller, and no caller in silence or in line noise', async () => {
    const heard = await probabilities(speech);
    // 0.3 s of line noise come first
    expect(Math.max(...heard.slice(0, 8))).toBeLessThan(0.3);
    const voiced = heard.slice(12, -10);
    expect(voiced.filter((p) => p > 0.5).length).toBeGreaterThan(voiced.length * 0.9);
    expect(Math.max(...(await probabilities(new Int16Array(16_000))))).toBeLessThan(0.3);
    expect(Math.max(...(await probabilities(lineNoise(2000, 300))))).toBeLessThan(0.5);
  });

  it('finds the same for a call in a batch of many as for that call alone', async () => {
    const alone = await probabilities(speech);
    // forty calls, each a little later in the same sentence: more than one run of the model
    const calls = Array.from({ length: 40 }, (_, i) => ({ state: engine.open(), from: i % 7 }));
    const found: number[][] = calls.map(() => []);
    for (let tick = 0; tick < 40; tick++) {
      const due = calls.filter(({ from }) => tick >= from);
      const batch = due.map(({ state, from }) => ({ state, pcm: window(speech, tick - from) }));
      const result = await engine.infer(batch);
      due.forEach((call, i) => {
        found[calls.indexOf(call)]!.push(result[i]!);
      });
    }
    for (const one of found) {
      one.forEach((p, i) => {
        expect(p).toBeCloseTo(alone[i]!, 4);
      });
    }
  });

  it('starts afresh after a reset', async () => {
    const state = engine.open();
    const first = await probabilities(speech, state);
    state.reset();
    expect(await probabilities(speech, state)).toEqual(first);
  });

  it('refuses a window of another size', async () => {
    await expect(engine.infer([{ state: engine.open(), pcm: new Int16Array(160) }])).rejects.toThrow(/256/);
  });

  it('answers an empty batch, and says so when it is closed', async () => {
    expect(await engine.infer([])).toHaveLength(0);
    const other = await createVadEngine(undefined);
    await other.close();
    await other.close();
    await expect(other.infer([{ state: other.open(), pcm: new Int16Array(256) }])).rejects.toThrow(/closed/);
  });
});
