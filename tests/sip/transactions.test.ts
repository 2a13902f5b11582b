import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transportFailure } from '../../src/sip/errors.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { createResponse } from '../../src/sip/message/response.ts';
import { AnswerMachine } from '../../src/sip/transactions/answer.ts';
import { InviteClientMachine } from '../../src/sip/transactions/invite-client.ts';
import { InviteServerMachine } from '../../src/sip/transactions/invite-server.ts';
import type { Effect } from '../../src/sip/transactions/machine.ts';
import { NonInviteClientMachine } from '../../src/sip/transactions/non-invite-client.ts';
import { NonInviteServerMachine } from '../../src/sip/transactions/non-invite-server.ts';
import { DEFAULT_TIMERS as T } from '../../src/sip/transactions/timers.ts';
import { ClientTransaction, type TransactionHost } from '../../src/sip/transactions/transaction.ts';
import type { Flow } from '../../src/sip/transport/flow.ts';

function request(method: string): SipRequest {
  const built = new SipRequest(method, 'sip:bank@192.0.2.1');
  built.headers.append('Via', 'SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1').append('Max-Forwards', '70');
  built.headers.append('Route', '<sip:192.0.2.9;lr>').append('From', '<sip:ada@192.0.2.2>;tag=ada');
  built.headers.append('To', '<sip:bank@192.0.2.1>').append('Call-ID', 'c').append('CSeq', `7 ${method}`);
  return built;
}

const invite = request('INVITE');
const ack = request('ACK');
const bye = request('BYE');
const answer = (status: number, to: SipRequest = invite) => createResponse(to, status, 'bank');
const trying = () => answer(100);

/** What a machine does, in words: `send 200`, `send INVITE`, `deliver 180`, `timeout`, `terminated`. */
function words(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    if (effect.type !== 'send' && effect.type !== 'deliver') return effect.type;
    const { message } = effect;
    return `${effect.type} ${message instanceof SipRequest ? message.method : message.status}`;
  });
}

/** Lets time pass up to `until`, from timer to timer: every effect with the time it came at. */
function pass(
  machine: { deadline(): number | undefined; tick(now: number): Effect[] },
  until: number,
): [number, string][] {
  const log: [number, string][] = [];
  for (let at = machine.deadline(); at !== undefined && at <= until; at = machine.deadline()) {
    for (const word of words(machine.tick(at))) log.push([at, word]);
  }
  return log;
}

const times = (log: [number, string][], word: string) => log.filter(([, what]) => what === word).map(([at]) => at);

