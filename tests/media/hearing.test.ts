import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_SAMPLES, type Pcm } from '../../src/media/audio.ts';
import { levelDb } from '../../src/media/level.ts';
import { type HearingSource, Mix, partsHeard, type Voices } from '../../src/media/outbound/hearing.ts';
import { holdMusic, ringingTone } from '../../src/media/outbound/hold-music.ts';
import { LoopedSound } from '../../src/media/outbound/looped-sound.ts';
import { tone } from './support.ts';

type Name = 'caller' | 'agent' | 'supervisor' | 'other';
const NAMES: Name[] = ['caller', 'agent', 'supervisor', 'other'];
const spoken = (of: Name, gain = 1): HearingSource<Name> => ({ of, side: 'spoken', gain });
const heard = (of: Name, gain = 1): HearingSource<Name> => ({ of, side: 'heard', gain });
const told = (who: Partial<Record<Name, HearingSource<Name>[]>>) => (leg: Name) => who[leg] ?? [];

describe('who hears whom', () => {
  test('a listener to both sides of a call hears caller, bot and agent, everyone once', () => {
    const sources = told({
      caller: [spoken('agent')],
      agent: [spoken('caller')],
      supervisor: [spoken('caller'), heard('caller'), heard('agent')],
    });
    expect(partsHeard('supervisor', sources)).toEqual([
      { of: 'caller', what: 'spoken', gain: 1 },
      { of: 'caller', what: 'said', gain: 1 },
      { of: 'agent', what: 'spoken', gain: 1 },
      { of: 'agent', what: 'said', gain: 1 },
    ]);
  });

  test('who listens to a leg that hears them does not hear their own voice come back', () => {
    const sources = told({ agent: [spoken('caller'), spoken('supervisor')], supervisor: [heard('agent')] });
    expect(partsHeard('supervisor', sources).map(({ of }) => of)).not.toContain('supervisor');
  });

  test('legs that listen to each other in circles find an end, and nobody ever hears themselves', () => {
    const source = fc.record({
      of: fc.constantFrom(...NAMES),
      side: fc.constantFrom('spoken' as const, 'heard' as const),
      gain: fc.constantFrom(0.5, 1, 2),
    });
    const graph = fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.array(source, { maxLength: 5 })])));
    fc.assert(
      fc.property(graph, fc.constantFrom(...NAMES), (who, listener) => {
        const parts = partsHeard(listener, told(who));
        expect(parts.every(({ of }) => of !== listener)).toBe(true);
        expect(new Set(parts.map(({ of, what }) => `${of} ${what}`)).size).toBe(parts.length);
        // What is named itself is heard at least as loud as it was asked for.
        for (const { of, side, gain } of who[listener]!) {
          const what = side === 'spoken' ? 'spoken' : 'said';
          const part = parts.find((one) => one.of === of && one.what === what);
          if (of !== listener) expect(part!.gain).toBeGreaterThanOrEqual(gain);
        }
      }),
    );
  });
});

