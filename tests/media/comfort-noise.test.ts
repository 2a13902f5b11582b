import { describe, expect, test } from 'vitest';
import { ComfortNoise } from '../../src/media/comfort-noise.ts';
import { InboundAudio } from '../../src/media/inbound-audio.ts';
import { levelDb } from '../../src/media/level.ts';
import { datagram, tone } from './support.ts';

function noise(...payload: number[]): Int16Array {
  const source = new ComfortNoise();
  source.update(Uint8Array.from(payload), 0, payload.length);
  const out = new Int16Array(16_000);
  source.fill(out, 0, out.length);
  return out;
}

/** Energy of differences over energy: small when low frequencies prevail. */
const brightness = (pcm: Int16Array) => {
  let steps = 0;
  let all = 0;
  for (let i = 1; i < pcm.length; i++) {
    steps += (pcm[i]! - pcm[i - 1]!) ** 2;
    all += pcm[i]! ** 2;
  }
  return steps / all;
};

describe('the noise behind a caller who is silent', () => {
  test.each([30, 45, 60])('has the level that the phone named: -%i dBov', (level) => {
    expect(Math.abs(levelDb(noise(level)) + level)).toBeLessThan(1.5);
    // Coloured noise as well: the filter's gain is made up for.
    expect(Math.abs(levelDb(noise(level, 127 + 60, 127 - 20)) + level)).toBeLessThan(2.5);
  });

  test('has the colour that the phone named, and none when it named none', () => {
    expect(brightness(noise(40))).toBeGreaterThan(1.8);
    const dark = brightness(noise(40, 127 - 100));
    const bright = brightness(noise(40, 127 + 100));
    expect(Math.min(dark, bright)).toBeLessThan(0.8);
    expect(Math.max(dark, bright)).toBeGreaterThan(3);
  });

  test('any description is bearable: never beyond full scale, never a howl', () => {
    for (let k = 0; k < 256; k += 15) {
      const pcm = noise(20, k, 255 - k, k, 255, 0, k);
      expect(levelDb(pcm)).toBeLessThan(-8);
    }
  });

  test('fills the pauses of silence suppression and ends with the next word', () => {
    const inbound = new InboundAudio(20_000, { started: () => {}, dtmf: () => {}, timeout: () => {} });
    const place = { address: '192.0.2.1', port: 4000, ptimeMs: 20, send: true, receive: true };
    inbound.connect({ ...place, codec: 'PCMU', payloadType: 0, comfortNoisePayloadType: 13 }, 0);
    const levels: (number | undefined)[] = [];
    for (let tick = 0; tick < 150; tick++) {
      const at = tick * 20;
      const timestamp = tick * 160;
      const send = (fields: object) =>
        inbound.datagram(datagram({ sequence: sequence++, timestamp, ...fields }), '192.0.2.1', 4000, at);
      if (tick < 40 || tick >= 100) send({ payload: new Uint8Array(160).fill(0x90) });
      else if (tick === 40) send({ payloadType: 13, payload: Uint8Array.of(50) });
      const frame = inbound.frame(at + 5);
      levels.push(frame && levelDb(frame));
    }
    for (let tick = 50; tick < 98; tick++) expect(Math.abs(levels[tick]! + 50)).toBeLessThan(4);
    for (let tick = 110; tick < 150; tick++) expect(levels[tick]).toBeGreaterThan(-25);
    expect(inbound.jitter.reception.lost).toBe(0);
  });

  test('is silence before anything was described', () => {
    const out = tone(160, 300);
    new ComfortNoise().fill(out, 0, 160);
    expect(levelDb(out)).toBe(-100);
  });
});

let sequence = 0;
