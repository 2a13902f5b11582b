import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelDb } from '../../src/media/level.ts';
import { createVadEngine } from '../../src/media/voice-activity/energy-vad.ts';
import { VadGate, type VadGateEvent } from '../../src/media/voice-activity/vad-gate.ts';
import { tone } from './support.ts';

const WINDOW = 32;

function run(probabilities: number[], level = -20): (VadGateEvent & { window: number })[] {
  const gate = new VadGate();
  return probabilities.flatMap((p, window) => {
    const event = gate.push(p, level, window * WINDOW, WINDOW);
    return event ? [{ ...event, window }] : [];
  });
}

describe('the speech gate', () => {
  test('speech starts after two windows and is dated back to the first', () => {
    expect(run([0, 0, 0.9, 0.9, 0.9])).toEqual([{ type: 'start', at: 2 * WINDOW, window: 3 }]);
  });

  test('a click is no speech', () => {
    expect(run([0, 0.9, 0, 0, 0.9, 0.1, 0.9, 0])).toEqual([]);
  });

  test('speech ends after the hang-over and is dated back to its last voiced window', () => {
    const events = run([0.9, 0.9, 0.9, 0, 0, 0, 0, 0, 0]);
    expect(events.at(-1)).toEqual({ type: 'end', at: 3 * WINDOW, window: 7 });
  });

  test('a lull is told before, once in each silence, also in one that does not end speech', () => {
    const lull = (at: number, window: number) => ({ type: 'lull', at: at * WINDOW, window });
    const events = run([0.9, 0.9, 0, 0, 0, 0, 0.9, 0, 0, 0.9, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(events.slice(1)).toEqual([lull(2, 4), lull(10, 12), { type: 'end', at: 10 * WINDOW, window: 14 }]);
  });

  test('a short pause or a doubtful window does not end it', () => {
    const events = run([0.9, 0.9, 0, 0, 0, 0.4, 0.4, 0, 0, 0, 0.9]);
    expect(events.filter(({ type }) => type !== 'lull')).toHaveLength(1);
  });

  test('nothing below the floor is speech, whatever the engine thinks', () => {
    expect(run(new Array(50).fill(1), -60)).toEqual([]);
  });

  test('after a reset, speech that goes on starts once more', () => {
    const gate = new VadGate();
    const push = (p: number, at: number) => gate.push(p, -20, at, WINDOW)?.type;
    push(1, 0);
    expect(push(1, 32)).toBe('start');
    gate.reset();
    expect(push(1, 64)).toBeUndefined();
    expect(push(1, 96)).toBe('start');
  });

  test('starts and ends take turns and never overlap, for any probabilities', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }), (probabilities) => {
        const events = run(probabilities).filter(({ type }) => type !== 'lull');
        events.forEach((event, i) => {
          expect(event.type).toBe(i % 2 === 0 ? 'start' : 'end');
          if (i > 0) expect(event.at).toBeGreaterThanOrEqual(events[i - 1]!.at);
        });
      }),
    );
  });
});

describe('the energy detector', () => {
  test('hears a voice over noise and no voice in the noise alone, for each stream on its own', async () => {
    const engine = await createVadEngine(undefined);
    const [noisy, clean] = [engine.open(), engine.open()];
    let seed = 1;
    const noise = () =>
      Int16Array.from({ length: engine.windowSamples }, () => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        return (seed / 0x7fffffff - 0.5) * 300;
      });
    const voice = tone(engine.windowSamples, 200);
    let result = new Float32Array(2);
    for (let i = 0; i < 20; i++) {
      result = Float32Array.from(
        await engine.infer([
          { state: noisy, pcm: noise() },
          { state: clean, pcm: voice },
        ]),
      );
      expect(result[0]).toBeLessThan(0.35);
    }
    expect((await engine.infer([{ state: noisy, pcm: voice }]))[0]).toBeGreaterThan(0.5);
    await engine.close();
  });

  test('levels are dBFS', () => {
    expect(levelDb(new Int16Array(10))).toBe(-100);
    expect(levelDb(new Int16Array(10).fill(32767))).toBeCloseTo(0, 2);
    expect(levelDb(tone(800, 400, 1))).toBeCloseTo(-3.01, 1);
  });
});
