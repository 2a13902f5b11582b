import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { ComfortNoise } from '../../src/media/inbound/comfort-noise.ts';
import { InboundAudio } from '../../src/media/inbound/inbound-audio.ts';
import { levelDb } from '../../src/media/level.ts';
import { OutboundAudio } from '../../src/media/outbound/outbound-audio.ts';
import type { RtpPacket } from '../../src/media/rtp/rtp-packet.ts';
import { acceptAnswer, answerOffer, makeOffer, SdpNegotiator } from '../../src/media/sdp/sdp.ts';
import { parseRtp } from './rtp-datagram.ts';
import { datagram, NO_HOOKS, tone } from './support.ts';

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
    const inbound = new InboundAudio(20_000, NO_HOOKS);
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

describe('the silence of the bot', () => {
  const place = { address: '192.0.2.1', port: 4000, send: true, receive: true };
  const agreed = {
    ...place,
    codec: 'PCMU' as const,
    payloadType: 0,
    comfortNoisePayloadType: 13,
    suppressSilence: true,
  };

  /** What is sent of a bot that speaks (true) and is silent, frame by frame, and what it said as it was coded. */
  function sent(frames: readonly boolean[], ptimeMs: number, suppressSilence = true) {
    const packets: { frame: number; packet: RtpPacket }[] = [];
    let frame = 0;
    const outbound = new OutboundAudio((bytes) => packets.push({ frame, packet: parseRtp(bytes.slice())! }), {
      sequence: 65_530,
      timestamp: 2 ** 32 - 8000,
    });
    outbound.connect({ ...agreed, suppressSilence, ptimeMs });
    const said = tone(frames.length * 160, 440, 0.5);
    for (; frame < frames.length; frame++) {
      outbound.frame(frames[frame] ? said.subarray(frame * 160, frame * 160 + 160) : undefined);
    }
    return { packets, said };
  }

  test('is told once a second when it lasts, and no word is cut', () => {
    const stretches = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 120 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(stretches, fc.constantFrom(10, 20, 30, 40, 60), (list, ptimeMs) => {
        const frames = list.flatMap(([speaks, length]) => new Array<boolean>(length).fill(speaks));
        // The last packet is whole, whatever its length.
        const { packets, said } = sent([...frames, false, false, false], ptimeMs);
        let at = -1;
        // Octets by their place; 256 where nothing was sent. Compared by the frame: an expectation a sample takes half a minute.
        const heard = new Uint16Array(said.length + 960).fill(256);
        for (const [i, { packet }] of packets.entries()) {
          expect(packet.sequence).toBe((65_530 + i) & 0xffff);
          const from = (packet.timestamp - (2 ** 32 - 8000)) | 0;
          expect(from).toBeGreaterThanOrEqual(at);
          at = from;
          if (packet.payloadType === 13) {
            expect(packet.payloadLength).toBe(1);
            expect(frames[Math.floor(from / 160)] ?? false).toBe(false);
            continue;
          }
          const payload = packet.data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
          heard.set(payload, from);
        }
        // Every sample of every word is in its place.
        frames.forEach((speaks, frame) => {
          if (!speaks) return;
          const [from, to] = [frame * 160, frame * 160 + 160];
          const coded = Uint16Array.from(said.subarray(from, to), (sample) => PCMU.fromLinear[sample & 0xffff]!);
          expect(heard.subarray(from, to)).toEqual(coded);
        });
      }),
      { numRuns: 60 },
    );
  });

  test('costs a packet a second, and the word behind it begins a talk spurt', () => {
    const frames = [...new Array(50).fill(true), ...new Array(515).fill(false), ...new Array(10).fill(true)];
    const { packets } = sent(frames, 20);
    const noise = packets.filter(({ packet }) => packet.payloadType === 13);
    expect(noise.map(({ frame }) => frame)).toEqual(Array.from({ length: 10 }, (_, i) => 65 + i * 50));
    expect(packets.filter(({ packet }) => packet.marker).map(({ frame }) => frame)).toEqual([0, 565]);
    expect(packets).toHaveLength(50 + 15 + 10 + 10);
    expect(sent(frames, 20, false).packets).toHaveLength(frames.length);
  });

  test('reaches a far end as a quiet noise', () => {
    const frames = [...new Array(50).fill(true), ...new Array(100).fill(false)];
    const { packets } = sent(frames, 20);
    const inbound = new InboundAudio(20_000, NO_HOOKS);
    inbound.connect({ ...agreed, ptimeMs: 20 }, 0);
    let level = 0;
    for (let tick = 0; tick < 150; tick++) {
      for (const { frame, packet } of packets) {
        if (frame === tick) inbound.datagram(packet.data, '192.0.2.1', 4000, tick * 20);
      }
      level = levelDb(inbound.frame(tick * 20 + 5) ?? new Int16Array(160));
    }
    expect(level).toBeGreaterThan(-75);
    expect(level).toBeLessThan(-60);
  });

  test('is suppressed only where the trunk says so and the peer speaks of it', () => {
    const local = { address: '127.0.0.1', port: 40_000, sessionId: '1' };
    const willing = { ...local, policy: { encryption: 'off' as const, sdes: false, comfortNoise: true } };
    const offer = (formats: string) =>
      ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio 6000 RTP/AVP ${formats}`]
        .concat(['a=rtpmap:96 opus/48000/2', ''])
        .join('\r\n');
    expect(answerOffer(offer('0 13'), willing).remote.suppressSilence).toBe(true);
    expect(answerOffer(offer('0 13'), local).remote.suppressSilence).toBeUndefined();
    expect(answerOffer(offer('0'), willing).remote.suppressSilence).toBeUndefined();
    expect(answerOffer(offer('96 13'), willing).remote.suppressSilence).toBeUndefined();
    expect(makeOffer(local)).not.toContain('CN/8000');
    const negotiator = new SdpNegotiator(willing);
    const ours = negotiator.offer();
    expect(ours).toContain('a=rtpmap:13 CN/8000\r\n');
    const { answer } = answerOffer(ours, { ...willing, codecs: ['PCMA'] });
    expect(negotiator.accept(answer)).toMatchObject({ codec: 'PCMA', suppressSilence: true });
    expect(acceptAnswer(answer).suppressSilence).toBeUndefined();
  });
});
