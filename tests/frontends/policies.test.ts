import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSet } from '../../src/core/address-set.ts';
import { sourceOf } from '../../src/core/source.ts';
import { TokenBucket } from '../../src/core/token-bucket.ts';
import { Sources } from '../../src/frontends/admission/sources.ts';
import { WaitingLine } from '../../src/frontends/admission/waiting-line.ts';
import { parseBlocks } from '../../src/frontends/trunks/addresses.ts';
import { closesAt, type Hours, isOpen, parseDays, parseSpans } from '../../src/frontends/trunks/hours.ts';
import { NumberPlan, type NumberRule } from '../../src/frontends/trunks/routing.ts';
import { DEFAULT_ADMISSION } from '../../src/frontends/trunks/schema.ts';

describe('a rate', () => {
  it('lets through the burst and then what it allows, never more, whenever requests come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        (gaps, perSecond, burst) => {
          const bucket = new TokenBucket({ perSecond, burst }, 0);
          let now = 0;
          let taken = 0;
          for (const gap of gaps) {
            now += gap;
            if (bucket.take({ perSecond, burst }, now)) taken++;
            expect(taken).toBeLessThanOrEqual(burst + (now / 1000) * perSecond + 1e-6);
          }
        },
      ),
    );
  });

  it('says when to come again, and is full after a rest', () => {
    const rate = { perSecond: 2, burst: 3 };
    const bucket = new TokenBucket(rate, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(rate, 0))).toEqual([true, true, true, false]);
    expect(bucket.waitMs(rate)).toBe(500);
    expect(bucket.take(rate, 500)).toBe(true);
    expect([1, 2, 3, 4].map(() => bucket.take(rate, 60_000))).toEqual([true, true, true, false]);
  });
});

describe('addresses', () => {
  const set = (...texts: string[]) => new AddressSet(texts.flatMap((text) => parseBlocks(text)!));

  it('belong to a block by their leading bits, as arithmetic says', () => {
    const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), fc.nat(32), fc.boolean(), (base, other, prefix, near) => {
        const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
        const probe = near ? ((base & mask) | (other & ~mask)) >>> 0 : other;
        const inside = (probe & mask) >>> 0 === (base & mask) >>> 0;
        expect(set(`${dotted(base)}/${prefix}`).has(dotted(probe))).toBe(inside);
      }),
    );
  });

  it.each([
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::1', '2001:db8:0:0::1', true],
    ['private', '10.1.2.3', true],
    ['private', '172.32.0.1', false],
    ['private', 'fe80::1%eth0', true],
    ['loopback', '127.9.9.9', true],
    ['loopback', '::1', true],
    ['192.0.2.0/24', '2001:db8::1', false],
    ['any', '2001:db8::1', true],
    ['any', '198.51.100.1', true],
  ])('%s has %s: %s', (block, address, inside) => {
    expect(set(block).has(address)).toBe(inside);
  });

  it.each(['', '192.0.2', '192.0.2.0/33', '192.0.2.0/', '::1/129', '1.2.3.4/2/1', 'localhost', 'fe80::1%eth0'])(
    '"%s" is none',
    (text) => {
      expect(parseBlocks(text)).toBeUndefined();
    },
  );

  it('of this machine are those of its interfaces', () => {
    const own = Object.values(networkInterfaces()).flatMap((some) => (some ?? []).map(({ address }) => address));
    expect(own.filter((address) => !set('this-machine').has(address))).toEqual([]);
    expect(set('this-machine').has('198.51.100.1')).toBe(false);
  });

  it('of IPv6 stand for their /64, however they are written', () => {
    expect(sourceOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(sourceOf('2001:0db8:0:0:1:2:3:4')).toBe('2001:db8:0:0::/64');
    expect(sourceOf('::1')).toBe('0:0:0:0::/64');
    expect(sourceOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(sourceOf('2001:db8:1:2::192.0.2.1')).toBe('2001:db8:1:2::/64');
    expect(sourceOf('192.0.2.1')).toBe('192.0.2.1');
  });
});

