import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Notice, ReferralMachine } from '../../src/sip/session/referral-machine.ts';

const TIMES = { firstNotifyMs: 32_000, longestMs: 180_000, afterByeMs: 1_500 };
const asked = () => new ReferralMachine(TIMES, 0);
const notice = (status: number | undefined, more: Partial<Notice> = {}): Notice => ({
  status,
  terminated: false,
  reason: undefined,
  expiresS: undefined,
  ...more,
});

describe('a REFER of ours', () => {
  it('is followed to its end: 202, trying, ringing, answered', () => {
    const machine = asked();
    machine.answered(202, true, 10);
    machine.notified(notice(100), 20);
    machine.notified(notice(180), 30);
    expect([machine.state, machine.progress, machine.end]).toEqual(['trying', 180, undefined]);
    machine.notified(notice(200, { terminated: true, reason: 'noresource' }), 40);
    expect(machine.end).toEqual({ outcome: 'connected', status: 200 });
    expect(machine.deadline()).toBeUndefined();
  });

  it('that is refused is over', () => {
    const machine = asked();
    machine.answered(603, true, 10);
    expect(machine.end).toEqual({ outcome: 'refused', status: 603 });
  });

  it('that nobody answers is refused with 408 in the end', () => {
    const machine = asked();
    machine.tick(180_000);
    expect(machine.end).toEqual({ outcome: 'refused', status: 408 });
  });

  it('whose NOTIFY comes before the 202 is accepted all the same', () => {
    const machine = asked();
    machine.notified(notice(100), 5);
    machine.answered(202, true, 10);
    machine.notified(notice(486, { terminated: true }), 20);
    expect(machine.end).toEqual({ outcome: 'failed', status: 486 });
  });

  it('whose answer is lost behind its NOTIFY counts by the NOTIFY', () => {
    const machine = asked();
    machine.notified(notice(200, { terminated: true }), 5);
    machine.answered(408, true, 10);
    expect(machine.end).toEqual({ outcome: 'connected', status: 200 });
  });

  it('of a peer that never notifies is unknown after 64*T1', () => {
    const machine = asked();
    machine.answered(202, true, 10);
    machine.tick(32_009);
    expect(machine.end).toBeUndefined();
    machine.tick(32_010);
    expect(machine.end).toEqual({ outcome: 'unknown', why: 'no-notify' });
  });

  it('whose subscription runs out is unknown, and each NOTIFY gives it time anew', () => {
    const machine = asked();
    machine.answered(202, true, 0);
    machine.notified(notice(100, { expiresS: 20 }), 1_000);
    machine.notified(notice(180, { expiresS: 60 }), 15_000);
    machine.tick(74_999);
    expect(machine.end).toBeUndefined();
    machine.tick(75_000);
    expect(machine.end).toEqual({ outcome: 'unknown', why: 'expired' });
  });

  it('cannot be kept up beyond its longest time by a peer that goes on ringing', () => {
    const machine = asked();
    machine.answered(202, true, 0);
    for (let at = 0; at < 180_000; at += 10_000) machine.notified(notice(180, { expiresS: 3600 }), at);
    machine.tick(180_000);
    expect(machine.end).toEqual({ outcome: 'unknown', why: 'expired' });
  });

  it('that ends without a status says nothing of how it went', () => {
    const machine = asked();
    machine.answered(202, true, 0);
    machine.notified(notice(undefined, { terminated: true, reason: 'noresource' }), 10);
    expect(machine.end).toEqual({ outcome: 'unknown', why: 'no-status' });
  });

  it('of a peer that takes it and says BYE at once has left', () => {
    const machine = asked();
    machine.answered(202, true, 0);
    machine.dialogEnded('remote', 10);
    expect(machine.end).toEqual({ outcome: 'left' });
  });

  it('of one that said it was trying may still tell behind its BYE, for a moment', () => {
    for (const [last, end] of [
      [notice(200, { terminated: true }), { outcome: 'connected', status: 200 }],
      [notice(487, { terminated: true }), { outcome: 'failed', status: 487 }],
      [undefined, { outcome: 'left' }],
    ] as const) {
      const machine = asked();
      machine.answered(202, true, 0);
      machine.notified(notice(100), 10);
      machine.dialogEnded('remote', 100);
      expect(machine.state).toBe('leaving');
      if (last) machine.notified(last, 200);
      machine.tick(1_600);
      expect(machine.end).toEqual(end);
    }
  });

  it('without a subscription is known by the BYE only', () => {
    const machine = asked();
    machine.answered(202, false, 0);
    machine.tick(60_000);
    expect(machine.end).toBeUndefined();
    machine.dialogEnded('remote', 61_000);
    expect(machine.end).toEqual({ outcome: 'left' });
  });

  it('ends with the call when the caller hangs up before it is taken, or we do', () => {
    const before = asked();
    before.dialogEnded('remote', 10);
    expect(before.end).toEqual({ outcome: 'ended', by: 'remote' });
    const ours = asked();
    ours.answered(202, true, 0);
    ours.dialogEnded('local', 10);
    expect(ours.end).toEqual({ outcome: 'ended', by: 'local' });
  });

  it('settles once, whatever comes in whatever order, and never stays open', () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('answered' as const), status: fc.constantFrom(200, 202, 403, 408, 603) }),
      fc.record({
        what: fc.constant('notified' as const),
        status: fc.option(fc.constantFrom(100, 180, 200, 486), { nil: undefined }),
        terminated: fc.boolean(),
      }),
      fc.record({ what: fc.constant('ended' as const), by: fc.constantFrom('remote', 'local', 'network' as const) }),
      fc.record({ what: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 100_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const machine = asked();
        let now = 0;
        let end: unknown;
        for (const one of steps) {
          if (one.what === 'answered') machine.answered(one.status, true, now);
          else if (one.what === 'notified') machine.notified(notice(one.status, { terminated: one.terminated }), now);
          else if (one.what === 'ended') machine.dialogEnded(one.by as 'remote', now);
          else {
            now += one.ms;
            machine.tick(now);
          }
          if (end !== undefined) expect(machine.end).toBe(end);
          end = machine.end;
          expect(end === undefined).toBe(machine.deadline() !== undefined);
        }
        machine.tick(now + TIMES.longestMs);
        expect(machine.end).toBeDefined();
      }),
    );
  });
});
