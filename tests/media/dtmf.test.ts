import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DtmfReceiver } from '../../src/media/dtmf.ts';
import { eventPacket, packet } from './support.ts';

const KEYS = '0123456789*#ABCD';

/** The packets a correct sender makes of one key press: an update every 20 ms, the end three times. */
function press(key: number, startedAt: number, updates: number) {
  const packets = [];
  for (let i = 1; i <= updates + 3; i++) {
    packets.push({
      event: key,
      timestamp: startedAt,
      duration: Math.min(i, updates + 1) * 160,
      end: i > updates,
      marker: i === 1,
    });
  }
  return packets;
}

function receive(packets: { event: number; timestamp: number; duration: number; end?: boolean; marker?: boolean }[]) {
  const receiver = new DtmfReceiver();
  return packets
    .map((fields, i) => receiver.push(packet(eventPacket({ sequence: i, ...fields })))?.digit)
    .filter((digit) => digit !== undefined)
    .join('');
}

describe('a key pressed on the phone', () => {
  test('each key is one digit', () => {
    for (let key = 0; key < 16; key++) expect(receive(press(key, 1000, 5))).toBe(KEYS[key]);
  });

  test('lasts as long as the clock of its payload type says', () => {
    const receiver = new DtmfReceiver();
    const first = packet(eventPacket({ sequence: 1, timestamp: 0, event: 5, duration: 4800 }));
    expect(receiver.push(first, 48_000)).toEqual({ digit: '5', durationMs: 100 });
    const second = packet(eventPacket({ sequence: 2, timestamp: 48_000, event: 5, duration: 960 }));
    expect(receiver.push(second, 48_000)).toEqual({ digit: '5', durationMs: 20 });
  });

  test('any part of its packets is enough, marker and ends or not, and the same key twice is two digits', () => {
    const keys = fc.array(
      fc.record({
        key: fc.integer({ min: 0, max: 15 }),
        updates: fc.integer({ min: 2, max: 20 }),
        keep: fc.array(fc.boolean(), { minLength: 23, maxLength: 23 }),
        sure: fc.nat(),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 0xffffffff }), (presses, base) => {
        let at = base;
        const packets = presses.flatMap(({ key, updates, keep, sure }) => {
          const all = press(key, at >>> 0, updates);
          at += (updates + 1) * 160 + 400;
          return all.filter((_, i) => keep[i] || i === sure % all.length);
        });
        expect(receive(packets)).toBe(presses.map(({ key }) => KEYS[key]).join(''));
      }),
    );
  });

  test('ends that arrive behind the next key are not another digit', () => {
    const [one, two] = [press(1, 1000, 3), press(2, 3000, 3)];
    expect(receive([...one.slice(0, 4), ...two.slice(0, 2), ...one.slice(4), ...two.slice(2)])).toBe('12');
  });

  test('a key held for nine seconds is one digit, though its event runs over into a second segment', () => {
    const held = [
      { event: 5, timestamp: 1000, duration: 65535 },
      { event: 5, timestamp: 1000 + 65535, duration: 160 },
      { event: 5, timestamp: 1000 + 65535, duration: 6000, end: true },
    ];
    expect(receive(held)).toBe('5');
  });

  test('a sender that moves the timestamp with every packet is understood', () => {
    expect(receive([1, 2, 3, 4].map((i) => ({ event: 7, timestamp: 1000 + i * 160, duration: i * 160 })))).toBe('7');
  });

  test('hook flash and cut-off packets are no digits', () => {
    expect(receive([{ event: 16, timestamp: 1, duration: 100 }])).toBe('');
    const short = packet({ sequence: 1, payloadType: 101, payload: Uint8Array.of(1, 2) });
    expect(new DtmfReceiver().push(short)).toBeUndefined();
  });
});
