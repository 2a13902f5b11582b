import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PortPool } from '../../src/media/rtp/port-pool.ts';
import { SymmetricSource } from '../../src/media/rtp/symmetric-source.ts';

describe('the pool of RTP ports', () => {
  test('gives out even ports, each once, and says when there are none', () => {
    const pool = new PortPool({ min: 10_001, max: 10_007 }, 5000);
    expect([pool.acquire(0), pool.acquire(0), pool.acquire(0), pool.acquire(0)]).toEqual([
      10_002,
      10_004,
      10_006,
      undefined,
    ]);
  });

  test('a port rests before it is used again', () => {
    const pool = new PortPool({ min: 10_000, max: 10_001 }, 5000);
    const port = pool.acquire(0)!;
    pool.release(port, 1000);
    expect(pool.acquire(5999)).toBeUndefined();
    expect(pool.available(6000)).toBe(1);
    expect(pool.acquire(6000)).toBe(port);
  });

  test('no port is ever held twice', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 80 }), (steps) => {
        const pool = new PortPool({ min: 20_000, max: 20_010 }, 500);
        const held: number[] = [];
        let now = 0;
        for (const step of steps) {
          now += step % 400;
          const port = step % 2 === 0 ? pool.acquire(now) : undefined;
          if (port !== undefined) {
            expect(held).not.toContain(port);
            held.push(port);
          } else if (held.length > 0) pool.release(held.shift()!, now);
        }
      }),
    );
  });

  test('thousands of calls later each port still comes in its turn, and one that somebody else holds is passed over', () => {
    const pool = new PortPool({ min: 20_000, max: 20_199 }, 500);
    const taken: number[] = [];
    let foreign: number | undefined;
    for (let now = 0; now < 30_000; now += 10) {
      const port = pool.acquire(now)!;
      taken.push(port);
      if (foreign === undefined) {
        foreign = port;
        pool.release(port, now, 60_000);
      } else pool.release(port, now);
      expect(pool.available(now)).toBeGreaterThan(0);
    }
    // A hundred ports, of which one rests for a minute: the others in the same order, round and round.
    const others = taken.slice(1);
    expect(others).not.toContain(foreign);
    expect(new Set(others).size).toBe(99);
    for (let i = 99; i < others.length; i++) expect(others[i]).toBe(others[i - 99]);
    expect(pool.acquire(100_000)).toBe(foreign);
  });

  test('a range that is none is refused', () => {
    expect(() => new PortPool({ min: 2, max: 1 }, 0)).toThrow(RangeError);
  });
});

describe('symmetric RTP', () => {
  test('locks on the first source and refuses others', () => {
    const source = new SymmetricSource();
    expect(source.check('198.51.100.1', 4000, 1, 0)).toBe('locked');
    expect(source.check('198.51.100.1', 4000, 1, 20)).toBe('same');
    expect(source.check('203.0.113.66', 4000, 9, 5000)).toBe('refused');
    expect(source.check('198.51.100.1', 4002, 9, 5000)).toBe('refused');
  });

  test('a stranger who was quicker than the caller gives way to the place that the caller announced', () => {
    const source = new SymmetricSource();
    source.announce('198.51.100.1', 4000);
    expect(source.check('203.0.113.66', 5000, 9, 0)).toBe('locked');
    expect(source.check('198.51.100.1', 4000, 1, 10)).toBe('locked');
    expect(source.check('203.0.113.66', 5000, 9, 20)).toBe('refused');
    expect(source.check('198.51.100.1', 4000, 1, 30)).toBe('same');
  });

  test('follows the same stream to another port when a NAT rebinds, but not while the first still sends', () => {
    const source = new SymmetricSource();
    source.check('198.51.100.1', 4000, 1, 0);
    expect(source.check('198.51.100.1', 61_000, 1, 100)).toBe('refused');
    expect(source.check('198.51.100.1', 61_000, 1, 300)).toBe('locked');
    expect(source.port).toBe(61_000);
  });

  test('locks anew after re-negotiation', () => {
    const source = new SymmetricSource();
    source.check('198.51.100.1', 4000, 1, 0);
    source.unlock();
    expect(source.check('203.0.113.5', 5000, 2, 40)).toBe('locked');
  });
});