describe('the mix', () => {
  const frame = fc.int16Array({ minLength: FRAME_SAMPLES, maxLength: FRAME_SAMPLES });
  /** Voices that have been heard for a while. */
  function settled(frames: (Pcm | undefined)[], gain = 1): Mix {
    const mix = new Mix();
    mix.set(frames.map((spoken) => ({ of: { spoken, said: undefined }, what: 'spoken', gain })));
    mix.frame(undefined);
    return mix;
  }

  test('is the sum of all, as loud as can be where it would wrap round', () => {
    fc.assert(
      fc.property(fc.option(frame, { nil: undefined }), fc.array(frame, { maxLength: 4 }), (own, voices) => {
        const mixed = settled(voices).frame(own);
        const sum = Array.from({ length: FRAME_SAMPLES }, (_, i) => {
          const exact = voices.reduce((all, voice) => all + voice[i]!, own?.[i] ?? 0);
          return Math.max(-32768, Math.min(32767, exact));
        });
        if (own === undefined && voices.length === 0) expect(mixed).toBeUndefined();
        else expect([...mixed!]).toEqual(sum);
      }),
    );
  });

  test('of one voice is that voice itself, and of silent ones silence', () => {
    const voice = tone(FRAME_SAMPLES, 440);
    expect(settled([voice]).frame(undefined)).toBe(voice);
    expect(settled([undefined, undefined]).frame(undefined)).toBeUndefined();
    expect(settled([undefined]).frame(voice)).toBe(voice);
  });

  test('lets a voice come and go without a click, within one frame', () => {
    const voice: Voices = { spoken: new Int16Array(FRAME_SAMPLES).fill(8000), said: undefined };
    const mix = new Mix();
    mix.set([{ of: voice, what: 'spoken', gain: 1 }]);
    const came = mix.frame(undefined)!.slice();
    expect([...came.subarray(40)]).toEqual(new Array(120).fill(8000));
    mix.set([]);
    const went = mix.frame(undefined)!.slice();
    for (const pcm of [came, went]) {
      for (let i = 1; i < pcm.length; i++) expect(Math.abs(pcm[i]! - pcm[i - 1]!)).toBeLessThanOrEqual(200);
    }
    expect([...went.subarray(40)]).toEqual(new Array(120).fill(0));
    expect(mix.frame(undefined)).toBeUndefined();
    expect(mix.empty).toBe(true);
  });

  test('half a gain is half as loud', () => {
    const voice = new Int16Array(FRAME_SAMPLES).fill(1000);
    expect(settled([voice], 0.5).frame(undefined)![100]).toBe(500);
  });
});

describe('a sound that goes round', () => {
  const ramp = Int16Array.from({ length: 500 }, (_, i) => i + 1);
  const out = () => new Int16Array(FRAME_SAMPLES);

  test('begins anew at its end without a gap', () => {
    const sound = new LoopedSound();
    sound.play(ramp);
    const frames = Array.from({ length: 7 }, () => [...sound.pull(undefined, out())!]).flat();
    for (let i = 40; i < frames.length; i++) expect(frames[i]).toBe((i % 500) + 1);
  });

  test('is silent while something is said, and goes on where it stopped', () => {
    const sound = new LoopedSound();
    sound.play(ramp);
    sound.pull(undefined, out());
    const said = new Int16Array(FRAME_SAMPLES);
    const first = [...sound.pull(said, out())!];
    expect(first.slice(0, 40).some((s) => s > 0)).toBe(true);
    expect(first.slice(40).every((s) => s === 0)).toBe(true);
    expect(sound.pull(said, out())).toBe(said);
    expect(sound.pull(undefined, out())![100]).toBe(160 + 100 + 1);
  });

  test('stops within one frame', () => {
    const sound = new LoopedSound();
    sound.play(tone(8000, 300));
    for (let i = 0; i < 3; i++) sound.pull(undefined, out());
    sound.play(undefined);
    expect([...sound.pull(undefined, out())!.subarray(40)].every((s) => s === 0)).toBe(true);
    expect(sound.pull(undefined, out())).toBeUndefined();
  });

  test('as music is quieter than speech, has no seam, and lies in shared memory', () => {
    const music = holdMusic();
    expect(levelDb(music)).toBeGreaterThan(-32);
    expect(levelDb(music)).toBeLessThan(-18);
    const steps = Array.from(music, (s, i) => Math.abs(music[(i + 1) % music.length]! - s));
    const largest = (all: readonly number[]) => all.reduce((a, b) => Math.max(a, b));
    expect(steps.at(-1)).toBeLessThanOrEqual(largest(steps.slice(0, -1)));
    expect(largest([...music].map(Math.abs))).toBeLessThan(20_000);
    expect(music.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(levelDb(ringingTone(), 0, 16_000)).toBeGreaterThan(-28);
    expect(levelDb(ringingTone(), 16_000)).toBe(-100);
  });
});
