import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { AudioDecoder, AudioEncoder, Codec } from '../../src/media/codecs/codec.ts';
import { codecNamed } from '../../src/media/codecs/index.ts';
import { InboundAudio } from '../../src/media/inbound/inbound-audio.ts';
import { levelDb } from '../../src/media/level.ts';
import { babble } from './echo-room.ts';
import { datagram, NO_HOOKS, tone } from './support.ts';

const G722 = codecNamed('G722');
const OPUS = codecNamed('opus');

const open: (AudioDecoder | AudioEncoder)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
function decoderOf(codec: Codec): AudioDecoder {
  const decoder = codec.decoder();
  open.push(decoder);
  return decoder;
}
function encoderOf(codec: Codec, packetSamples = 160, format?: string): AudioEncoder {
  const encoder = codec.encoder(packetSamples, format);
  open.push(encoder);
  return encoder;
}

/** Packets of `pcm`, in chunks of 10 ms as a pacer with another frame might cut it. */
function packets(codec: Codec, pcm: Int16Array, packetSamples = 160, format?: string): Uint8Array[] {
  const encoder = encoderOf(codec, packetSamples, format);
  const out: Uint8Array[] = [];
  for (let at = 0; at + packetSamples <= pcm.length; at += packetSamples) {
    const bytes = new Uint8Array(1275);
    let length = 0;
    for (let i = 0; i < packetSamples; i += 80) length += encoder.encode(pcm, at + i, 80, bytes, length);
    out.push(bytes.slice(0, length));
  }
  return out;
}

function decode(codec: Codec, payloads: Uint8Array[]): Int16Array {
  const decoder = decoderOf(codec);
  const out = new Int16Array(payloads.length * 960);
  let at = 0;
  for (const payload of payloads) at += decoder.decode(payload, 0, payload.length, out, at);
  return out.subarray(0, at);
}

/** Signal to noise of `heard`, shifted by the delay and scaled by the gain that fit best, dB. */
function fidelity(said: Int16Array, heard: Int16Array, maxDelay = 120): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let delay = 0; delay <= maxDelay; delay++) {
    const n = Math.min(said.length, heard.length - delay) - 800;
    let cross = 0;
    let own = 0;
    let other = 0;
    for (let i = 800; i < n; i++) {
      cross += said[i]! * heard[i + delay]!;
      own += said[i]! ** 2;
      other += heard[i + delay]! ** 2;
    }
    const coherent = (cross * cross) / (own * other);
    best = Math.max(best, 10 * Math.log10(coherent / (1 - coherent)));
  }
  return best;
}

describe('G.722', () => {
  /** As tried with SpanDSP 2 (its 8 kHz mode), whose output the hashes below are of. */
  function reference(): { pcm: Int16Array; noise: Uint8Array } {
    let seed = 1;
    const random = () => {
      seed = Number((BigInt(seed) * 1103515245n + 12345n) % 2n ** 31n);
      return seed >> 15;
    };
    const pcm = Int16Array.from({ length: 16_000 }, (_, n) => {
      const period = 20 + Math.floor(n / 200);
      const triangle = Math.floor((Math.abs((n % period) * 2 - period) * 2 * 12_000) / period) - 12_000;
      const noise = Math.floor((random() - 32_768) / (Math.floor(n / 1600) % 2 === 1 ? 4 : 40));
      if (n >= 6000 && n < 6400) return Math.floor(n / 20) % 2 === 1 ? 32_767 : -32_768;
      if (n >= 9000 && n < 10_500) return 0;
      return Math.max(-32_768, Math.min(32_767, triangle + noise));
    });
    return { pcm, noise: Uint8Array.from({ length: 8000 }, () => random() >> 8) };
  }
  const hash = (bytes: ArrayBufferView) =>
    createHash('sha256')
      .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      .digest('hex')
      .slice(0, 32);

  test('codes and decodes bit for bit as an independent implementation does', () => {
    const { pcm, noise } = reference();
    expect(hash(pcm)).toBe('a4ee46002d57816630b436188ba92fcc');
    const code = new Uint8Array(pcm.length);
    expect(encoderOf(G722).encode(pcm, 0, pcm.length, code, 0)).toBe(pcm.length);
    expect(hash(code)).toBe('b4c3f6bfb187b26dd80cab4f48b49ee7');
    const heard = new Int16Array(pcm.length);
    decoderOf(G722).decode(code, 0, code.length, heard, 0);
    expect(hash(heard)).toBe('46e8a068aac92629593a8ab83c0484a7');
    expect(hash(noise)).toBe('60665078fd3822a3f25c2eae406cc2f7');
    const anything = new Int16Array(noise.length);
    decoderOf(G722).decode(noise, 0, noise.length, anything, 0);
    expect(hash(anything)).toBe('d28a39189c6f67112da9663ec1d0d71c');
  });

  test('carries a voice better than G.711 does, and keeps silence silent', () => {
    const voice = babble(2000, 5, 120, -20);
    const said = fidelity(voice, decode(G722, packets(G722, voice)));
    expect(said).toBeGreaterThan(fidelity(voice, decode(codecNamed('PCMU'), packets(codecNamed('PCMU'), voice))) - 6);
    expect(said).toBeGreaterThan(25);
    expect(levelDb(decode(G722, packets(G722, new Int16Array(8000))), 800)).toBeLessThan(-70);
  });

  test('is cut anywhere: the pieces are the same as the whole', () => {
    const pcm = tone(960, 700);
    expect(Buffer.concat(packets(G722, pcm, 80))).toEqual(Buffer.concat(packets(G722, pcm, 480)));
  });
});

