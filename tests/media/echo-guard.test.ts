import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { EchoGuard } from '../../src/media/echo/echo-guard.ts';
import { SearchBudget } from '../../src/media/echo/echo-search.ts';
import { levelDb } from '../../src/media/level.ts';
import { FliteSynthesizer } from '../../src/speech/flite/flite-synthesizer.ts';
import type { FliteVoice } from '../../src/speech/flite/voices.ts';
import { babble, echoOf, microphone, toLevel, whiteNoise } from './echo-room.ts';

const FRAME = 160;
const BOT_DB = -20;

interface Frame {
  echo: boolean;
  db: number;
}

/** A call in which the bot sends `bot` while the caller's phone sends `heard`, frame by frame. */
function call(bot: Int16Array, heard: Int16Array, guard = new EchoGuard(), from = 0): Frame[] {
  const frames: Frame[] = [];
  for (let i = 0; i + FRAME <= heard.length; i += FRAME) {
    const frame = heard.subarray(i, i + FRAME);
    frames.push({ echo: guard.heard(frame, from + i), db: levelDb(frame) });
    guard.sent(i + FRAME <= bot.length ? bot.subarray(i, i + FRAME) : undefined);
  }
  return frames;
}

const shifted = (pcm: ArrayLike<number>, ms: number): Float64Array => {
  const out = new Float64Array(pcm.length + ms * 8);
  out.set(pcm, ms * 8);
  return out;
};
const audible = (frames: Frame[], db = -50) => frames.filter((frame) => frame.db > db);
/** Milliseconds from the first frame of `near` that carries a voice to the end of the first frame let through. */
function noticedAfter(frames: Frame[], near: ArrayLike<number>, db: number): number {
  const pcm = Int16Array.from(near);
  let onset = 0;
  while (levelDb(pcm, onset * FRAME, FRAME) < db - 15) onset++;
  const at = frames.findIndex((frame, i) => i >= onset && !frame.echo && frame.db > -55);
  return at < 0 ? Number.POSITIVE_INFINITY : (at - onset + 1) * 20;
}

let bot: Int16Array;
const callers: Int16Array[] = [];

async function speak(voice: FliteVoice, text: string): Promise<Int16Array> {
  const flite = await FliteSynthesizer.start({ workers: 1, voice, log: silentLogger });
  const samples: number[] = [];
  for await (const { pcm } of flite.speak(text, new AbortController().signal)) samples.push(...pcm);
  await flite.close();
  return Int16Array.from(samples);
}

beforeAll(async () => {
  const greeting = 'Good morning, you have reached the bank. I can tell you your balance, or order a new card for you.';
  bot = toLevel(await speak('slt', greeting), BOT_DB);
  callers.push(await speak('awb', 'Stop. I want to talk to somebody about a payment.'));
  callers.push(await speak('kal', 'Where is my new credit card?'));
});

