import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { InboundAudio } from '../../src/media/inbound/inbound-audio.ts';
import { lengthen, shorten } from '../../src/media/inbound/time-scale.ts';
import { babble } from './echo-room.ts';
import { datagram, NO_HOOKS, tone } from './support.ts';

/** A caller whose clock runs off by `ppm`, for `seconds` of our time; `sound` is said over and over. */
function call(ppm: number, seconds: number, sound: Int16Array, jitterMs = 0) {
  const inbound = new InboundAudio(20_000, NO_HOOKS);
  inbound.connect(
    { address: '192.0.2.1', port: 4000, codec: 'PCMU', payloadType: 0, ptimeMs: 20, send: true, receive: true },
    0,
  );
  const octets = Uint8Array.from(sound, (s) => PCMU.fromLinear[s & 0xffff]!);
  const between = 20 / (1 + ppm / 1e6);
  let seed = 1;
  let sent = 0;
  let silent = 0;
  let steepest = 0;
  let last: number | undefined;
  let worst = 0;
  let late = 0;
  for (let tick = 1; tick <= seconds * 50; tick++) {
    const now = tick * 20;
    for (; sent * between + jitterMs < now; sent++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const at = (sent * 160) % octets.length;
      const data = datagram({ sequence: sent, timestamp: sent * 160, payload: octets.subarray(at, at + 160) });
      inbound.datagram(data, '192.0.2.1', 4000, sent * between + (jitterMs * seed) / 2 ** 32);
    }
    const frame = inbound.frame(now);
    if (tick < 10) continue;
    if (frame === undefined) silent++;
    else {
      for (const sample of frame) {
        if (last !== undefined) steepest = Math.max(steepest, Math.abs(sample - last));
        last = sample;
      }
    }
    worst = Math.max(worst, inbound.jitter.delayMs);
    late = inbound.jitter.delayMs;
  }
  return { inbound, silent, steepest, worst, late };
}

const steepestOf = (pcm: Int16Array) =>
  pcm.reduce((max, s, i) => (i === 0 ? 0 : Math.max(max, Math.abs(s - pcm[i - 1]!))), 0);

describe('a caller whose clock is not ours', () => {
  test.each([200, -200])(
    '%i ppm, for an hour of speech without a pause: nothing is lost, no click, no delay grows',
    (ppm) => {
      // A vowel of 125 Hz, five periods long: said over and over without a seam.
      const harmonics = [0.2, 0.1, 0.06, 0.03].map((level, i) => tone(320, 125 * (i + 1), level));
      const sound = Int16Array.from({ length: 320 }, (_, i) => harmonics.reduce((sum, pcm) => sum + pcm[i]!, 0));
      const { inbound, silent, steepest, worst, late } = call(ppm, 3600, sound);
      expect(silent).toBe(0);
      expect(inbound.concealed).toBe(0);
      expect(inbound.jitter.discarded).toBe(0);
      // 720 ms of drift, in periods of 5 to 15 ms.
      expect(inbound.corrections).toBeGreaterThan(45);
      expect(inbound.corrections).toBeLessThan(200);
      expect(worst).toBeLessThan(70);
      expect(late).toBeLessThan(50);
      expect(steepest).toBeLessThan(steepestOf(sound) * 1.6);
    },
  );

  test.each([200, -200])('%i ppm, over a network with 15 ms of jitter, ten minutes of conversation', (ppm) => {
    const { inbound, worst } = call(ppm, 600, babble(12_000, 4, 120, -20), 15);
    expect(inbound.jitter.discarded).toBe(0);
    // Each miss would be 20 ms of concealment.
    expect(inbound.concealed).toBeLessThan(30);
    expect(worst).toBeLessThan(90);
  });

  test('a clock that is right is left alone', () => {
    const { inbound } = call(0, 120, tone(160, 250));
    expect(inbound.corrections).toBeLessThan(6);
    expect(inbound.concealed).toBe(0);
  });
});

describe('a pitch period left out or put in', () => {
  test('changes the length by 5 to 15 ms, keeps both ends, and is refused where the sound does not repeat', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 80, max: 350 }),
        fc.boolean(),
        fc.constantFrom(160, 240, 320),
        (hz, longer, length) => {
          const pcm = new Int16Array(length + 200);
          pcm.set(tone(length, hz), 20);
          const before = pcm.slice();
          const changed = (longer ? lengthen : shorten)(pcm, 20, length, true);
          expect(Math.abs(changed - length)).toBeGreaterThanOrEqual(40);
          expect(Math.abs(changed - length)).toBeLessThanOrEqual(120);
          expect(Math.sign(changed - length)).toBe(longer ? 1 : -1);
          expect(pcm[20]).toBe(before[20]);
          expect(Math.abs(pcm[20 + changed - 1]! - before[20 + length - 1]!)).toBeLessThan(400);
          expect([...pcm.subarray(0, 20)]).toEqual([...before.subarray(0, 20)]);
        },
      ),
    );
    let seed = 3;
    const noise = Int16Array.from({ length: 400 }, () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed >>> 17) - 16_384;
    });
    expect(shorten(noise, 0, 160, false)).toBe(160);
    expect(lengthen(noise, 0, 160, false)).toBe(160);
  });
});