describe('opening hours', () => {
  const hours = {
    zone: 'Europe/Berlin',
    week: [[], ...Array.from({ length: 5 }, () => parseSpans('08:00-12:30, 13:30-18:00')!), []],
    days: new Map([
      ['2026-12-25', []],
      ['2026-12-24', parseSpans('09:00-12:00')!],
    ]),
  };

  it.each([
    ['2026-11-25T07:00:00Z', true, 'Wednesday, 8:00 in winter'],
    ['2026-11-25T06:59:59Z', false, 'a second before'],
    ['2026-07-01T06:00:00Z', true, 'Wednesday, 8:00 in summer'],
    ['2026-11-25T11:30:00Z', false, 'lunch'],
    ['2026-11-25T12:30:00Z', true, 'after lunch'],
    ['2026-11-25T17:00:00Z', false, 'closing time'],
    ['2026-11-28T10:00:00Z', false, 'Saturday'],
    ['2026-12-25T10:00:00Z', false, 'a holiday'],
    ['2026-12-24T10:30:00Z', true, 'a day with hours of its own'],
    ['2026-12-24T12:00:00Z', false, 'its afternoon'],
  ])('at %s: open %s (%s)', (at, open) => {
    expect(isOpen(hours, new Date(at))).toBe(open);
  });

  it.each([
    ['2026-11-25T07:00:30Z', '2026-11-25T11:30:00Z', 'until lunch'],
    ['2026-11-25T11:30:00Z', undefined, 'at lunch'],
    ['2026-12-24T08:00:00Z', '2026-12-24T11:00:00Z', 'on a day with hours of its own'],
  ] as [string, string | undefined, string][])('from %s on: until %s (%s)', (at, end) => {
    expect(closesAt(hours, new Date(at))?.toISOString()).toBe(end && new Date(end).toISOString());
  });

  it('end when the clock on the wall says so, in the nights in which it is changed as well', () => {
    const nights = (from: string, to: string) => ({
      zone: 'Europe/Berlin',
      week: Array.from({ length: 7 }, () => parseSpans(`${from}-${to}`)!),
      days: new Map(),
    });
    const until = (text: ReturnType<typeof nights>, at: string) => closesAt(text, new Date(at))?.toISOString();
    // 29 March 2026, 2:00 becomes 3:00 at 01:00 UTC; 25 October, 3:00 becomes 2:00 at 01:00 UTC.
    expect(until(nights('00:00', '04:00'), '2026-03-28T23:30:00Z')).toBe('2026-03-29T02:00:00.000Z');
    expect(until(nights('00:00', '02:30'), '2026-03-28T23:30:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(until(nights('00:00', '04:00'), '2026-10-24T22:30:00Z')).toBe('2026-10-25T03:00:00.000Z');
    expect(until(nights('00:00', '02:30'), '2026-10-24T22:30:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(until(nights('00:00', '03:00'), '2026-10-24T22:30:00Z')).toBe('2026-10-25T02:00:00.000Z');
    expect(until(nights('00:00', '24:00'), '2026-10-24T22:30:00Z')).toBe('2026-10-25T22:30:00.000Z');
  });

  it('end where somebody who looks at the clock every minute finds them closed', () => {
    const span = fc
      .tuple(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 1, max: 1440 }))
      .map(([a, b]) => ({ from: Math.min(a, b - 1), to: Math.max(a + 1, b) }));
    const made = fc.record({
      zone: fc.constantFrom(
        'Europe/Berlin',
        'America/New_York',
        'Australia/Lord_Howe',
        'Asia/Kathmandu',
        'America/Santiago',
      ),
      week: fc.array(fc.array(span, { maxLength: 3 }), { minLength: 7, maxLength: 7 }),
      days: fc.constant(new Map()),
    });
    // Around the nights in which one of these zones changes its clocks, and around none.
    const nights = [
      '2026-03-08',
      '2026-03-29',
      '2026-04-05',
      '2026-06-10',
      '2026-09-06',
      '2026-10-04',
      '2026-10-25',
      '2026-11-01',
    ];
    const at = fc
      .tuple(fc.constantFrom(...nights), fc.integer({ min: -26 * 60, max: 30 * 60 }), fc.integer({ min: 0, max: 59 }))
      .map(([day, minutes, seconds]) => new Date(Date.parse(day) + minutes * 60_000 + seconds * 1000));
    const byTheMinute = (open: Hours, from: Date): Date | undefined => {
      if (!isOpen(open, from)) return undefined;
      let until = Math.floor(from.getTime() / 60_000) * 60_000;
      for (let i = 0; i < 1440 && isOpen(open, new Date(until)); i++) until += 60_000;
      return new Date(until);
    };
    fc.assert(
      fc.property(made, at, (open, from) => {
        expect(closesAt(open, from)).toEqual(byTheMinute(open, from));
      }),
      { numRuns: 150 },
    );
  });

  it('are read as people write them', () => {
    expect(parseDays('sat-mon')).toEqual([6, 0, 1]);
    expect(parseDays('Tue')).toEqual([2]);
    expect(parseDays('mon-funday')).toBeUndefined();
    expect(parseSpans('00:00-24:00')).toEqual([{ from: 0, to: 1440 }]);
    for (const bad of ['18:00-08:00', '8-18', '08:60-09:00', '08:00-24:01', ''])
      expect(parseSpans(bad)).toBeUndefined();
  });
});

describe('a number plan', () => {
  const to = (bot: string) => ({ to: { bot }, trunks: undefined, hours: undefined, closed: undefined });
  const rules: NumberRule[] = [
    { match: { any: true }, ...to('rest') },
    { match: { pattern: /^(?:[0-9]{3})$/ }, ...to('extension') },
    { match: { prefix: '+1' }, ...to('america') },
    { match: { prefix: '+1555' }, ...to('town') },
    { match: { number: '+15550100' }, ...to('bank') },
    { match: { number: '+15550100' }, ...to('branch'), trunks: new Set(['branch']) },
  ];

  it.each([
    ['+15550100', 'carrier', 'bank'],
    ['+15550100', 'branch', 'branch'],
    ['+15550101', 'carrier', 'town'],
    ['+12', 'carrier', 'america'],
    ['200', 'carrier', 'extension'],
    ['2000', 'carrier', 'rest'],
    ['', 'carrier', 'rest'],
  ])('leads %s from %s to %s, in whatever order the rules stand', (called, trunk, bot) => {
    for (const some of [rules, rules.toReversed()]) {
      expect(new NumberPlan(some).destination(called, trunk, new Date())).toEqual({ bot });
    }
  });

  it('refuses what it does not know with 404', () => {
    const plan = new NumberPlan(rules.slice(1));
    expect(plan.destination('sales', 'carrier', new Date())).toEqual({ refuse: { status: 404 } });
  });

  it('leads elsewhere outside the hours', () => {
    const never = { zone: 'UTC', week: [], days: new Map() };
    const closed = { refuse: { status: 480, retryAfterSeconds: 60 } };
    const plan = new NumberPlan([{ match: { any: true }, ...to('bank'), hours: never, closed }]);
    expect(plan.destination('x', 'carrier', new Date())).toEqual(closed);
  });
});

describe('sources', () => {
  const limits = DEFAULT_ADMISSION;
  const wall = new Date('2026-11-25T12:00:00Z');

  it('that do wrong too often are blocked for a while, then heard again', () => {
    const sources = new Sources();
    const strike = (now: number) => sources.strike('192.0.2.1', 'stranger', {}, limits, now, wall);
    const { strikes, forSeconds } = limits.block;
    expect(Array.from({ length: strikes }, (_, i) => strike(i)).at(-1)).toBe(true);
    expect(sources.isBlocked('192.0.2.1', 1_000)).toBe(true);
    expect(sources.isBlocked('192.0.2.2', 1_000)).toBe(false);
    expect(sources.blocked(1_000)).toMatchObject([{ source: '192.0.2.1', reason: 'stranger', dropped: 1 }]);
    expect(sources.isBlocked('192.0.2.1', forSeconds * 1000 + 100)).toBe(false);
    expect(sources.blocked(forSeconds * 1000 + 100)).toEqual([]);
  });

  it('that do wrong now and then are not', () => {
    const sources = new Sources();
    for (let i = 0; i < 100; i++) {
      const now = (i * limits.block.withinSeconds * 1000) / 4;
      expect(sources.strike('192.0.2.1', 'stranger', {}, limits, now, wall)).toBe(false);
    }
  });

  it('that have shown a password are not blocked for what others may have sent in their name, but for their own', () => {
    const sources = new Sources();
    sources.vouch('192.0.2.1', limits, 0);
    const all = (proven: boolean) =>
      Array.from({ length: 20 }, () => sources.strike('192.0.2.1', 'x', { proven }, limits, 1, wall)).some(Boolean);
    expect(all(false)).toBe(false);
    expect(all(true)).toBe(true);
  });

  it('that have shown a password may send as much as a PBX does', () => {
    const sources = new Sources();
    const taken = () => Array.from({ length: 200 }, () => sources.take('192.0.2.1', limits, 0)).filter(Boolean).length;
    expect(taken()).toBe(limits.source.burst);
    sources.vouch('192.0.2.1', limits, 0);
    const later = Array.from({ length: 200 }, () => sources.take('192.0.2.1', limits, 1_000)).filter(Boolean).length;
    expect(later).toBe(200);
  });

  it('can be unblocked', () => {
    const sources = new Sources();
    sources.strike('2001:db8::1', 'scanner', { weight: 100 }, limits, 0, wall);
    expect(sources.isBlocked('2001:db8::ffff', 1)).toBe(true);
    expect(sources.unblock('2001:db8:0:0::/64')).toBe(true);
    expect(sources.unblock('2001:db8:0:0::/64')).toBe(false);
    expect(sources.isBlocked('2001:db8::ffff', 2)).toBe(false);
  });

  it('take a bounded place in memory, and a flood of them frees nobody who is blocked', () => {
    const sources = new Sources(50);
    sources.strike('192.0.2.1', 'scanner', { weight: 100 }, limits, 0, wall);
    for (let i = 0; i < 5_000; i++) sources.take(`198.51.${i >> 8}.${i & 255}`, limits, 1);
    expect(sources.size).toBe(50);
    expect(sources.isBlocked('192.0.2.1', 2)).toBe(true);
  });
});

describe('the line of calls that wait', () => {
  const calls = () => {
    const said: string[] = [];
    const call = (name: string) => {
      const caller = new AbortController();
      const begin = () => void said.push(`${name} begins`);
      const refuse = () => void said.push(`${name} refused`);
      return { begin, refuse, signal: caller.signal, hangUp: () => caller.abort() };
    };
    return { said, call };
  };

  it('serves the first first, as long as there is time, and skips who has hung up', () => {
    const line = new WaitingLine(10);
    const { said, call } = calls();
    const impatient = call('b');
    for (const one of [call('a'), impatient, call('c'), call('d')]) line.join(one, 1000);
    impatient.hangUp();
    let room = 2;
    line.serve(10, () => room-- > 0);
    expect(said).toEqual(['a begins', 'c begins']);
    expect(line.length).toBe(1);
  });

  it('refuses who has waited as long as may be, whatever the others may', () => {
    const line = new WaitingLine(10);
    const { said, call } = calls();
    line.join(call('patient'), 5000);
    line.join(call('hurried'), 1000);
    line.serve(999, () => false);
    expect(said).toEqual([]);
    line.serve(1000, () => false);
    expect(said).toEqual(['hurried refused']);
    line.dismiss();
    expect(said).toEqual(['hurried refused', 'patient refused']);
    expect(line.length).toBe(0);
  });

  it('says when it is full', () => {
    const line = new WaitingLine(2);
    const { call } = calls();
    line.join(call('a'), 1000);
    expect(line.full).toBe(false);
    line.join(call('b'), 1000);
    expect(line.full).toBe(true);
  });
});