describe('a caller who listens on a loudspeaker', () => {
  test.each([6, 9, 12, 20])('is not heard in the echo of the bot at -%i dB, at any delay', (attenuation) => {
    for (const delay of [20, 47, 60, 113, 200, 300]) {
      const frames = call(bot, microphone(echoOf(bot, delay, attenuation), whiteNoise(bot.length, -65)));
      const loud = audible(frames);
      expect(loud.length).toBeGreaterThan(100);
      expect(loud.filter(({ echo }) => !echo).length).toBeLessThan(0.03 * loud.length);
      // Never long enough for speech to be confirmed: two windows of 32 ms.
      expect(longestRun(frames, -50)).toBeLessThanOrEqual(3);
    }
  });

  test('is not heard in it over noise either', () => {
    for (const delay of [60, 200]) {
      const frames = call(bot, microphone(echoOf(bot, delay, 12), whiteNoise(bot.length + 4000, -48)));
      const loud = audible(frames, -40);
      expect(loud.filter(({ echo }) => !echo).length).toBeLessThan(0.03 * loud.length);
    }
  });

  test('and the lag and the gain of the way are known', () => {
    const guard = new EchoGuard();
    call(bot, microphone(echoOf(bot, 113, 12)), guard);
    expect(guard.path!.lagMs).toBeCloseTo(113, 0);
    expect(guard.path!.gainDb).toBeGreaterThan(-18);
    expect(guard.path!.gainDb).toBeLessThan(-6);
    expect(guard.counts.searches).toBeLessThan(4);
  });

  test('is not heard in a long hissing consonant, which has nothing in the band of the path', () => {
    const vowels = babble(2000, 5, 120, BOT_DB);
    // Differences of noise are high-pitched: an "s" of 300 ms.
    const noise = whiteNoise(2400, BOT_DB - 12, 9);
    const hiss = noise.map((v, i) => (v - 3 * (noise[i - 1] ?? 0) + 3 * (noise[i - 2] ?? 0) - (noise[i - 3] ?? 0)) / 4);
    const said = Int16Array.from([...vowels, ...hiss, ...new Int16Array(1600)]);
    const frames = call(said, microphone(echoOf(said, 120, 9)));
    const during = audible(frames.slice((2000 + 140) / 20, (2300 + 110) / 20), -55);
    expect(during.length).toBeGreaterThan(10);
    expect(during.filter(({ echo }) => !echo).length).toBeLessThanOrEqual(1);
  });

  test('stays unheard when the network shifts the echo in mid-sentence, but for a moment', () => {
    const back = microphone(echoOf(bot, 120, 12));
    const middle = 2400 * 8;
    const jumped = Int16Array.from([...back.subarray(0, middle), ...new Int16Array(320), ...back.subarray(middle)]);
    const frames = call(bot, jumped);
    expect(audible(frames).filter(({ echo }) => !echo).length).toBeLessThan(15);
  });

  test('stays unheard when the delay moves by some milliseconds again and again', () => {
    const back = echoOf(bot, 150, 12);
    const jumps = [0, 6, -4, 10, 0, -9, 3];
    const wandering = Float64Array.from({ length: bot.length }, (_, i) => {
      const jump = jumps[Math.floor(i / 8 / 800) % jumps.length]!;
      return back[i - jump * 8] ?? 0;
    });
    const guard = new EchoGuard();
    const frames = call(bot, microphone(wandering, whiteNoise(bot.length, -65)), guard);
    const loud = audible(frames);
    expect(loud.filter(({ echo }) => !echo).length).toBeLessThan(0.06 * loud.length);
    expect(guard.counts.moves).toBeGreaterThan(2);
    expect(guard.counts.paths).toBeLessThan(3);
  });

  test('the way is remembered: the next sentence is echo from its first frame', () => {
    const guard = new EchoGuard();
    const both = Int16Array.from([...bot, ...new Int16Array(16_000), ...bot]);
    const frames = call(both, microphone(echoOf(both, 120, 15)), guard);
    const second = frames.slice(Math.floor((bot.length + 16_000) / FRAME));
    expect(
      audible(second)
        .slice(0, 10)
        .filter(({ echo }) => !echo).length,
    ).toBeLessThanOrEqual(1);
    expect(guard.counts.paths).toBe(1);
  });

  test('frames that come in bursts, or not at all, change nothing', () => {
    const back = microphone(echoOf(bot, 120, 12));
    const guard = new EchoGuard();
    const waiting: number[] = [];
    const frames: Frame[] = [];
    for (let i = 0; i + FRAME <= back.length; i += FRAME) {
      if ((i / FRAME) % 50 !== 33) waiting.push(i);
      if ((i / FRAME) % 3 !== 0) {
        for (const at of waiting.splice(0)) {
          const frame = back.subarray(at, at + FRAME);
          frames.push({ echo: guard.heard(frame, at), db: levelDb(frame) });
        }
      }
      guard.sent(i + FRAME <= bot.length ? bot.subarray(i, i + FRAME) : undefined);
    }
    const loud = audible(frames);
    expect(loud.filter(({ echo }) => !echo).length).toBeLessThan(0.1 * loud.length);
  });
});