describe('INVITE client transaction', () => {
  it('on UDP sends again at 0.5, 1.5, 3.5 ... s (timer A) and gives up after 32 s (timer B)', () => {
    const machine = new InviteClientMachine(invite, false, T);
    expect(words(machine.start(0))).toEqual(['send INVITE']);
    const log = pass(machine, 60_000);
    expect(times(log, 'send INVITE')).toEqual([500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(log.slice(-2)).toEqual([
      [32_000, 'timeout'],
      [32_000, 'terminated'],
    ]);
  });

  it('on TCP sends once', () => {
    const machine = new InviteClientMachine(invite, true, T);
    machine.start(0);
    expect(pass(machine, 60_000)).toEqual([
      [32_000, 'timeout'],
      [32_000, 'terminated'],
    ]);
  });

  it('falls silent when it rings, for as long as it rings', () => {
    const machine = new InviteClientMachine(invite, false, T);
    machine.start(0);
    expect(words(machine.receive(answer(180), 100))).toEqual(['deliver 180']);
    expect(machine.deadline()).toBeUndefined();
  });

  it.each([
    [false, ['send ACK', 'deliver 486'], 'completed'],
    [true, ['send ACK', 'deliver 486', 'terminated'], 'terminated'],
  ])('acknowledges a refusal (reliable: %s), every copy of it on UDP, until timer D', (reliable, expected, state) => {
    const machine = new InviteClientMachine(invite, reliable, T);
    machine.start(0);
    expect(words(machine.receive(answer(486), 100))).toEqual(expected);
    expect(machine.state).toBe(state);
    expect(words(machine.receive(answer(486), 200))).toEqual(reliable ? [] : ['send ACK']);
    expect(pass(machine, 99_000)).toEqual(reliable ? [] : [[32_100, 'terminated']]);
  });

  it('builds that ACK as RFC 3261 17.1.1.3 says', () => {
    const machine = new InviteClientMachine(invite, false, T);
    machine.start(0);
    const [first] = machine.receive(answer(404), 1);
    const sent = first?.type === 'send' ? (first.message as SipRequest) : undefined;
    expect(sent?.headers.get('via')).toBe(invite.headers.get('via'));
    expect(sent?.headers.get('route')).toBe('<sip:192.0.2.9;lr>');
    expect([sent?.uri, sent?.toTag, sent?.fromTag]).toEqual([invite.uri, 'bank', 'ada']);
    expect(sent?.cseq).toEqual({ number: 7, method: 'ACK' });
  });

  it('hands up every 2xx until timer M, and nothing else by then (RFC 6026)', () => {
    const machine = new InviteClientMachine(invite, false, T);
    machine.start(0);
    expect(words(machine.receive(answer(200), 100))).toEqual(['deliver 200']);
    expect(words(machine.receive(answer(200), 700))).toEqual(['deliver 200']);
    expect(words(machine.receive(answer(486), 800))).toEqual([]);
    expect(pass(machine, 99_000)).toEqual([[32_100, 'terminated']]);
  });
});

describe('other client transactions', () => {
  it('on UDP send again after 0.5, 1, 2, 4, 4 ... s (timer E) and give up after 32 s (timer F)', () => {
    const machine = new NonInviteClientMachine(bye, false, T);
    expect(words(machine.start(0))).toEqual(['send BYE']);
    const log = pass(machine, 60_000);
    const expected = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    expect(times(log, 'send BYE')).toEqual(expected);
    expect(times(log, 'timeout')).toEqual([32_000]);
  });

  it('slow down to 4 s once the peer has said that it is at work', () => {
    const machine = new NonInviteClientMachine(bye, false, T);
    machine.start(0);
    machine.receive(answer(100, bye), 200);
    expect(times(pass(machine, 12_600), 'send BYE')).toEqual([500, 4500, 8500, 12_500]);
  });

  it.each([
    [false, 5100],
    [true, undefined],
  ])('swallow repeated answers until timer K (reliable: %s)', (reliable, end) => {
    const machine = new NonInviteClientMachine(bye, reliable, T);
    machine.start(0);
    expect(words(machine.receive(answer(200, bye), 100))[0]).toBe('deliver 200');
    expect(words(machine.receive(answer(200, bye), 200))).toEqual([]);
    expect(times(pass(machine, 99_000), 'terminated')).toEqual(end === undefined ? [] : [end]);
    expect(machine.state).toBe('terminated');
  });
});

it('a client transaction that is over is forgotten also where its user throws at the answer', () => {
  const told: string[] = [];
  const host = {
    now: () => 0,
    changed: () => told.push('changed'),
    forgetClient: () => told.push('forgotten'),
  } as unknown as TransactionHost;
  const flow = { send: () => undefined } as unknown as Flow;
  const onResponse = () => {
    throw new Error('a user that fails');
  };
  const events = { onResponse, onFailed: () => undefined };
  const transaction = new ClientTransaction(host, new NonInviteClientMachine(bye, true, T), flow, 'key', events);
  transaction.start();
  told.length = 0;
  expect(() => transaction.receive(answer(200, bye))).toThrow('a user that fails');
  expect(told).toEqual(['forgotten', 'changed']);
});

describe('INVITE server transaction', () => {
  it('says 100 by itself after 200 ms, unless the user was quicker', () => {
    const slow = new InviteServerMachine(false, T, 0, trying);
    expect(pass(slow, 1000)).toEqual([[200, 'send 100']]);
    expect(words(slow.receive(invite, 1100))).toEqual(['send 100']);
    const quick = new InviteServerMachine(false, T, 0, trying);
    quick.respond(answer(180), 50);
    expect(pass(quick, 1000)).toEqual([]);
    expect(words(quick.receive(invite, 1100))).toEqual(['send 180']);
  });

  it('repeats a refusal on UDP after 0.5, 1, 2, 4, 4 ... s (timer G) and reports a missing ACK (timer H)', () => {
    const machine = new InviteServerMachine(false, T, 0, trying);
    expect(words(machine.respond(answer(486), 0))).toEqual(['send 486']);
    expect(words(machine.receive(invite, 10))).toEqual(['send 486']);
    const log = pass(machine, 99_000);
    expect(times(log, 'send 486').slice(0, 5)).toEqual([500, 1500, 3500, 7500, 11_500]);
    expect(log.slice(-2)).toEqual([
      [32_000, 'timeout'],
      [32_000, 'terminated'],
    ]);
  });

  it('does not repeat it on TCP, but waits for the ACK all the same', () => {
    const machine = new InviteServerMachine(true, T, 0, trying);
    machine.respond(answer(486), 0);
    expect(pass(machine, 99_000)).toEqual([
      [32_000, 'timeout'],
      [32_000, 'terminated'],
    ]);
  });

  it('absorbs further ACKs for 5 s on UDP (timer I), ends at once on TCP', () => {
    const udp = new InviteServerMachine(false, T, 0, trying);
    udp.respond(answer(486), 0);
    expect(words(udp.receive(ack, 300))).toEqual([]);
    expect(udp.state).toBe('confirmed');
    expect(words(udp.receive(ack, 400))).toEqual([]);
    expect(pass(udp, 99_000)).toEqual([[5300, 'terminated']]);
    const tcp = new InviteServerMachine(true, T, 0, trying);
    tcp.respond(answer(486), 0);
    expect(words(tcp.receive(ack, 300))).toEqual(['terminated']);
  });

  it('stays for timer L after a 2xx, so that a late INVITE makes no second call (RFC 6026)', () => {
    const machine = new InviteServerMachine(false, T, 0, trying);
    expect(words(machine.respond(answer(200), 0))).toEqual(['send 200']);
    expect(words(machine.receive(invite, 900))).toEqual([]);
    expect(words(machine.respond(answer(200), 1000))).toEqual(['send 200']);
    expect(words(machine.respond(answer(486), 1000))).toEqual([]);
    expect(pass(machine, 99_000)).toEqual([[32_000, 'terminated']]);
  });
});

describe('other server transactions', () => {
  it('absorb the request until there is an answer and repeat that until timer J', () => {
    const machine = new NonInviteServerMachine(false, T);
    expect(words(machine.receive())).toEqual([]);
    expect(words(machine.respond(answer(200, bye), 100))).toEqual(['send 200']);
    expect(words(machine.receive())).toEqual(['send 200']);
    expect(words(machine.respond(answer(500, bye), 200))).toEqual([]);
    expect(pass(machine, 99_000)).toEqual([[32_100, 'terminated']]);
  });

  it('end with the answer on TCP', () => {
    const machine = new NonInviteServerMachine(true, T);
    expect(words(machine.respond(answer(200, bye), 100))).toEqual(['send 200', 'terminated']);
  });
});

describe('a 200 without its ACK', () => {
  it('is sent again after 0.5, 1, 2, 4, 4 ... s and given up after 32 s', () => {
    const machine = new AnswerMachine(answer(200), T, 0);
    const log = pass(machine, 99_000);
    expect(times(log, 'send 200').slice(0, 6)).toEqual([500, 1500, 3500, 7500, 11_500, 15_500]);
    expect(log.slice(-2)).toEqual([
      [32_000, 'timeout'],
      [32_000, 'terminated'],
    ]);
  });

  it('is not sent again once the ACK is there', () => {
    const machine = new AnswerMachine(answer(200), T, 0);
    machine.acknowledged();
    expect(pass(machine, 99_000)).toEqual([]);
  });
});

describe('every transaction', () => {
  const makers: (() => { run: (step: number, now: number) => readonly Effect[]; machine: Machine })[] = [
    () => {
      const machine = new InviteServerMachine(false, T, 0, trying);
      return {
        machine,
        run: (s, now) => (s < 2 ? machine.receive(s ? ack : invite, now) : machine.respond(final(s), now)),
      };
    },
    () => {
      const machine = new NonInviteServerMachine(false, T);
      return { machine, run: (s, now) => (s < 2 ? machine.receive() : machine.respond(final(s), now)) };
    },
    () => {
      const machine = new InviteClientMachine(invite, false, T);
      machine.start(0);
      return { machine, run: (s, now) => machine.receive(final(s), now) };
    },
    () => {
      const machine = new NonInviteClientMachine(bye, false, T);
      machine.start(0);
      return { machine, run: (s, now) => machine.receive(final(s), now) };
    },
  ];
  type Machine = { state: string; deadline(): number | undefined; tick(now: number): Effect[] };
  const final = (step: number): SipResponse => answer([100, 180, 183, 200, 202, 302, 486, 503][step % 8] ?? 200);

  it('survives any order of messages, ends once, and leaves no timer behind', () => {
    const step = fc.record({ what: fc.nat(9), wait: fc.nat(9000) });
    fc.assert(
      fc.property(fc.nat(3), fc.array(step, { maxLength: 25 }), (kind, steps) => {
        const { machine, run } = makers[kind]!();
        const seen: string[] = [];
        let now = 0;
        for (const { what, wait } of steps) {
          now += wait;
          seen.push(...words(machine.tick(now)), ...words(run(what, now)));
        }
        seen.push(...pass(machine, now + 200_000).map(([, word]) => word));
        const ends = seen.filter((word) => word === 'terminated').length;
        expect(ends).toBe(machine.state === 'terminated' ? 1 : 0);
        expect(machine.deadline()).toBeUndefined();
        if (ends === 1) expect(seen.at(-1)).toBe('terminated');
      }),
    );
  });

  it('ends when its transport fails, and says so', () => {
    const machine = new InviteClientMachine(invite, true, T);
    machine.start(0);
    expect(words(machine.transportFailed(transportFailure('gone')))).toEqual(['transport-failed', 'terminated']);
    expect(machine.deadline()).toBeUndefined();
    expect(words(machine.transportFailed(transportFailure('gone')))).toEqual([]);
  });
});
