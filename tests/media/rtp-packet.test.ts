import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildRtp, parseRtp } from './rtp-datagram.ts';

const octets = (max: number) => fc.uint8Array({ maxLength: max });

describe('an RTP packet', () => {
  test('is read back as it was built, with contributing sources, extension and padding', () => {
    fc.assert(
      fc.property(
        fc.record({
          payloadType: fc.integer({ min: 0, max: 63 }),
          marker: fc.boolean(),
          sequence: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffffffff }),
          ssrc: fc.integer({ min: 0, max: 0xffffffff }),
          payload: octets(480),
          csrcs: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 15 }),
          extension: fc.option(fc.record({ profile: fc.integer({ min: 0, max: 0xffff }), data: octets(40) }), {
            nil: undefined,
          }),
          padding: fc.integer({ min: 0, max: 255 }),
        }),
        (fields) => {
          const packet = parseRtp(buildRtp(fields))!;
          expect(packet).toMatchObject({
            payloadType: fields.payloadType,
            marker: fields.marker,
            sequence: fields.sequence,
            timestamp: fields.timestamp,
            ssrc: fields.ssrc,
          });
          const { payloadOffset, payloadLength } = packet;
          expect([...packet.data.subarray(payloadOffset, payloadOffset + payloadLength)]).toEqual([...fields.payload]);
        },
      ),
    );
  });

  test('whatever arrives, the payload lies inside the datagram or the datagram is refused', () => {
    fc.assert(
      fc.property(octets(64), fc.boolean(), (data, rtp) => {
        if (rtp && data.length > 0) data[0] = (data[0]! & 0x3f) | 0x80;
        const packet = parseRtp(data);
        if (packet === undefined) return;
        expect(packet.payloadOffset).toBeGreaterThanOrEqual(12);
        expect(packet.payloadLength).toBeGreaterThanOrEqual(0);
        expect(packet.payloadOffset + packet.payloadLength).toBeLessThanOrEqual(data.length);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['shorter than a header', Uint8Array.of(0x80, 0, 0)],
    [
      'of version 1',
      buildRtp({ payloadType: 0, sequence: 1, timestamp: 1, ssrc: 1, payload: new Uint8Array(4) }).fill(0x40, 0, 1),
    ],
    ['an RTCP receiver report on the same port', Uint8Array.of(0x80, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2)],
    ['with padding of zero', Uint8Array.of(0xa0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9, 0)],
    ['with more padding than payload', Uint8Array.of(0xa0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9, 3)],
    ['with an extension that is cut off', Uint8Array.of(0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9)],
  ])('%s is refused', (_what, data) => {
    expect(parseRtp(data)).toBeUndefined();
  });
});
