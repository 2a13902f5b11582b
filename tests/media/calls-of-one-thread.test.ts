import { expect, test } from 'vitest';
import { FRAME_SAMPLES } from '../../src/media/audio.ts';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { OutboundAudio } from '../../src/media/outbound/outbound-audio.ts';
import { parseRtp } from './rtp-datagram.ts';

test('calls of one thread write their packets in turn, and each says its own words, however long its packets are', () => {
  const place = { address: '127.0.0.1', port: 4000, codec: 'PCMU', payloadType: 0, send: true, receive: true } as const;
  const sent: number[][] = [];
  const calls = [10, 20, 30, 40, 60].map((ptimeMs, call) => {
    const said: number[] = [];
    sent.push(said);
    const outbound = new OutboundAudio((packet) => {
      const { data, payloadOffset, payloadLength } = parseRtp(packet)!;
      for (let i = 0; i < payloadLength; i++) said.push(data[payloadOffset + i]!);
    });
    outbound.connect({ ...place, ptimeMs });
    // A call is known by the octet that all of its sound is.
    return { outbound, octet: 0x90 + call };
  });
  const frames = 24;
  for (let frame = 0; frame < frames; frame++) {
    for (const { outbound, octet } of calls) {
      outbound.frame(new Int16Array(FRAME_SAMPLES).fill(PCMU.toLinear[octet]!));
    }
  }
  expect(sent.map((octets) => octets.length)).toEqual(calls.map(() => frames * FRAME_SAMPLES));
  expect(sent.map((octets) => [...new Set(octets)])).toEqual(calls.map(({ octet }) => [octet]));
});
