import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InboundAudio } from '../../src/media/inbound/inbound-audio.ts';
import { HeldPackets } from '../../src/media/rtp/held-packets.ts';
import { datagram, NO_HOOKS, packet } from './support.ts';

test('a copy of a packet stays as it was, whatever becomes of what it arrived in', () => {
  const packets = new HeldPackets();
  for (const length of [160, 1400, 20]) {
    const arrived = packet({ sequence: 7, payload: new Uint8Array(length).fill(length) });
    const held = packets.hold(arrived);
    const { data, ...rest } = arrived;
    const { data: copied, ...same } = held;
    const payload = data.slice(rest.payloadOffset);
    data.fill(0);
    expect(same).toEqual(rest);
    expect(copied.subarray(held.payloadOffset, held.payloadOffset + held.payloadLength)).toEqual(payload);
    packets.giveBack(held);
  }
});

test('two calls whose packets wait side by side hear their own voices only, however these come', () => {
  // One says nothing but what is above zero, the other what is below it; so does what is concealed.
  const voices = [0x90, 0x10];
  const arrival = fc.record({
    call: fc.nat(1),
    // Late, early, twice, not at all.
    sequence: fc.nat(40),
    afterMs: fc.integer({ min: 0, max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(arrival, { minLength: 20, maxLength: 200 }), (arrivals) => {
      const calls = voices.map(() => new InboundAudio(20_000, NO_HOOKS));
      for (const call of calls) {
        const to = { address: '192.0.2.1', port: 4000, codec: 'PCMU', payloadType: 0, ptimeMs: 20 } as const;
        call.connect({ ...to, send: true, receive: true }, 0);
      }
      const memory = new Uint8Array(172);
      let [now, tick] = [0, 0];
      for (const { call, sequence, afterMs } of arrivals) {
        now += afterMs;
        memory.set(datagram({ sequence, ssrc: call + 1, payload: new Uint8Array(160).fill(voices[call]!) }));
        calls[call]!.datagram(memory, '192.0.2.1', 4000, now);
        for (; tick < now; tick += 20) {
          expect(calls[0]!.frame(tick)?.every((sample) => sample >= 0) ?? true).toBe(true);
          expect(calls[1]!.frame(tick)?.every((sample) => sample <= 0) ?? true).toBe(true);
        }
      }
      // What was said was heard.
      expect(calls.some((call) => call.jitter.reception.received > 0)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
