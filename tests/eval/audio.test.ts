import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { levelled, speechLevel, voicedSpan } from '../../scripts/eval/audio/levels.ts';
import { babble, cough, doorSlam, mixed, noiseLevelFor, whiteNoise } from '../../scripts/eval/audio/noise.ts';
import { joinWithPauses } from '../../scripts/eval/audio/pauses.ts';
import { atRate } from '../../scripts/eval/audio/stretch.ts';
import { Microphone } from '../../scripts/eval/play/microphone.ts';
import { decode, encode } from '../support/phone/g711.ts';
import { isVoiced, levelDbfs, WINDOW } from '../support/phone/level.ts';
import { buildRtp } from '../support/phone/rtp-packet.ts';
import { tone, VoiceBox } from '../support/phone/voice.ts';

const quietEnds = (pcm: Int16Array, ms: number) => {
  const padded = new Int16Array(pcm.length + 16 * ms);
  padded.set(pcm, 8 * ms);
  return padded;
};

/** Lengths of the unvoiced stretches between voiced windows, ms. */
function gapsOf(pcm: Int16Array): number[] {
  const gaps: number[] = [];
  let silent = 0;
  let spoken = false;
  for (let at = 0; at + WINDOW <= pcm.length; at += WINDOW) {
    if (!isVoiced(levelDbfs(pcm, at, at + WINDOW))) silent += 10;
    else {
      if (spoken && silent > 0) gaps.push(silent);
      spoken = true;
      silent = 0;
    }
  }
  return gaps;
}

