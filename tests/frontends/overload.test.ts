import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadSample } from '../../src/call/admission.ts';
import { LoadGuard } from '../../src/frontends/admission/load-guard.ts';
import { LoadProbe } from '../../src/frontends/admission/load-probe.ts';
import { SetUpWindow } from '../../src/frontends/admission/setup-window.ts';
import { patienceOf } from '../../src/frontends/admission/waiting-line.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { parseDatagram } from '../../src/sip/message/parse.ts';
import { capacityOf, SimulatedConnector, type SimulatedSecond } from './simulated-connector.ts';

describe('a connector behind an edge, simulated with all that is sent again', () => {
  const sumOf = (seconds: readonly SimulatedSecond[], key: 'came' | 'answered' | 'failed') =>
    seconds.reduce((sum, second) => sum + second[key], 0);

  // What waits in its line when the trouble is over is 6 s of calls at most, and a fifth of the time is left for them.
  const BACK_WITHIN_S = 40;

  it('answers all calls at once again soon after any trouble, whatever the trouble was', () => {
    const trouble = fc.record({
      load: fc.double({ min: 0.3, max: 0.8, noNaN: true }),
      refusals: fc.nat(2),
      speed: fc.double({ min: 0.15, max: 1, noNaN: true }),
      crowd: fc.double({ min: 1, max: 3, noNaN: true }),
      seconds: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(trouble, ({ load, refusals, speed, crowd, seconds }) => {
        const usual = load * capacityOf(refusals);
        const troubled = (now: number) => now >= 5000 && now < 5000 + seconds * 1000;
        const connector = new SimulatedConnector({
          perSecond: (now) => (troubled(now) ? usual * crowd : usual),
          speed: (now) => (troubled(now) ? speed : 1),
          refusals,
        });
        const back = 5 + seconds + BACK_WITHIN_S;
        connector.run((back + 3) * 1000);
        for (const { failed, waiting, slowestMs } of connector.seconds.slice(back, back + 3)) {
          expect({ failed, waiting }).toEqual({ failed: 0, waiting: 0 });
          expect(slowestMs).toBeLessThan(500);
        }
        expect(connector.guard.overload).toBeUndefined();
      }),
      { numRuns: 12 },
    );
  });

  it.each([1.2, 2])('goes on answering what it can while %f times as many come, without an end', (times) => {
    const connector = new SimulatedConnector({ perSecond: () => times * capacityOf(0), speed: () => 1, refusals: 0 });
    connector.run(40_000);
    expect(sumOf(connector.seconds.slice(10, 40), 'answered') / 30).toBeGreaterThan(0.7 * capacityOf(0));
  });

  it('loses no call while it has half of the processor for a few seconds', () => {
    const connector = new SimulatedConnector({
      perSecond: () => 0.8 * capacityOf(0),
      speed: (now) => (now > 5000 && now < 8000 ? 0.5 : 1),
      refusals: 0,
    });
    connector.run(30_000);
    expect(sumOf(connector.seconds, 'failed')).toBe(0);
  });
});

describe('what an INVITE says of how patient its sender is', () => {
  const patienceIn = (value: string) =>
    patienceOf(
      parseDatagram(
        Buffer.from(`OPTIONS sip:bank@127.0.0.1 SIP/2.0\r\n${HEAD}X-May-Wait: ${value}\r\n\r\n`),
      ) as SipRequest,
    );
  const HEAD = [
    'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-1',
    'From: <sip:a@127.0.0.1>;tag=1',
    'To: <sip:bank@127.0.0.1>',
    'Call-ID: patience',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
  ].join('\r\n');

  it.each([
    ['8;silence=6', { waitMs: 8000, silenceMs: 6000 }],
    ['8; silence=6;other=1', { waitMs: 8000, silenceMs: 6000 }],
    ['8', { waitMs: 8000, silenceMs: 2000 }],
    ['99;silence=99', { waitMs: 30_000, silenceMs: 30_000 }],
    ['4;silence=soon', { waitMs: 4000, silenceMs: 2000 }],
    ['0;silence=6', undefined],
    ['soon', undefined],
  ])('%s', (value, patience) => {
    expect(patienceIn(value)).toEqual(patience);
  });
});

describe('calls that are set up at once', () => {
  /** As many as may begin at this moment, of `calls`. */
  const begin = (window: SetUpWindow, calls: number, now: number, unread = 0) => {
    const over: (() => void)[] = [];
    for (let i = 0; i < calls; i++) if (!window.isFull(unread, now)) over.push(window.begins(now));
    return over;
  };
  const trouble = (calls = 40) => {
    const window = new SetUpWindow(300);
    const over = begin(window, calls, 0);
    for (let i = 0; i < 3; i++) window.observe(2, false);
    return { window, over };
  };

  it('are as many as come, until set-ups have taken too long three times in a row', () => {
    const window = new SetUpWindow(300);
    expect(begin(window, 200, 0).length).toBe(200);
    for (const excess of [2, 2, 0.5, 2, 2]) window.observe(excess, false);
    expect(window.size).toBeUndefined();
  });

  it('are fewer then, and one begins when one is done', () => {
    const { window, over } = trouble();
    expect(window.size).toBe(28);
    expect(begin(window, 1, 10)).toEqual([]);
    for (const done of over.splice(0, 15)) done();
    expect(begin(window, 40, 20).length).toBe(3);
  });

  it('are never none, even if nothing helps, and few while it takes long until messages are read', () => {
    const { window, over } = trouble();
    for (let i = 0; i < 50; i++) window.observe(2, true);
    expect(window.size).toBe(4);
    for (const done of over) done();
    expect(begin(window, 40, 0).length).toBe(4);
    const wide = trouble(100);
    for (const done of wide.over) done();
    expect(begin(wide.window, 100, 0, 2).length).toBe(4);
    expect(begin(wide.window, 100, 0, 0.5).length).toBe(66);
  });

  it('do not count for ever where one gets stuck', () => {
    const { window } = trouble();
    expect(window.isFull(0, 1199)).toBe(true);
    expect(window.isFull(0, 1200)).toBe(false);
  });

  it('are twice as many within two seconds when that goes well and more would come', () => {
    const { window, over } = trouble();
    const before = window.size!;
    for (const done of over) done();
    for (let i = 0; i < 5; i++) window.observe(0.2, true);
    expect(window.size).toBeGreaterThan(2 * before);
    for (let i = 0; i < 3; i++) window.observe(0.2, false);
    expect(window.size).toBeUndefined();
  });
});

describe('the load guard', () => {
  const limits = { cpu: 0.9, memory: 0.8, loopDelayMs: 100, setupMs: 300 };
  const calm = { cpu: 0.1, memory: 0.1, loopDelayMs: 1, setupMs: 5, receiveMs: 1 };
  /** Half a second in which `perSecond` calls come, and what the probe says at its end; how many were taken a second. */
  class HalfSeconds {
    readonly guard = new LoadGuard(limits, 0);
    #now = 0;

    pass(perSecond: number, sample: LoadSample | ((taken: number) => LoadSample)): number {
      const calls = Math.round(perSecond / 2);
      const taken = Array.from({ length: calls }, (_, i) => {
        return this.guard.refuses(0, this.#now + (500 * i) / calls) === undefined;
      });
      this.#now += 500;
      const rate = taken.filter(Boolean).length * 2;
      this.guard.observe(typeof sample === 'function' ? sample(rate) : sample, this.#now, { answered: rate / 2 });
      return rate;
    }
  }

  it('lets all calls in until three samples in a row are bad, not for one', () => {
    const time = new HalfSeconds();
    for (const cpu of [0.95, 0.5, 0.95, 0.95]) time.pass(100, { ...calm, cpu });
    expect([time.guard.overload, time.pass(100, { ...calm, cpu: 0.95 })]).toEqual([undefined, 100]);
    expect([time.guard.overload, time.guard.share]).toEqual(['cpu', 0.8]);
    expect(time.guard.bounds).toEqual({ perSecond: 80, atOnce: undefined });
    expect(Math.abs(time.pass(100, calm) - 80)).toBeLessThanOrEqual(6);
  });

  // A machine that has processor enough for 60 calls a second.
  const sixty = (taken: number) => ({ ...calm, cpu: taken > 60 ? 0.95 : 0.6 });

  it.each([100, 1000])('takes as many of %i calls a second as are carried, evenly', (perSecond) => {
    const time = new HalfSeconds();
    for (let i = 0; i < 3; i++) time.pass(100, sixty);
    const taken = Array.from({ length: 200 }, () => time.pass(perSecond, sixty)).slice(50);
    expect(taken.reduce((sum, rate) => sum + rate, 0) / taken.length).toBeGreaterThan(45);
    expect(Math.max(...taken)).toBeLessThan(80);
    expect(time.guard.overload).toBe('cpu');
  });

  it('takes all again within five seconds when there is room', () => {
    const time = new HalfSeconds();
    for (let i = 0; i < 30; i++) time.pass(100, { ...calm, loopDelayMs: 500 });
    expect(time.guard.share).toBeCloseTo(0.1);
    let seconds = 0;
    while (time.guard.overload !== undefined) {
      time.pass(100, calm);
      seconds += 0.5;
    }
    expect(seconds).toBeLessThanOrEqual(5);
    expect(time.pass(100, calm)).toBe(100);
  });

  it('holds what it has while things are neither bad nor clearly better', () => {
    const time = new HalfSeconds();
    for (let i = 0; i < 3; i++) time.pass(100, { ...calm, loopDelayMs: 150 });
    for (let i = 0; i < 10; i++) time.pass(100, { ...calm, loopDelayMs: 95 });
    expect(time.guard.overload).toBe('loopDelayMs');
    expect(time.guard.bounds.perSecond).toBe(80);
  });

  it('takes those that wait before new ones, and says what is short until nobody waits', () => {
    const time = new HalfSeconds();
    for (let i = 0; i < 3; i++) time.pass(100, { ...calm, cpu: 0.95 });
    expect(time.guard.refuses(0, 1500, true)).toBe('cpu');
    const taken = Array.from({ length: 500 }, (_, i) => time.guard.takesWaiting(0, 1500 + i)).filter(Boolean).length;
    expect(Math.abs(taken - 40)).toBeLessThanOrEqual(5);
    for (let i = 1; i < 20; i++) time.guard.observe(calm, 2000 + i * 500, { answered: 40, waiting: 1 });
    expect(time.guard.overload).toBe('cpu');
    for (let i = 20; i < 22; i++) time.guard.observe(calm, 2000 + i * 500, { answered: 40 });
    expect(time.guard.overload).toBeUndefined();
  });

  it('says how long a line lasts by what has been carried of late, not by one bad moment', () => {
    const time = new HalfSeconds();
    for (let i = 0; i < 4; i++) time.pass(100, { ...calm, setupMs: 400 });
    time.guard.observe({ ...calm, setupMs: 400 }, 2500, { answered: 5, waiting: 100 });
    expect(time.guard.overload).toBe('setupMs');
    expect(time.guard.waitMs(0)).toBe(0);
    expect(time.guard.waitMs(90)).toBe(1000);
  });

  it('does not begin at once what it has read too late in a crowd, nor lets wait what has been given up', () => {
    const time = new HalfSeconds();
    time.pass(4, calm);
    expect(time.guard.refuses(700, 600)).toBeUndefined();
    time.pass(100, calm);
    expect(time.guard.refuses(500, 1100)).toBeUndefined();
    expect(time.guard.refuses(700, 1100)).toBe('receiveMs');
    const [soon, late] = [2000, 6000].map((silenceMs) => ({ waitMs: 8000, silenceMs }));
    expect(time.guard.mayWait(0, soon!, 1400)).toBe(true);
    expect(time.guard.mayWait(0, soon!, 1500)).toBe(false);
    expect(time.guard.mayWait(0, late!, 5400)).toBe(true);
    expect(time.guard.mayWait(0, late!, 5500)).toBe(false);
    expect(time.guard.mayWait(1000, late!, 0)).toBe(false);
    // What it has waited unread it has waited.
    expect(time.guard.mayWait(0, { waitMs: 3000, silenceMs: 6000 }, 3000)).toBe(false);
  });

  it('never closes for want of time, and at once for want of memory', () => {
    const time = new HalfSeconds();
    for (let i = 0; i < 100; i++) time.pass(100, { ...calm, cpu: 1.5 });
    expect(Math.abs(time.pass(100, calm) - 10)).toBeLessThanOrEqual(4);
    for (let i = 0; i < 3; i++) time.pass(100, { ...calm, memory: 0.95 });
    expect([time.guard.overload, time.pass(100, calm)]).toEqual(['memory', 0]);
    for (let i = 0; i < 3; i++) time.pass(100, calm);
    expect(time.guard.overload).not.toBe('memory');
  });

  it('hears from a probe how busy this process is', async () => {
    const probe = new LoadProbe();
    const rest = () => new Promise((resolve) => setTimeout(resolve, 40));
    await rest();
    const until = performance.now() + 100;
    while (performance.now() < until);
    await rest();
    for (const tookMs of [5, 900, 20, 7, 300]) probe.setUp(tookMs);
    const { cpu, memory, loopDelayMs, setupMs, receiveMs } = probe.sample(7);
    expect([setupMs, receiveMs]).toEqual([20, 7]);
    // A call or two say nothing.
    probe.setUp(900);
    expect(probe.sample(0)).toMatchObject({ setupMs: 0 });
    probe.close();
    expect(cpu).toBeGreaterThan(0);
    expect(memory).toBeGreaterThan(0);
    expect(memory).toBeLessThan(1);
    expect(loopDelayMs).toBeGreaterThan(20);
  });
});
