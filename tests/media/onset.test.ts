import { describe, expect, test } from 'vitest';
import { levelDb } from '../../src/media/level.ts';
import { Onset } from '../../src/media/voice-activity/onset.ts';
import { babble, echoOf, microphone, whiteNoise } from './echo-room.ts';

const FRAME = 160;

/** Frames in which a sound was found to begin; the bot speaks all the time. */
function begins(heard: Int16Array, onset = new Onset()): number[] {
  const found: number[] = [];
  for (let i = 0; (i + 1) * FRAME <= heard.length; i++) {
    if (onset.push(levelDb(heard, i * FRAME, FRAME), true)) found.push(i);
  }
  return found;
}
const quiet = (frames: number) => new Float64Array(frames * FRAME);
const line = (...parts: ArrayLike<number>[]) =>
  microphone(Float64Array.from(parts.flatMap((part) => Array.from(part))), whiteNoise(200 * FRAME, -66));

describe('the beginning of a sound while the bot speaks', () => {
  test('is noticed in its first frame, be it a hiss', () => {
    expect(begins(line(quiet(80), whiteNoise(6 * FRAME, -34), quiet(114)))).toEqual([80]);
  });

  test('is not noticed before the bot is known not to hear itself', () => {
    expect(begins(line(quiet(30), whiteNoise(6 * FRAME, -34), quiet(164)))).toEqual([]);
  });

  test('is noticed once for each sound, not for each syllable', () => {
    const sounds = begins(line(quiet(60), babble(400, 3, 120, -20), quiet(40), babble(400, 4, 120, -20), quiet(60)));
    expect(sounds.length).toBeGreaterThanOrEqual(2);
    expect(sounds.length).toBeLessThanOrEqual(4);
  });

  test('is known to last until it has been quiet for a while', () => {
    const onset = new Onset();
    const frames = (count: number, db: number) => {
      for (let i = 0; i < count; i++) onset.push(db, true);
      return onset.lasts;
    };
    expect(frames(80, -70)).toBe(false);
    expect(frames(6, -34)).toBe(true);
    expect(frames(9, -52)).toBe(true);
    expect(frames(4, -70)).toBe(true);
    expect(frames(2, -34)).toBe(true);
    expect(frames(5, -70)).toBe(false);
    expect(frames(1, -34)).toBe(true);
    onset.echoes();
    expect(onset.lasts).toBe(false);
  });

  test('is not looked for in noise, however it swells', () => {
    const swelling = Float64Array.from(whiteNoise(200 * FRAME, -46), (v, i) => v * (1 + Math.sin(i / 9000)));
    expect(begins(microphone(swelling))).toEqual([]);
  });

  test('is not looked for on a loudspeaker', () => {
    const bot = babble(4000, 5, 180, -18);
    expect(begins(microphone(echoOf(bot, 120, 15)))).toEqual([]);
  });
});
