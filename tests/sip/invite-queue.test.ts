import { describe, expect, it } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { InviteQueue } from '../../src/sip/transport/invite-queue.ts';
import { listen, OFFER, UdpPeer } from './support.ts';

/** A queue whose datagrams take so long each, and an event loop that turns when told. */
function queueOf(eachMs: number) {
  let now = 0;
  const turns: (() => void)[] = [];
  const served: string[] = [];
  const queue = new InviteQueue<string>({
    take: (one) => {
      served.push(one);
      now += eachMs;
    },
    now: () => now,
    later: (run) => turns.push(run),
  });
  return {
    queue,
    served,
    add: (one: string) => queue.add(one),
    turn: () => {
      for (const run of turns.splice(0)) run();
    },
    now: () => now,
    turns,
  };
}

describe('INVITEs of one socket', () => {
  it('are served as they come while there is time', () => {
    const { add, served, turn, queue, now } = queueOf(1);
    for (const one of ['a', 'b', 'c']) add(one);
    expect(served).toEqual(['a', 'b', 'c']);
    expect(queue.waitMs(now())).toBe(0);
    turn();
    expect(served).toHaveLength(3);
  });

  it('leave the sockets their turn, and keep their order', () => {
    const { add, served, turn, turns } = queueOf(5);
    for (const one of ['a', 'b', 'c', 'd', 'e']) add(one);
    expect(served).toEqual(['a', 'b']);
    turn();
    expect(served).toEqual(['a', 'b', 'c', 'd']);
    add('f');
    turn();
    expect(served).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    turn();
    expect(turns).toEqual([]);
  });

  it('say how long the next one has waited, and how long the one had that is being served', () => {
    const waited: number[] = [];
    let now = 0;
    const turns: (() => void)[] = [];
    const queue = new InviteQueue<string>({
      take: () => {
        waited.push(queue.waitMs(now));
        now += 10;
      },
      now: () => now,
      later: (run) => turns.push(run),
    });
    for (const one of ['a', 'b']) queue.add(one);
    now += 90;
    expect(queue.waitMs(now)).toBe(90);
    turns.shift()!();
    expect(waited).toEqual([0, 90]);
  });

  it('are let go when they have waited for half a second: their copy stands behind them, or comes', () => {
    const { add, served, turn, queue } = queueOf(200);
    for (const one of ['a', 'b', 'c', 'd', 'e']) add(one);
    for (let turns = 0; turns < 5; turns++) turn();
    expect(served).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.dropped).toBe(1);
    add('e');
    turn();
    expect(served).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('are let go when two thousand wait, and none is served behind the close', () => {
    const { add, served, turn, queue } = queueOf(20);
    for (let n = 0; n <= 2_005; n++) add(String(n));
    expect(queue.dropped).toBe(5);
    queue.close();
    turn();
    expect(served).toEqual(['0']);
  });
});

it('who hangs up is heard before a crowd that has called earlier is let in', async () => {
  let rung = 0;
  let rungAtBye: number | undefined;
  const { ua, udp } = await listen({
    timers: {},
    onInvite: (invite) => {
      rung++;
      if (rung > 1) {
        const until = monotonicNow() + 2;
        while (monotonicNow() < until);
        return;
      }
      invite.answer(OFFER).catch(() => undefined);
      invite.signal.addEventListener('abort', () => {
        rungAtBye = rung;
      });
    },
  });
  const caller = await UdpPeer.open(udp);
  const crowd = await UdpPeer.open(udp);
  try {
    const uri = `sip:bank@127.0.0.1:${udp}`;
    caller.say('INVITE', uri, { body: OFFER });
    const { toTag } = await caller.response(200, 'INVITE');
    caller.say('ACK', uri, { toTag });
    for (let n = 0; n < 150; n++) crowd.say('INVITE', uri, { body: OFFER, callId: `crowd-${n}` });
    caller.say('BYE', uri, { toTag, cseq: 2 });
    await caller.response(200, 'BYE');
    expect(rungAtBye).toBeLessThan(100);
  } finally {
    for (const one of [caller, crowd, ua]) await one.close();
  }
}, 30_000);