describe('a pause inside a sentence', () => {
  it('has exactly the length that was asked for, whatever silence the pieces bring along', () => {
    const pieces = fc.record({ ms: fc.integer({ min: 5, max: 60 }), ends: fc.integer({ min: 0, max: 40 }) });
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 2, maxLength: 4 }), fc.integer({ min: 10, max: 150 }), (all, tens) => {
        const audio = all.map(({ ms, ends }) => quietEnds(tone(440, ms * 10), ends * 10));
        const wanted = audio.slice(1).map((_, i) => (tens + i) * 10);
        const joined = joinWithPauses(audio, wanted);
        expect(gapsOf(joined.pcm)).toEqual(wanted);
        expect(joined.pauses.map(({ from, to }) => (to - from) / 8)).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  it('is where it is said to be in real speech', async () => {
    const voices = new VoiceBox();
    try {
      const pieces = [await voices.speak('what is my', 'rms'), await voices.speak('account balance', 'rms')];
      const { pcm, pauses } = joinWithPauses(pieces, [700]);
      const { from, to } = pauses[0]!;
      expect(gapsOf(pcm)).toContain(700);
      expect(voicedSpan(pcm.subarray(from, to))).toBeUndefined();
      expect(isVoiced(levelDbfs(pcm, from - WINDOW, from))).toBe(true);
      expect(isVoiced(levelDbfs(pcm, to, to + WINDOW))).toBe(true);
    } finally {
      await voices.close();
    }
  });

  it('cannot follow silence', () => {
    expect(() => joinWithPauses([new Int16Array(800), tone(440, 100)], [200])).toThrow(/silent/);
  });
});

describe('noise', () => {
  const speech = levelled(tone(440, 2000));

  it.each([20, 15, 10])('has the signal-to-noise ratio that was asked for: %i dB', (snr) => {
    const level = speechLevel(speech)!;
    const white = whiteNoise(4, noiseLevelFor(snr), 7);
    expect(level - levelDbfs(white)).toBeCloseTo(snr, 0);
    const talkers = [tone(300, 700), tone(500, 900), tone(900, 1100)].map((pcm) => levelled(pcm));
    const many = babble(talkers, 4, noiseLevelFor(snr), 7);
    expect(level - levelDbfs(many)).toBeCloseTo(snr, 0);
    const both = mixed(new Int16Array(8000), white);
    expect(levelDbfs(both)).toBeCloseTo(levelDbfs(white, 0, 8000), 1);
  });

  it('is the same for the same seed, and another for another', () => {
    for (const make of [(seed: number) => whiteNoise(0.1, -30, seed), cough, doorSlam]) {
      expect(make(3)).toEqual(make(3));
      expect(make(3)).not.toEqual(make(4));
    }
  });

  it('of a cough and a door is loud enough to be noticed and short enough to be no speech', () => {
    for (const burst of [cough(1), doorSlam(1)]) {
      const span = voicedSpan(burst)!;
      expect((span.to - span.from) / 8).toBeGreaterThan(30);
      expect((span.to - span.from) / 8).toBeLessThan(450);
    }
  });
});

describe('the speaking rate', () => {
  it.each([0.85, 1.15, 1.25])('%f changes the length and not the pitch', (rate) => {
    const before = tone(200, 2000);
    const after = atRate(before, rate);
    expect(after.length / before.length).toBeCloseTo(1 / rate, 2);
    const crossings = (pcm: Int16Array) => pcm.filter((sample, i) => i > 0 && sample >= 0 && pcm[i - 1]! < 0).length;
    const middle = after.subarray(800, after.length - 800);
    expect(crossings(middle) / (middle.length / 8000)).toBeCloseTo(200, -1);
  });
});

describe('the room around the phone', () => {
  const packet = (pcm: Int16Array, timestamp: number, payloadType = 0) =>
    buildRtp({ payloadType, marker: false, sequence: 1, timestamp, ssrc: 1, payload: encode('PCMU', pcm) });
  const sent = (microphone: Microphone, i: number) =>
    decode('PCMU', microphone.through(packet(new Int16Array(160), i * 160), 20 * i).subarray(12));

  it('brings what the caller hears back into the microphone, later and quieter', () => {
    const microphone = new Microphone({ echo: { attenuationDb: 12, delayMs: 100 } });
    const levels = [];
    for (let i = 0; i < 15; i++) {
      if (i < 10) microphone.heard(tone(440, 20));
      levels.push(levelDbfs(sent(microphone, i)));
    }
    expect(Math.max(...levels.slice(0, 4))).toBeLessThan(-70);
    // Three direct and reflected paths of a steady tone may add up or cancel by some dB.
    for (const level of levels.slice(6, 12)) expect(level).toBeGreaterThan(-15 - 12 - 8);
    for (const level of levels) expect(level).toBeLessThan(-15 - 12 + 6);
  });

  it('keeps the delay of its echo when packets come in lumps, and gets it back after a gap', () => {
    const click = (at: number) => Int16Array.from({ length: 160 }, (_, i) => (i === at ? 20_000 : 0));
    const quiet = new Int16Array(160);
    const microphone = new Microphone({ echo: { attenuationDb: 0, delayMs: 100 } });
    const levels = (from: number, to: number) => {
      const found: number[] = [];
      for (let i = from; i < to; i++) if (levelDbfs(sent(microphone, i)) > -40) found.push(i);
      return found;
    };
    microphone.heard(quiet);
    expect(levels(0, 1)).toEqual([]);
    // Three frames late, then four at once: the click lies in the second that was heard, so it sounds 5 frames later.
    expect(levels(1, 4)).toEqual([]);
    for (const pcm of [click(40), quiet, quiet, quiet]) microphone.heard(pcm);
    expect(levels(4, 12)).toEqual([6]);
    // Everything was played, and the caller has heard nothing more for a while.
    expect(levels(12, 30)).toEqual([]);
    microphone.heard(click(40));
    expect(levels(30, 40)).toEqual([35]);
  });

  it('adds its noise to silence and leaves keys alone', () => {
    const microphone = new Microphone({ noise: whiteNoise(1, -30, 1) });
    const silence = packet(new Int16Array(160), 320);
    expect(levelDbfs(decode('PCMU', microphone.through(silence, 0).subarray(12)))).toBeCloseTo(-30, -0.5);
    const key = packet(tone(440, 20), 320, 101);
    expect(microphone.through(key, 0)).toEqual(key);
  });
});
