import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JitterBuffer } from '../../src/media/inbound/jitter-buffer.ts';
import { packet } from './support.ts';

const FRAME = 20;

interface Arrival {
  at: number;
  sequence: number;
  timestamp?: number;
  ssrc?: number;
  audio?: boolean;
}

/** Plays arrivals against a pull every 20 ms; what came out at each tick. */
function play(arrivals: Arrival[], ticks: number, options: { quiet?: boolean; buffer?: JitterBuffer } = {}) {
  const buffer = options.buffer ?? new JitterBuffer();
  const queue = [...arrivals].sort((a, b) => a.at - b.at);
  const out: (number | 'lost' | '-')[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    const now = tick * FRAME + 3;
    while (queue.length > 0 && queue[0]!.at <= now) {
      const { at, audio, ...fields } = queue.shift()!;
      buffer.push(packet(fields), at, audio ?? true);
    }
    const next = buffer.pull(now, options.quiet ?? false);
    out.push(next === undefined ? '-' : next === 'lost' ? 'lost' : next.sequence);
  }
  return { out, buffer };
}

const steady = (count: number, first = 100): Arrival[] =>
  Array.from({ length: count }, (_, i) => ({ at: i * FRAME, sequence: first + i }));

const heard = (out: (number | 'lost' | '-')[]) => out.filter((item) => typeof item === 'number');

