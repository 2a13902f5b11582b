import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DtmfReceiver } from '../../src/media/keys/dtmf.ts';
import { KeySender } from '../../src/media/keys/key-sender.ts';
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

describe('how long a key is pressed', () => {
  const released = (packets: { event: number; timestamp: number; duration: number; end?: boolean }[], last = 0) => {
    const receiver = new DtmfReceiver();
    const told = packets.flatMap((fields, i) => {
      receiver.push(packet(eventPacket({ sequence: i, ...fields })), 8000, i * 20);
      return receiver.letGo(i * 20);
    });
    return [...told, ...receiver.letGo(packets.length * 20 + last)];
  };

  test('is told once, when it is let go, whichever of its packets come', () => {
    const whole = press(5, 1000, 4);
    expect(released(whole)).toEqual([{ digit: '5', durationMs: 100 }]);
    expect(released(whole.slice(-1))).toEqual([{ digit: '5', durationMs: 100 }]);
    // The ends are lost: the next key says it, or silence does.
    expect(released([...whole.slice(0, 3), ...press(6, 3000, 1)])).toEqual([
      { digit: '5', durationMs: 60 },
      { digit: '6', durationMs: 40 },
    ]);
    expect(released(whole.slice(0, 3), 100)).toEqual([]);
    expect(released(whole.slice(0, 3), 300)).toEqual([{ digit: '5', durationMs: 60 }]);
  });

  test('also when its duration does not fit into the field', () => {
    const long = [
      { event: 5, timestamp: 1000, duration: 0xffff },
      { event: 5, timestamp: 1000 + 0xffff, duration: 160 },
      { event: 5, timestamp: 1000 + 0xffff, duration: 320, end: true },
    ];
    expect(released(long)).toEqual([{ digit: '5', durationMs: (0xffff + 320) / 8 }]);
  });
});

describe('a key that we press', () => {
  /** What is sent for it: marker, event, end, duration, in order. */
  function sent(keys: KeySender, unit = 1): { first: boolean; event: number; end: boolean; duration: number }[] {
    const packets = [];
    const bytes = new Uint8Array(8);
    while (keys.active && packets.length < 1000) {
      const first = keys.write(bytes, 4, unit);
      packets.push({
        first,
        event: bytes[4]!,
        end: (bytes[5]! & 0x80) !== 0,
        duration: (bytes[6]! << 8) | bytes[7]!,
      });
    }
    return packets;
  }

  test('lasts as long as it was pressed, with one first packet and three ends, and is read as that key', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...KEYS), fc.integer({ min: 40, max: 2000 })), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.constantFrom(1, 6),
        (presses, unit) => {
          const keys = new KeySender();
          for (const [digit, ms] of presses) expect(keys.press(digit, ms)).toBe(true);
          const packets = sent(keys, unit);
          const firsts = packets.flatMap(({ first }, i) => (first ? [i] : []));
          expect(firsts).toHaveLength(presses.length);
          const receiver = new DtmfReceiver();
          const heard: unknown[] = [];
          for (const [n, from] of firsts.entries()) {
            const one = packets.slice(from, firsts[n + 1]);
            const [digit, ms] = presses[n]!;
            const duration = Math.min(0xffff, ms * 8 * unit);
            expect(one.map(({ end }) => end)).toEqual(one.map((_, i) => i >= one.length - 3));
            expect(one.at(-1)).toEqual({ first: false, event: KEYS.indexOf(digit), end: true, duration });
            expect(one.every(({ duration }, i) => i === 0 || duration >= one[i - 1]!.duration)).toBe(true);
            for (const fields of one) {
              receiver.push(packet(eventPacket({ sequence: 0, timestamp: from * 160 * unit, ...fields })), 8000 * unit);
            }
            heard.push(...receiver.letGo(0).map((key) => key.digit));
          }
          expect(heard).toEqual(presses.map(([digit]) => digit));
        },
      ),
    );
  });

  test('is no key when there is none of that name, or when too many wait', () => {
    const keys = new KeySender();
    for (const none of ['', 'E', '12', ' ']) expect(keys.press(none, 100)).toBe(false);
    expect(keys.active).toBe(false);
    for (let i = 0; i < 32; i++) expect(keys.press('1', 100)).toBe(true);
    expect(keys.press('1', 100)).toBe(false);
    keys.clear();
    expect(keys.active).toBe(false);
  });
});
