import { describe, expect, it } from 'vitest';
import { NoiseReduction } from '../../src/speech/noise/noise-reduction.ts';
import { lineNoise } from './support/telephone.ts';

/** All of a segment, in packets of `packet` samples. */
function reduced(reduction: NoiseReduction, pcm: Int16Array, packet = 160): number[] {
  reduction.begin();
  const out: number[] = [];
  for (let at = 0; at < pcm.length; at += packet) out.push(...reduction.process(pcm.subarray(at, at + packet)));
  out.push(...reduction.finish());
  return out;
}

const level = (samples: readonly number[]) =>
  10 * Math.log10(samples.reduce((sum, sample) => sum + sample ** 2, 1) / samples.length / 32768 ** 2);

/** A second of noise, and in its second half a tone, as loud as speech. */
function toneInNoise(amplitude: number): Int16Array {
  const pcm = lineNoise(1000, amplitude);
  for (let i = 4000; i < 8000; i++) pcm[i] = pcm[i]! + Math.round(4000 * Math.sin((2 * Math.PI * 440 * i) / 8000));
  return pcm;
}

describe('noise reduction', () => {
  it('leaves speech on a quiet line as it is, one window later', () => {
    const pcm = toneInNoise(12);
    const reduction = new NoiseReduction();
    const out = reduced(reduction, pcm);
    expect(out.slice(128, 128 + pcm.length)).toEqual([...pcm]);
    expect(reduction.snrDb).toBeUndefined();
  });

  it('takes steady noise down by 15 dB and more, and keeps what stands out of it', () => {
    const pcm = toneInNoise(800);
    const out = reduced(new NoiseReduction(), pcm);
    expect(level(out.slice(2000, 3800))).toBeLessThan(level([...pcm.subarray(2000, 3800)]) - 15);
    expect(Math.abs(level(out.slice(5000, 7900)) - level([...pcm.subarray(5000, 7900)]))).toBeLessThan(1.5);
  });

  it('tells how far the speech stands out', () => {
    const reduction = new NoiseReduction();
    reduced(reduction, toneInNoise(800));
    // a sine of 4000 is 2828 RMS, uniform noise of 800 is 462: 15.7 dB
    expect(reduction.snrDb).toBeGreaterThan(14);
    expect(reduction.snrDb).toBeLessThan(18);
  });

  it('tells how far it stands out of voices that breathe just before it, and not how far out of their breath', () => {
    const pcm = toneInNoise(800);
    for (let i = 1000; i < 1300; i++) pcm[i] = Math.round(pcm[i]! / 16);
    const reduction = new NoiseReduction();
    reduced(reduction, pcm);
    expect(reduction.snrDb ?? 99).toBeGreaterThan(20);
    expect(reduction.aboveRoomDb).toBeGreaterThan(14);
    expect(reduction.aboveRoomDb).toBeLessThan(18);
    reduced(reduction, toneInNoise(12));
    expect(reduction.aboveRoomDb).toBeUndefined();
  });

  it('tells a steady background from one that comes and goes, and from none, before anyone speaks', () => {
    const background = (pcm: Int16Array) => {
      const reduction = new NoiseReduction();
      reduction.begin();
      expect(reduction.background).toBeUndefined();
      for (let at = 0; at < 2400; at += 160) reduction.process(pcm.subarray(at, at + 160));
      return reduction.background;
    };
    expect(background(toneInNoise(12))).toBe('quiet');
    expect(background(toneInNoise(800))).toBe('steady');
    // somebody else speaks: syllables of 100 ms
    const voices = lineNoise(1000, 800).map((sample, i) => sample * (Math.floor(i / 800) % 2 === 0 ? 1 : 0.3));
    expect(background(voices)).toBe('restless');
    // a lost packet is no change of the background
    const lost = toneInNoise(800);
    lost.fill(0, 960, 1120);
    expect(background(lost)).toBe('steady');
  });

  it('gives the same whatever the size of the packets, and starts afresh with each segment', () => {
    const reduction = new NoiseReduction();
    const once = reduced(reduction, toneInNoise(500));
    reduced(reduction, lineNoise(700, 8000));
    expect(reduced(reduction, toneInNoise(500), 77)).toEqual(once);
  });
});
