import { describe, expect, test } from 'vitest';
import { Concealment } from '../../src/media/inbound/concealment.ts';
import { levelDb } from '../../src/media/level.ts';
import { babble } from './echo-room.ts';
import { tone } from './support.ts';

const FRAME = 160;

/** Plays `pcm` with the given frames lost; what the listener hears. */
function listen(pcm: Int16Array, lost: number[]): Int16Array {
  const concealment = new Concealment();
  const out = pcm.slice();
  for (let frame = 0; frame * FRAME < out.length; frame++) {
    if (lost.includes(frame)) concealment.conceal(out, frame * FRAME, FRAME);
    else concealment.good(out, frame * FRAME, FRAME);
  }
  return out;
}

/** A voice-like sound: harmonics of a pitch. */
function vowel(samples: number, hz: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => {
    let sum = 0;
    for (let h = 1; h <= 8; h++) sum += Math.sin((2 * Math.PI * hz * h * i) / 8000) / h;
    return Math.round(5000 * sum);
  });
}

/** Signal to noise in 10 ms segments where something was lost or blended, each between -10 and 35 dB, mean. */
function segmentalSnr(clean: Int16Array, heard: Int16Array, lost: number[]): number {
  const values: number[] = [];
  for (const frame of lost) {
    for (let at = frame * FRAME; at < (frame + 1) * FRAME; at += 80) {
      let signal = 1;
      let noise = 1;
      for (let i = at; i < at + 80; i++) {
        signal += clean[i]! ** 2;
        noise += (clean[i]! - heard[i]!) ** 2;
      }
      values.push(Math.max(-10, Math.min(35, 10 * Math.log10(signal / noise))));
    }
  }
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Distance of log spectra in 16 bands of 250 Hz, dB, over the frames lost and their seams: what ears mind more than phase. */
function spectralDistance(clean: Int16Array, heard: Int16Array, lost: number[]): number {
  let sum = 0;
  const windows = [...new Set(lost.flatMap((frame) => [frame - 0.5, frame, frame + 0.5]))];
  for (const frame of windows) {
    for (let band = 0; band < 16; band++) {
      const hz = band * 250 + 125;
      const power = (pcm: Int16Array) => {
        let re = 0;
        let im = 0;
        for (let i = 0; i < FRAME; i++) {
          const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME);
          re += pcm[frame * FRAME + i]! * window * Math.cos((2 * Math.PI * hz * i) / 8000);
          im += pcm[frame * FRAME + i]! * window * Math.sin((2 * Math.PI * hz * i) / 8000);
        }
        return 10 * Math.log10(re * re + im * im + 1000);
      };
      sum += Math.abs(power(clean) - power(heard));
    }
  }
  return sum / windows.length / 16;
}

describe('against what others do', () => {
  const speech = [110, 160, 220].map((pitch, i) => babble(20_000, 3 + i, pitch, -20));

  test.each([1, 2, 3])('bursts of %i packets sound nearer to what was said than silence or repetition', (burst) => {
    const scores = { snr: [0, 0, 0], distance: [0, 0, 0] };
    for (const clean of speech) {
      const lost: number[] = [];
      // While somebody speaks: a loss in a gap is none.
      for (let frame = 7; frame + burst < clean.length / FRAME; frame += 13) {
        if (levelDb(clean, frame * FRAME - FRAME, FRAME * (burst + 1)) < -26) continue;
        for (let i = 0; i < burst; i++) lost.push(frame + i);
      }
      expect(lost.length).toBeGreaterThan(50);
      const silence = clean.slice();
      const repeated = clean.slice();
      for (const frame of lost) {
        silence.fill(0, frame * FRAME, (frame + 1) * FRAME);
        repeated.copyWithin(frame * FRAME, (frame - 1) * FRAME, frame * FRAME);
      }
      for (const [i, heard] of [listen(clean, lost), silence, repeated].entries()) {
        scores.snr[i]! += segmentalSnr(clean, heard, lost) / speech.length;
        scores.distance[i]! += spectralDistance(clean, heard, lost) / speech.length;
      }
    }
    const figures = JSON.stringify(scores);
    if (process.env.FIGURES) process.stderr.write(`burst ${burst}: ${figures}\n`);
    const [snr, distance] = [scores.snr, scores.distance];
    expect(snr[0], figures).toBeGreaterThan(snr[2]! + 1);
    expect(distance[0], figures).toBeLessThan(distance[1]! / 2);
    expect(distance[0], figures).toBeLessThan(distance[2]!);
  });
});

describe('a lost packet', () => {
  test.each([80, 110, 160, 195])('in a voice of %i Hz is filled so that it is hardly missed', (hz) => {
    const clean = vowel(20 * FRAME, hz);
    const heard = listen(clean, [10]);
    const error = heard.map((sample, i) => sample - clean[i]!);
    const worst = levelDb(error, 10 * FRAME, FRAME) - levelDb(clean, 10 * FRAME, FRAME);
    expect(worst).toBeLessThan(-6);
    expect(levelDb(heard, 10 * FRAME, FRAME)).toBeGreaterThan(levelDb(clean) - 3);
  });

  test('leaves no click at either end', () => {
    const clean = vowel(20 * FRAME, 130);
    const heard = listen(clean, [8, 12, 13]);
    const steepest = (pcm: Int16Array) =>
      pcm.reduce((max, s, i) => (i === 0 ? 0 : Math.max(max, Math.abs(s - pcm[i - 1]!))), 0);
    expect(steepest(heard)).toBeLessThan(steepest(clean) * 1.3);
  });

  test('a long loss fades out within 60 ms and comes back at once', () => {
    const heard = listen(tone(30 * FRAME, 200), [10, 11, 12, 13, 14, 15]);
    expect(levelDb(heard, 12 * FRAME, FRAME)).toBeLessThan(levelDb(heard, 10 * FRAME, FRAME) - 6);
    expect(levelDb(heard, 14 * FRAME, FRAME)).toBe(-100);
    expect(levelDb(heard, 17 * FRAME, FRAME)).toBeGreaterThan(-20);
  });

  test('in silence stays silence', () => {
    expect(levelDb(listen(new Int16Array(10 * FRAME), [3, 4]))).toBe(-100);
    const concealment = new Concealment();
    const frame = tone(FRAME, 300);
    concealment.good(frame, 0, FRAME);
    concealment.silent();
    concealment.conceal(frame, 0, FRAME);
    expect(levelDb(frame)).toBe(-100);
  });
});
