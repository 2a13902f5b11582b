import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { saturated } from '../../src/media/audio.ts';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { type KeyTone, KeyTones } from '../../src/media/keys/key-tones.ts';
import { seededRandom } from '../support/phone/impairments.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { readWav } from '../support/phone/wav.ts';

const voices = new VoiceBox();
afterAll(() => voices.close());

const KEYS = ['123A', '456B', '789C', '*0#D'].join('');
const pairOf = (key: string) => {
  const at = KEYS.indexOf(key);
  return [[697, 770, 852, 941][Math.floor(at / 4)]!, [1209, 1336, 1477, 1633][at % 4]!] as const;
};

function told(pcm: Int16Array): KeyTone[] {
  const detector = new KeyTones();
  const all: KeyTone[] = [];
  for (let at = 0; at + 160 <= pcm.length; at += 160) {
    const one = detector.push(pcm.subarray(at, at + 160), (at + 160) / 8);
    if (one) all.push(one);
  }
  return all;
}
const keysIn = (pcm: Int16Array) =>
  told(pcm)
    .filter(({ state }) => state === 'down')
    .map(({ digit }) => digit)
    .join('');

const silence = (ms: number) => new Int16Array(Math.round(ms * 8));
const joined = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

/** `low` and `high` in dBFS each; `off`: how far from its place each is, as a share. */
function press(key: string, ms: number, low = -13, high = -11, off: readonly [number, number] = [0, 0]): Int16Array {
  const [row, column] = pairOf(key);
  const wave = (hz: number, dbfs: number, i: number) =>
    32767 * 10 ** (dbfs / 20) * Math.sin((2 * Math.PI * hz * i) / 8000 + 1);
  return Int16Array.from({ length: Math.round(ms * 8) }, (_, i) =>
    saturated(Math.round(wave(row * (1 + off[0]), low, i) + wave(column * (1 + off[1]), high, i))),
  );
}

/** As a gateway gives it: white noise that many dBFS, and mu-law. */
function onTheLine(pcm: Int16Array, noiseDbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  const peak = 32768 * 10 ** (noiseDbfs / 20) * Math.sqrt(3);
  return Int16Array.from(pcm, (sample) => {
    const noisy = Math.round(Math.max(-32768, Math.min(32767, sample + (random() * 2 - 1) * peak)));
    return PCMU.toLinear[PCMU.fromLinear[noisy & 0xffff]!]!;
  });
}

describe('a key that is heard as tones', () => {
  it('is told once, whichever it is, when it began and when it was let go (tones by sox)', () => {
    const parts = [...KEYS].flatMap((key) => {
      const [low, high] = pairOf(key);
      return [
        [
          'synth',
          '0.09',
          'sine',
          String(low),
          'sine',
          String(high),
          'remix',
          '-',
          'gain',
          '-n',
          '-9',
          'pad',
          '0',
          '0.07',
        ],
      ];
    });
    const format = ['-r', '8000', '-b', '16', '-e', 'signed', '-t', 'raw', '-'];
    const sounds = parts.map((effects) => {
      const raw = execFileSync('sox', ['-n', ...format, ...effects], { maxBuffer: 2 ** 20 });
      return new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length - (raw.length % 2)));
    });
    const all = told(joined(silence(55), ...sounds, silence(100)));
    const downs = all.filter(({ state }) => state === 'down');
    const ups = all.filter(({ state }) => state === 'up');
    expect([downs, ups].map((some) => some.map(({ digit }) => digit).join(''))).toEqual([KEYS, KEYS]);
    for (const [i, { since, until }] of ups.entries()) {
      const began = 55 + i * 160;
      expect(Math.abs(since - began)).toBeLessThanOrEqual(20);
      expect(Math.abs(until - (began + 90))).toBeLessThanOrEqual(20);
    }
  });

  it('is found as Q.24 asks: from 40 ms on, 1.5 % beside its place, one tone 8 or 4 dB louder, in noise', () => {
    const presses = fc.record({
      key: fc.constantFrom(...KEYS),
      ms: fc.integer({ min: 45, max: 300 }),
      low: fc.integer({ min: -28, max: -8 }),
      twist: fc.integer({ min: -8, max: 4 }),
      off: fc.tuple(fc.constantFrom(-0.015, 0, 0.015), fc.constantFrom(-0.015, 0, 0.015)),
      lead: fc.integer({ min: 0, max: 159 }),
      snr: fc.integer({ min: 18, max: 60 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(presses, ({ key, ms, low, twist, off, lead, snr, seed }) => {
        const one = press(key, ms, low, low + twist, off);
        const pcm = joined(silence(60 + lead / 8), one, silence(60), one, silence(80));
        expect(keysIn(onTheLine(pcm, Math.min(low, low + twist) - snr, seed))).toBe(key + key);
      }),
      { numRuns: 150 },
    );
  });

  it('is one key through the gap of a lost packet that was concealed, and through a click', () => {
    const one = press('5', 200);
    one.fill(0, 900, 980);
    expect(keysIn(joined(silence(40), one, silence(80)))).toBe('5');
  });

  it('has to be where a key is: not 20 ms long, not 3.5 % beside, not one tone alone, not of a telephone network', () => {
    expect(keysIn(joined(silence(50), press('5', 20), silence(80)))).toBe('');
    for (const off of [-0.035, 0.035]) {
      expect(keysIn(joined(silence(50), press('5', 200, -13, -13, [off, 0]), silence(80)))).toBe('');
      expect(keysIn(joined(silence(50), press('5', 200, -13, -13, [0, off]), silence(80)))).toBe('');
    }
    expect(keysIn(joined(silence(50), press('1', 200, -13, -90), silence(50), press('1', 200, -90, -13)))).toBe('');
    const tones = (...hz: number[]) =>
      Int16Array.from({ length: 4000 }, (_, i) =>
        Math.round(hz.reduce((sum, one) => sum + 6000 * Math.sin((2 * Math.PI * one * i) / 8000), 0)),
      );
    // Dial tone, ring-back, busy, SIT, a fax, a modem, a beep.
    for (const hz of [[350, 440], [440, 480], [480, 620], [950], [1400], [1800], [1100], [2100], [1000]]) {
      expect([hz, keysIn(tones(...hz))]).toEqual([hz, '']);
    }
  });
});

describe('speech', () => {
  it('is no key: 25 minutes of a human voice, as loud as it is and shouted', () => {
    const files = globSync('/usr/share/asterisk/sounds/en_US_f_Allison/**/*.wav');
    expect(files.length).toBeGreaterThan(400);
    let seconds = 0;
    const found: string[] = [];
    for (const file of files) {
      const { pcm, sampleRate } = readWav(readFileSync(file));
      expect(sampleRate).toBe(8000);
      seconds += pcm.length / 8000;
      const keys = keysIn(pcm) + keysIn(Int16Array.from(pcm, (one) => Math.max(-32768, Math.min(32767, one * 3))));
      if (keys !== '') found.push(`${file} ${keys}`);
    }
    expect(seconds).toBeGreaterThan(1_200);
    expect(found).toEqual([]);
  });

  it('is no key in the voices of the tests and of the bot either', async () => {
    const lines = [
      'please block my card, the one ending in four four nine two',
      'what is my balance, and who are you anyway',
      'one two three four five six seven eight nine zero oh',
      'you are in line, thank you for waiting, whoever you are',
    ];
    for (const voice of ['slt', 'rms', 'awb', 'kal'] as const) {
      for (const line of lines)
        expect([voice, line, keysIn(await voices.speak(line, voice))]).toEqual([voice, line, '']);
    }
  });
});
