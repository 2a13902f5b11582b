import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { EchoMarks } from '../../src/media/echo/echo-marks.ts';
import { EarlyEar } from '../../src/media/inbound/early-ear.ts';
import { packet } from './support.ts';

interface Got {
  value: number;
  at: number;
  position: number;
  begun: boolean;
}

let ear: EarlyEar;
let got: Got[];
beforeEach(() => {
  ear = new EarlyEar();
  got = [];
});

/** A packet whose samples all say its number. */
const numbered = (n: number, ssrc = 1) =>
  packet({
    sequence: n,
    timestamp: 160 * n,
    ssrc,
    payload: new Uint8Array(160).fill(PCMU.fromLinear[(1000 + 500 * (n % 50)) & 0xffff]!),
  });
const heardOf = (n: number): number => PCMU.toLinear[PCMU.fromLinear[(1000 + 500 * (n % 50)) & 0xffff]!]!;
const arrive = (n: number, now: number, ssrc = 1) => ear.push(numbered(n, ssrc), PCMU.decoder(), now);
const tick = (now: number) => {
  ear.pass(now);
  ear.drain((frame, at, position, begun) => got.push({ value: frame[80]!, at, position, begun }));
};

describe('hearing packets as they arrive', () => {
  test('gives every frame at the next tick, dated to when it was spoken', () => {
    for (let n = 0; n < 10; n++) {
      arrive(n, 1000 + 20 * n);
      tick(1010 + 20 * n);
    }
    expect(got.map(({ value }) => value)).toEqual(Array.from({ length: 10 }, (_, n) => heardOf(n)));
    got.forEach(({ at }, n) => {
      expect(at).toBeCloseTo(980 + 20 * n, 0);
    });
  });

  test('tells the silence before the first packet from silence that was sent or lies between packets', () => {
    tick(900);
    tick(920);
    arrive(0, 1000);
    tick(1010);
    tick(1100);
    expect(got.map(({ begun }) => begun)).toEqual([false, false, true, true]);
  });

  test('packets that travelled slowly are dated like those that travelled fast', () => {
    [0, 0, 15, 3, 35, 16, 0].forEach((late, n) => {
      arrive(n, 1000 + 20 * n + late);
    });
    tick(1200);
    got.forEach(({ at }, n) => {
      expect(Math.abs(at - (980 + 20 * n))).toBeLessThan(1);
    });
  });

  test('a caller whose timestamps stood still while nothing came is heard again at once', () => {
    let now = 1000;
    for (let n = 0; n < 10; n++, now += 20) {
      arrive(n, now);
      tick(now + 10);
    }
    // 300 ms without packets, then the stream goes on where it was
    for (let gap = 0; gap < 15; gap++, now += 20) tick(now + 10);
    got = [];
    const resumed = now;
    for (let n = 10; n < 60; n++, now += 20) {
      arrive(n, now);
      tick(now + 10);
    }
    const voice = got.filter(({ value }) => value !== 0);
    expect(voice.length).toBeGreaterThanOrEqual(45);
    expect(voice[0]!.at).toBeLessThan(resumed + 120);
    expect(Math.abs(got.at(-1)!.at - (now - 40))).toBeLessThan(25);
    // and time never runs backwards
    for (let i = 1; i < got.length; i++) expect(got[i]!.at).toBeGreaterThanOrEqual(got[i - 1]!.at);
  });

  test('after an outage of the network the burst of old packets is left out, and the timeline stands', () => {
    let now = 1000;
    for (let n = 0; n < 10; n++, now += 20) {
      arrive(n, now);
      tick(now + 10);
    }
    for (let gap = 0; gap < 15; gap++, now += 20) tick(now + 10);
    for (let n = 10; n < 25; n++) arrive(n, now);
    got = [];
    for (let n = 25; n < 60; n++, now += 20) {
      arrive(n, now);
      tick(now + 10);
    }
    got.slice(-20).forEach(({ value, at }, i) => {
      expect(value).toBe(heardOf(40 + i));
      expect(Math.abs(at - (1000 + 20 * (40 + i) - 20))).toBeLessThan(2);
    });
  });

  test('a packet lost is a hole that keeps its time; one that comes behind its successor is dropped', () => {
    for (const n of [0, 1, 3, 2, 4]) arrive(n, 1000 + 20 * n);
    tick(1100);
    expect(got).toHaveLength(5);
    expect(got.map(({ position }) => position)).toEqual([0, 160, 320, 480, 640]);
    expect(got[3]!.value).toBe(heardOf(3));
    expect(got[4]!.value).toBe(heardOf(4));
  });

  test('a caller who sends nothing is silent, tick by tick, and the time goes on', () => {
    arrive(0, 1000);
    for (let now = 1010; now < 1500; now += 20) tick(now);
    expect(got.length).toBeGreaterThan(20);
    expect(got.slice(1).every(({ value }) => value === 0)).toBe(true);
    arrive(25, 1500);
    tick(1510);
    expect(got.at(-1)!.value).toBe(heardOf(25));
    expect(Math.abs(got.at(-1)!.at - 1480)).toBeLessThan(25);
  });

  test('another stream starts at once', () => {
    arrive(0, 1000);
    tick(1010);
    arrive(5000, 1020, 2);
    tick(1030);
    expect(got.map(({ at }) => Math.round(at))).toEqual([980, 1000]);
    expect(got[1]!.value).toBe(heardOf(5000));
  });

  test('after an outage the oldest goes', () => {
    for (let n = 0; n < 30; n++) arrive(n, 2000);
    tick(2001);
    expect(got).toHaveLength(10);
    expect(got.at(-1)!.position).toBe(29 * 160);
  });

  test('whatever arrives in whatever order: time never runs backwards', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ n: fc.nat(200), wait: fc.nat(60), ssrc: fc.integer({ min: 1, max: 2 }) })),
        (arrivals) => {
          ear = new EarlyEar();
          got = [];
          let now = 1000;
          for (const { n, wait, ssrc } of arrivals) {
            now += wait;
            arrive(n, now, ssrc);
            tick(now);
          }
          for (let i = 1; i < got.length; i++) {
            expect(got[i]!.position).toBeGreaterThanOrEqual(got[i - 1]!.position + 160);
            expect(got[i]!.at).toBeGreaterThanOrEqual(got[i - 1]!.at);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('which frames were echo is known to those who get them later', () => {
  const marks = new EchoMarks();
  for (let i = 0; i < 100; i++) marks.mark(20 * i, i % 10 === 0);
  expect(marks.isEcho(20 * 90 + 6)).toBe(true);
  expect(marks.isEcho(20 * 91 + 6)).toBe(false);
  expect(marks.isEcho(20 * 10)).toBe(false);
});