describe('Opus', () => {
  test.each([
    [10, 80],
    [20, 160],
    [40, 320],
    [60, 480],
  ])('carries a voice in packets of %i ms', (ms, samples) => {
    const voice = babble(2000, 6, 130, -20);
    const payloads = packets(OPUS, voice, samples);
    for (const payload of payloads) expect(OPUS.samplesIn(payload, 0, payload.length)).toBe(samples);
    const heard = decode(OPUS, payloads);
    expect(heard.length).toBe(Math.floor(voice.length / samples) * samples);
    expect(fidelity(voice, heard)).toBeGreaterThan(4);
    expect(Math.abs(levelDb(heard, 800) - levelDb(voice, 800))).toBeLessThan(2);
    expect(OPUS.packetMs(ms)).toBe(ms);
  });

  test('cannot send 30 or 50 ms and sends less', () => {
    expect([30, 50, 5].map((ms) => OPUS.packetMs(ms))).toEqual([20, 40, 10]);
  });

  test('conceals what is lost by its own means, for as long as the packets were', () => {
    const decoder = decoderOf(OPUS);
    const out = new Int16Array(960);
    expect(decoder.conceal!(out, 0, 160)).toBe(false);
    for (const payload of packets(OPUS, tone(1600, 300))) decoder.decode(payload, 0, payload.length, out, 0);
    const before = levelDb(out, 0, 160);
    expect(decoder.conceal!(out, 0, 320)).toBe(true);
    expect(levelDb(out, 0, 160)).toBeGreaterThan(before - 6);
    expect(decoder.conceal!(out, 0, 90)).toBe(false);
  });

  test('spends no more than the peer asked for, and adds redundancy when asked', () => {
    const voice = babble(3000, 7, 120, -20);
    const bytes = (format?: string) => packets(OPUS, voice, 160, format).reduce((sum, { length }) => sum + length, 0);
    expect(bytes('maxaveragebitrate=8000')).toBeLessThan(bytes() * 0.8);
    expect(bytes('stereo=0; useinbandfec=1')).toBeGreaterThan(bytes('stereo=0') * 1.1);
  });

  test('a lost packet is heard out of the one behind it when the sender says things twice', () => {
    const voice = babble(3000, 7, 120, -20);
    const plain = packets(OPUS, voice, 160, 'stereo=0');
    const redundant = packets(OPUS, voice, 160, 'stereo=0;useinbandfec=1');
    const whole = decode(OPUS, redundant);
    /** Of every tenth packet, lost: how near what is heard comes to what would have been. */
    function heardOfLost(payloads: Uint8Array[], by: 'recover' | 'conceal'): { snr: number; told: number } {
      const decoder = decoderOf(OPUS);
      const out = new Int16Array(160);
      let [signal, error, told] = [0, 0, 0];
      for (const [i, payload] of payloads.slice(0, -1).entries()) {
        if (i % 10 !== 5) {
          decoder.decode(payload, 0, payload.length, out, 0);
          continue;
        }
        const next = payloads[i + 1]!;
        if (by === 'recover' && decoder.recover!(next, 0, next.length, out, 0, 160)) told++;
        else decoder.conceal!(out, 0, 160);
        for (let j = 0; j < 160; j++) {
          signal += whole[i * 160 + j]! ** 2;
          error += (whole[i * 160 + j]! - out[j]!) ** 2;
        }
      }
      return { snr: 10 * Math.log10(signal / error), told };
    }
    const recovered = heardOfLost(redundant, 'recover');
    expect(recovered.told).toBeGreaterThan(10);
    expect(recovered.snr).toBeGreaterThan(heardOfLost(redundant, 'conceal').snr + 5);
    expect(heardOfLost(plain, 'recover').told).toBe(0);
  });

  test('a call that loses packets hears them all the same, and counts them', () => {
    const voice = babble(3000, 7, 120, -20);
    const inbound = new InboundAudio(20_000, NO_HOOKS);
    const place = { address: '192.0.2.1', port: 4000, ptimeMs: 20, send: true, receive: true };
    inbound.connect({ ...place, codec: 'opus', payloadType: 96 }, 0);
    const payloads = packets(OPUS, voice, 160, 'useinbandfec=1');
    for (const [i, payload] of payloads.entries()) {
      const fields = { sequence: i, timestamp: i * 960, payloadType: 96, payload };
      if (i % 10 !== 5) inbound.datagram(datagram(fields), '192.0.2.1', 4000, i * 20);
      inbound.frame(i * 20 + 5);
    }
    const { packetsLost, concealedFrames, recoveredFrames } = inbound.stats(0);
    expect(packetsLost).toBeGreaterThan(10);
    expect(recoveredFrames).toBeGreaterThan(packetsLost * 0.8);
    expect(concealedFrames).toBeLessThan(packetsLost * 0.2 + 3);
    inbound.close();
  });

  test('whatever a payload holds, it is decoded to its length or refused, and the next packet is heard', () => {
    const decoder = decoderOf(OPUS);
    const good = packets(OPUS, tone(1600, 300)).at(-1)!;
    const out = new Int16Array(960);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 60 }), (payload) => {
        const expected = OPUS.samplesIn(payload, 0, payload.length);
        expect([0, expected]).toContain(decoder.decode(payload, 0, payload.length, out, 0));
        expect(expected).toBeLessThanOrEqual(960);
        expect(decoder.decode(good, 0, good.length, out, 0)).toBe(160);
      }),
      { numRuns: 500 },
    );
  });

  test('a packet longer than any can be is refused, also behind a lost one', () => {
    const decoder = decoderOf(OPUS);
    const good = packets(OPUS, tone(1600, 300), 160, 'useinbandfec=1').at(-1)!;
    const out = new Int16Array(960);
    expect(decoder.decode(good, 0, good.length, out, 0)).toBe(160);
    const long = new Uint8Array(1276);
    long.set(good);
    // As if it had the frame before it once more.
    long[1] = 0xff;
    expect(decoder.decode(long, 0, long.length, out, 0)).toBe(0);
    expect(decoder.recover!(long, 0, long.length, out, 0, 160)).toBe(false);
    expect(decoder.decode(good, 0, good.length, out, 0)).toBe(160);
  });

  test('a thousand calls one after another need the memory of one', () => {
    const use = () => {
      const encoder = OPUS.encoder(160);
      const decoder = OPUS.decoder();
      encoder.close();
      decoder.close();
      encoder.close();
      expect(encoder.encode(undefined, 0, 160, new Uint8Array(1275), 0)).toBe(0);
      expect(decoder.decode(Uint8Array.of(8, 1, 2), 0, 3, new Int16Array(960), 0)).toBe(0);
    };
    use();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) use();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
  });
});