describe('a caller who interrupts', () => {
  test.each([6, 12, 20])('over an echo of -%i dB is noticed within 150 ms', (attenuation) => {
    for (const caller of callers) {
      for (const over of [0, 6, 12]) {
        for (const delay of [20, 113, 300]) {
          for (const start of [1000, 1730, 2600]) {
            const db = BOT_DB - attenuation + over;
            const near = shifted(toLevel(caller, db), start);
            const heard = microphone(echoOf(bot, delay, attenuation), near, whiteNoise(bot.length, -65));
            expect(noticedAfter(call(bot, heard), near, db)).toBeLessThanOrEqual(150);
          }
        }
      }
    }
  });

  test('is let through for the most part', () => {
    const near = shifted(toLevel(callers[1]!, BOT_DB - 6), 1500);
    const frames = call(bot, microphone(echoOf(bot, 113, 12), near));
    const loud = Array.from({ length: Math.floor(near.length / FRAME) }, (_, i) => i).filter(
      (i) => levelDb(Int16Array.from(near.subarray(i * FRAME, i * FRAME + FRAME))) > BOT_DB - 21,
    );
    // Single frames in which the echo covers the voice; the worker does not cut them out of running speech.
    expect(loud.filter((i) => frames[i]!.echo).length).toBeLessThan(0.4 * loud.length);
  });

  test('without an echo is not held back, but for a single frame', () => {
    for (const caller of callers) {
      for (const start of [0, 310, 900, 2200]) {
        const heard = microphone(shifted(toLevel(caller, -26), start), whiteNoise(bot.length, -60));
        expect(call(bot, heard).filter(({ echo }) => echo).length).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('for voices of any kind', () => {
  const seed = fc.integer({ min: 1, max: 1e6 });

  test('echo is echo', () => {
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 90, max: 220 }),
        fc.integer({ min: 20, max: 300 }),
        fc.integer({ min: 6, max: 20 }),
        fc.constantFrom(-80, -60),
        (voice, pitch, delay, attenuation, noise) => {
          const said = babble(2500, voice, pitch, BOT_DB);
          const back = echoOf(said, delay, attenuation);
          const frames = call(said, microphone(back, whiteNoise(back.length, noise, voice)));
          const loud = audible(frames);
          expect(loud.filter(({ echo }) => !echo).length).toBeLessThan(0.1 * loud.length);
          expect(longestRun(frames, -50)).toBeLessThanOrEqual(5);
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  test('the caller is noticed within 150 ms, and without an echo hardly a frame is held back', () => {
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 90, max: 150 }),
        fc.integer({ min: 160, max: 230 }),
        fc.integer({ min: 20, max: 300 }),
        fc.integer({ min: 6, max: 20 }),
        fc.integer({ min: 0, max: 12 }),
        (voice, low, high, delay, attenuation, over) => {
          const said = babble(3000, voice, low, BOT_DB);
          const db = BOT_DB - attenuation + over;
          const near = shifted(babble(1200, voice + 1, high, db), 1500);
          const alone = call(said, microphone(near, whiteNoise(near.length, -65)));
          expect(alone.filter(({ echo }) => echo).length).toBeLessThanOrEqual(2);
          const frames = call(said, microphone(echoOf(said, delay, attenuation), near));
          expect(noticedAfter(frames, near, db)).toBeLessThanOrEqual(150);
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });
});

test('while the bot is silent nothing is compared', () => {
  const guard = new EchoGuard();
  const frames = call(new Int16Array(0), microphone(callers[0]!), guard);
  expect(frames.some(({ echo }) => echo)).toBe(false);
  expect(guard.counts.searches).toBe(0);
});

function longestRun(frames: Frame[], db: number): number {
  let longest = 0;
  let run = 0;
  for (const frame of frames) {
    run = !frame.echo && frame.db > db ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

test('many calls that begin at once search one after the other, and all find their echo', () => {
  const budget = new SearchBudget(2);
  const back = microphone(echoOf(bot, 113, 12));
  const guards = Array.from({ length: 10 }, () => new EchoGuard(budget));
  let most = 0;
  for (let i = 0; i + FRAME <= bot.length; i += FRAME) {
    budget.refill();
    const before = guards.reduce((sum, guard) => sum + guard.counts.searches, 0);
    for (const guard of guards) {
      guard.heard(back.subarray(i, i + FRAME), i);
      guard.sent(bot.subarray(i, i + FRAME));
    }
    most = Math.max(most, guards.reduce((sum, guard) => sum + guard.counts.searches, 0) - before);
  }
  expect(most).toBe(2);
  for (const guard of guards) expect(guard.path?.lagMs).toBeCloseTo(113, 0);
});
