import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Invitations } from '../../src/call/supervision/invitations.ts';
import { ShortNumbers } from '../../src/call/supervision/short-numbers.ts';
import { CodeGuard, SupervisorCodes } from '../../src/call/supervision/supervisor-codes.ts';
import { SupervisorKeys } from '../../src/call/supervision/supervisor-keys.ts';

describe('the short number of a call', () => {
  it('is keyed in three or four digits, is no other call’s, and is not given out again at once', () => {
    const numbers = new ShortNumbers(200);
    const first = numbers.take('a');
    expect([first, numbers.sessionOf(first)]).toEqual(['100', 'a']);
    numbers.release(first);
    expect(numbers.take('b')).toBe('101');
    expect(numbers.sessionOf('100')).toBeUndefined();
    expect(new ShortNumbers(500).take('c')).toBe('1000');
    expect(new ShortNumbers(5000).take('c')).toBe('10000');
  });

  it('stays its own through any coming and going', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(49), { maxLength: 3000 }), (goes) => {
        const numbers = new ShortNumbers(50);
        const live = new Map<number, string>();
        for (const slot of goes) {
          const number = live.get(slot);
          if (number === undefined) live.set(slot, numbers.take(`call ${slot}`));
          else {
            numbers.release(number);
            live.delete(slot);
          }
        }
        for (const [slot, number] of live) expect(numbers.sessionOf(number)).toBe(`call ${slot}`);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a place that is kept for a supervisor', () => {
  const invitation = (supervisionId: string) => ({
    supervisionId,
    sessionId: 's',
    name: 'anna',
    mode: 'listen' as const,
    since: new Date(0),
  });

  it('is taken once, by whom it was kept for, within half a minute', () => {
    const invitations = new Invitations();
    invitations.add(invitation('a'), 0);
    invitations.add(invitation('b'), 10_000);
    expect(invitations.take('c', 11_000)).toBeUndefined();
    expect(invitations.open(29_000).map(({ supervisionId }) => supervisionId)).toEqual(['a', 'b']);
    expect(invitations.take('b', 29_000)).toMatchObject({ name: 'anna' });
    expect(invitations.take('b', 29_000)).toBeUndefined();
    expect(invitations.take('a', 31_000)).toBeUndefined();
    expect(invitations.open(31_000)).toEqual([]);
  });

  it('in one call is not given up by who names another', () => {
    const invitations = new Invitations();
    invitations.add(invitation('a'), 0);
    expect(invitations.take('a', 1, 'another call')).toBeUndefined();
    expect(invitations.take('a', 1, 's')).toMatchObject({ name: 'anna' });
  });
});

describe('access codes', () => {
  it('are known by whose they are', () => {
    const codes = new SupervisorCodes([
      { name: 'anna', code: '482915' },
      { name: 'bob', code: '115599' },
    ]);
    expect(['482915', '115599', '48291', ''].map((code) => codes.whose(code))).toEqual([
      'anna',
      'bob',
      undefined,
      undefined,
    ]);
    expect(JSON.stringify(codes)).not.toContain('482915');
  });

  it('that are wrong make each answer slower, and lock the place they come from for a while, and no other', () => {
    const guard = new CodeGuard();
    const pauses = Array.from({ length: 5 }, (_, i) => guard.wrongCode('office +1', i * 1000));
    expect(pauses.map(({ pauseMs }) => pauseMs)).toEqual([1000, 2000, 4000, 8000, 8000]);
    expect(guard.locked('office +1', 5000)).toBe(false);
    expect(guard.wrongCode('office +1', 6000).locked).toBe(true);
    expect([guard.locked('office +1', 7000), guard.locked('office +2', 7000)]).toEqual([true, false]);
    expect(guard.locked('office +1', 6000 + 15 * 60_000)).toBe(false);
    expect(guard.wrong).toBe(6);
  });

  it('that are wrong now and then lock nobody out', () => {
    const guard = new CodeGuard();
    for (let i = 0; i < 20; i++) expect(guard.wrongCode('office', i * 5 * 60_000).locked).toBe(false);
    guard.wrongCode('desk', 0);
    guard.rightCode('desk');
    expect(guard.wrongCode('desk', 1).pauseMs).toBe(1000);
  });

  it('tried from ever new numbers do not fill the memory', () => {
    const guard = new CodeGuard();
    for (let i = 0; i < 6; i++) guard.wrongCode('first', i);
    for (let i = 0; i < 2000; i++) guard.wrongCode(`number ${i}`, 10);
    expect(guard.locked('first', 20)).toBe(false);
  });
});

describe('the keys of a supervisor', () => {
  const press = (keys: SupervisorKeys, all: string) => [...all].map((key) => keys.press(key)).at(-1);

  it('are first the code, then the call, then the way of taking part', () => {
    const keys = new SupervisorKeys();
    expect(press(keys, '12*482915#')).toEqual({ type: 'code', code: '482915' });
    expect(() => keys.moved('attached')).toThrow('without a code');
    keys.moved('call');
    expect(press(keys, '#')).toBeUndefined();
    expect(press(keys, '101#')).toEqual({ type: 'call', number: '101' });
    keys.moved('attached');
    expect([...'1234509'].map((key) => keys.press(key))).toEqual([
      { type: 'mode', mode: 'listen' },
      { type: 'mode', mode: 'whisper' },
      { type: 'mode', mode: 'join' },
      { type: 'mode', mode: 'take-over' },
      { type: 'mode', mode: 'listen' },
      undefined,
      undefined,
    ]);
    expect(keys.press('#')).toEqual({ type: 'leave' });
  });

  it('never lead into a call without a code, whatever is keyed', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789*#ABCD'), maxLength: 60 }), (all) => {
        const keys = new SupervisorKeys();
        for (const key of all) {
          const command = keys.press(key);
          if (command) expect(command.type).toBe('code');
          if (command?.type === 'code') expect(command.code).toMatch(/^[0-9]{1,16}$/);
        }
        expect(keys.step).toBe('code');
      }),
    );
  });
});