describe('the jitter buffer', () => {
  test('plays a steady stream in order, whole, after 40 ms at most', () => {
    const { out, buffer } = play(steady(50), 52);
    expect(heard(out)).toEqual(Array.from({ length: 50 }, (_, i) => 100 + i));
    expect(out.indexOf(100)).toBeLessThanOrEqual(2);
    expect(buffer.reception.lost).toBe(0);
  });

  test('reordered packets come out in order', () => {
    const arrivals = steady(20);
    [arrivals[7]!.at, arrivals[8]!.at] = [arrivals[8]!.at, arrivals[7]!.at];
    const { out } = play(arrivals, 24);
    expect(heard(out)).toEqual(Array.from({ length: 20 }, (_, i) => 100 + i));
  });

  test('a packet that never comes is concealed in its place and the delay stays', () => {
    const arrivals = steady(20).filter(({ sequence }) => sequence !== 108);
    const { out, buffer } = play(arrivals, 22);
    expect(out[out.indexOf(107) + 1]).toBe('lost');
    expect(out[out.indexOf(107) + 2]).toBe(109);
    expect(buffer.reception.lost).toBe(1);
  });

  test('doubled packets are played once and counted', () => {
    const { out, buffer } = play([...steady(20), ...steady(20).map((a) => ({ ...a, at: a.at + 5 }))], 24);
    expect(heard(out)).toHaveLength(20);
    expect(buffer.reception.duplicated).toBe(20);
    expect(buffer.reception.lost).toBe(0);
  });

  test('a packet behind its turn is dropped and counted as late', () => {
    const arrivals = steady(20);
    arrivals[5]!.at += 150;
    const { out, buffer } = play(arrivals, 24);
    expect(heard(out)).not.toContain(105);
    expect(buffer.late).toBe(1);
  });

  test('a short stall of the network costs delay, not speech', () => {
    const arrivals = steady(40).map((a) => (a.sequence >= 110 && a.sequence <= 112 ? { ...a, at: 13 * FRAME } : a));
    const { out } = play(arrivals, 46);
    expect(heard(out)).toEqual(Array.from({ length: 40 }, (_, i) => 100 + i));
  });

  test('the sequence goes on over 65535 and the timestamp over 2^32', () => {
    const arrivals = Array.from({ length: 40 }, (_, i) => ({
      at: i * FRAME,
      sequence: 65516 + i,
      timestamp: 2 ** 32 - 1600 + i * 160,
    }));
    const { out, buffer } = play(arrivals, 44);
    expect(heard(out)).toEqual(Array.from({ length: 40 }, (_, i) => (65516 + i) & 0xffff));
    expect(out.filter((item) => item === 'lost').length).toBeLessThanOrEqual(2);
    expect(buffer.reception.lost).toBe(0);
    expect(buffer.reception.jitterMs).toBeLessThan(1);
  });

  test('silence suppression: no loss is heard in the pause, and the talk spurt starts with the delay aimed for', () => {
    const second = Array.from({ length: 20 }, (_, i) => ({
      at: 2000 + i * FRAME,
      sequence: 120 + i,
      timestamp: 100 * 160 + 2000 * 8 + i * 160,
    }));
    const { out, buffer } = play([...steady(20), ...second], 125);
    expect(heard(out)).toHaveLength(40);
    const pause = out.slice(out.indexOf(119), out.indexOf(120));
    expect(pause.filter((item) => item === 'lost').length).toBeLessThanOrEqual(3);
    expect(buffer.reception.lost).toBe(0);
    expect(out.indexOf(120) * FRAME).toBeLessThanOrEqual(2000 + 60);
  });

  test('a short pause inside what is buffered keeps its length', () => {
    const arrivals = [
      { at: 0, sequence: 1, timestamp: 0 },
      { at: 20, sequence: 2, timestamp: 160 },
      { at: 80, sequence: 3, timestamp: 640 },
      { at: 100, sequence: 4, timestamp: 800 },
    ];
    const { out } = play(arrivals, 12);
    expect(out.indexOf(3) - out.indexOf(2)).toBe(3);
  });

  test('a new SSRC is followed when the old one has been silent for 100 ms', () => {
    const arrivals = [
      ...steady(10),
      ...Array.from({ length: 10 }, (_, i) => ({
        at: 200 + i * FRAME,
        sequence: 5000 + i,
        timestamp: i * 160,
        ssrc: 77,
      })),
    ];
    const { out, buffer } = play(arrivals, 26);
    expect(heard(out)).toEqual(expect.arrayContaining([5004, 5009]));
    expect(buffer.reception.ssrc).toBe(77);
    expect(buffer.reception.lost).toBe(0);
  });

  test('one stray packet of another SSRC changes nothing', () => {
    const { out } = play([...steady(20), { at: 105, sequence: 9, ssrc: 666 }], 24);
    expect(heard(out)).toEqual(Array.from({ length: 20 }, (_, i) => 100 + i));
  });

  test('a stream injected from the same address does not displace one that flows', () => {
    const flood = Array.from({ length: 400 }, (_, i) => ({ at: 100 + i, sequence: i, timestamp: i * 160, ssrc: 666 }));
    const { out, buffer } = play([...steady(30), ...flood], 34);
    expect(heard(out)).toEqual(Array.from({ length: 30 }, (_, i) => 100 + i));
    expect(buffer.reception.epoch).toBe(0);
  });

  test('a jump of the timestamp by the sender does not stop the sound', () => {
    const arrivals = steady(40).map((a, i) => (i < 20 ? a : { ...a, timestamp: 3_000_000_000 + i * 160 }));
    const { out } = play(arrivals, 44);
    expect(heard(out)).toHaveLength(40);
  });

  test('a restart of the sequence is followed', () => {
    const arrivals = [
      ...steady(20),
      ...Array.from({ length: 20 }, (_, i) => ({
        at: 400 + i * FRAME,
        sequence: 30_000 + i,
        timestamp: 3200 + i * 160,
      })),
    ];
    const { out } = play(arrivals, 46);
    expect(heard(out).at(-1)).toBe(30_019);
    expect(heard(out).length).toBeGreaterThanOrEqual(35);
  });

  test('a burst after an outage is cut down to the delay aimed for', () => {
    const arrivals = [...steady(10), ...Array.from({ length: 50 }, (_, i) => ({ at: 1200, sequence: 110 + i }))];
    const { out, buffer } = play(arrivals, 80);
    expect(buffer.discarded).toBeGreaterThan(40);
    expect(heard(out).at(-1)).toBe(159);
    expect(out.lastIndexOf(159) * FRAME).toBeLessThan(1200 + 200);
  });

  test('telephone events between audio are not heard and not taken for losses', () => {
    const arrivals = steady(20).map((a) => ({ ...a, audio: a.sequence < 105 || a.sequence > 108 }));
    const { out, buffer } = play(arrivals, 30);
    expect(heard(out)).toHaveLength(16);
    expect(buffer.reception.lost).toBe(0);
  });

  test('delay gained in a bad moment is given back while nobody speaks', () => {
    const bad = steady(400).map((a) => (a.sequence === 130 ? { ...a, at: a.at + 59 } : a));
    for (const a of bad) if (a.sequence > 130 && a.at < 30 * FRAME + 59) a.at = 30 * FRAME + 59;
    const { buffer } = play(bad, 400, { quiet: true });
    expect(buffer.delayMs).toBeLessThanOrEqual(45);
  });

  test('jitter raises the delay aimed for, within its bounds', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed / 0x7fffffff;
    };
    const { buffer } = play(
      steady(500).map((a) => ({ ...a, at: a.at + random() * 45 })),
      505,
      { quiet: true },
    );
    expect(buffer.targetMs).toBeGreaterThanOrEqual(40);
    expect(buffer.targetMs).toBeLessThanOrEqual(60);
    const { buffer: calm } = play(steady(500), 505, { quiet: true });
    expect(calm.targetMs).toBe(20);
    expect(calm.delayMs).toBeLessThan(45);
  });

  test('whatever is lost, late, doubled or reordered: in order, never twice, bounded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ lost: fc.boolean(), delay: fc.integer({ min: 0, max: 400 }), twice: fc.boolean() }), {
          minLength: 20,
          maxLength: 200,
        }),
        fc.integer({ min: 0, max: 65535 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        (pattern, first, quiet, lossEvery) => {
          const arrivals: Arrival[] = [];
          pattern.forEach(({ lost, delay, twice }, i) => {
            if (lost && i % lossEvery === 0) return;
            const arrival = { at: i * FRAME + delay, sequence: first + i, timestamp: i * 160 };
            arrivals.push(arrival);
            if (twice) arrivals.push({ ...arrival, at: arrival.at + 30 });
          });
          const ticks = pattern.length + 40;
          const { out, buffer } = play(arrivals, ticks, { quiet });
          const order = heard(out).map((sequence) => (sequence - first) & 0xffff);
          for (let i = 1; i < order.length; i++) expect(order[i]).toBeGreaterThan(order[i - 1]!);
          expect(buffer.size).toBeLessThanOrEqual(10);
          const { reception } = buffer;
          expect(reception.received + reception.lost).toBeLessThanOrEqual(pattern.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
