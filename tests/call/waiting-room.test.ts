import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, WaitingRoom } from '../../src/call/handover/waiting-room.ts';

const ANNA = { name: 'anna', calls: 1 };
const BEN = { name: 'ben', calls: 1 };
const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('callers in line for a person', () => {
  it('are served in the order they came', async () => {
    const room = new WaitingRoom();
    const [first, second, third] = [room.join('q', 9)!, room.join('q', 9)!, room.join('q', 9)!];
    const served: string[] = [];
    const talk = await first.next([ANNA], never);
    void third.next([ANNA], never).then(() => served.push('third'));
    void second.next([ANNA], never).then((claim) => {
      served.push('second');
      claim?.release();
    });
    first.leave();
    await settled();
    expect([served, second.position, third.position]).toEqual([[], 1, 2]);
    talk?.release();
    await settled();
    expect(served).toEqual(['second', 'third']);
  });

  it('take whoever of theirs is free, in their order of choice', async () => {
    const room = new WaitingRoom();
    const [first, second] = [room.join('q', 9)!, room.join('q', 9)!];
    expect((await first.next([ANNA, BEN], never))?.target).toBe('anna');
    expect((await second.next([ANNA, BEN], never))?.target).toBe('ben');
  });

  it('share a person who serves several queues', async () => {
    const room = new WaitingRoom();
    const [cards, loans] = [room.join('cards', 9)!, room.join('loans', 9)!];
    const talk = await cards.next([ANNA], never);
    let claim: Claim | undefined;
    void loans.next([ANNA], never).then((got) => {
      claim = got;
    });
    await settled();
    expect([claim, loans.position]).toEqual([undefined, 1]);
    talk?.release();
    await settled();
    expect(claim?.target).toBe('anna');
  });

  it('are told when they move up, and refused where there is no place', () => {
    const room = new WaitingRoom();
    const [first, second] = [room.join('q', 2)!, room.join('q', 2)!];
    expect(room.join('q', 2)).toBeUndefined();
    expect(room.join('other', 2)).toBeDefined();
    let moved = 0;
    second.onMoved = () => moved++;
    first.leave();
    first.leave();
    expect([moved, second.position, room.waiting('q')]).toEqual([1, 1, 1]);
  });

  it('who give up get nobody, and keep nobody', async () => {
    const room = new WaitingRoom();
    const [first, second] = [room.join('q', 9)!, room.join('q', 9)!];
    const talk = await first.next([ANNA], never);
    const giveUp = new AbortController();
    const waiting = second.next([ANNA], giveUp.signal);
    giveUp.abort();
    expect(await waiting).toBeUndefined();
    talk?.release();
    talk?.release();
    expect(room.inHand).toBe(0);
  });

  it('never share a person who takes one call, and nobody is left waiting for one who is free', async () => {
    const step = fc.record({
      who: fc.nat({ max: 5 }),
      what: fc.constantFrom('ask', 'abort', 'release', 'leave', 'join'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const room = new WaitingRoom();
        const people = [ANNA, BEN];
        const callers = Array.from({ length: 6 }, () => ({
          ticket: room.join('q', 6),
          claim: undefined as Claim | undefined,
          giveUp: undefined as AbortController | undefined,
        }));
        for (const { who, what } of steps) {
          const caller = callers[who]!;
          if (what === 'ask' && caller.ticket && !caller.claim && !caller.giveUp) {
            const giveUp = new AbortController();
            caller.giveUp = giveUp;
            void caller.ticket.next(people, giveUp.signal).then((claim) => {
              caller.claim = claim;
              caller.giveUp = undefined;
            });
          } else if (what === 'abort') caller.giveUp?.abort();
          else if (what === 'release') {
            caller.claim?.release();
            caller.claim = undefined;
          } else if (what === 'leave') {
            caller.ticket?.leave();
            caller.ticket = undefined;
          } else if (what === 'join') caller.ticket ??= room.join('q', 6);
          await settled();
          const taken = callers.flatMap(({ claim }) => (claim ? [claim.target] : []));
          expect(new Set(taken).size).toBe(taken.length);
          expect(room.inHand).toBe(taken.length);
          const waiting = callers.filter(({ giveUp }) => giveUp !== undefined).length;
          expect(Math.min(waiting, people.length - taken.length)).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });
});
