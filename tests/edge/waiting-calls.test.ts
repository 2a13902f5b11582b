import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { listen, OFFER, UdpPeer } from '../sip/support.ts';
import { type Edge, metricOf, startOpensips } from './edge.ts';

/** Our user agent as a connector that is short of time: what it says to an INVITE, by whether that may wait. */
class Busy {
  readonly asked: SipRequest[] = [];
  /** Calls that wait in its line. */
  readonly waiting: IncomingInvite[] = [];
  /** Refused in a transaction, as by a call that finds no media session, and not at the gate. */
  late = false;
  full = false;
  ua!: UserAgent;
  port = 0;

  async start(): Promise<this> {
    const { ua, udp } = await listen({
      timers: {},
      onRequest: (request) => {
        if (request.method !== 'INVITE' || request.toTag !== undefined) return 'accept';
        this.asked.push(request);
        const refused = this.full || (!this.late && patience(request) === undefined);
        return refused ? { status: 503, headers: { 'Retry-After': '5' } } : 'accept';
      },
      onInvite: (invite) => {
        if (this.late && patience(invite.request) === undefined) invite.reject({ status: 503 });
        else this.waiting.push(invite);
      },
    });
    this.ua = ua;
    this.port = udp;
    return this;
  }

  answer(invite: IncomingInvite): void {
    invite.answer(OFFER).catch(() => undefined);
  }
}

/** What the last connector is told; the seconds are counted in whole ones. */
const LAST = /^[34];silence=6$/;
const patience = (request: SipRequest) => request.headers.get('x-may-wait');

// The shipped opensips.cfg; needs an OpenSIPS that has been built (tests/edge/edge.ts).
describe.skipIf(!process.env.OPENSIPS)('calls that all connectors behind OpenSIPS refuse for the moment', () => {
  let connectors: [Busy, Busy];
  let edge: Edge;
  const callers: UdpPeer[] = [];
  let n = 0;

  beforeAll(async () => {
    connectors = [await new Busy().start(), await new Busy().start()];
    const ports = connectors.map(({ port }) => port);
    edge = await startOpensips(ports, { env: { EDGE_PATIENCE_SECONDS: '4' } });
  });
  afterEach(() => {
    for (const caller of callers.splice(0)) caller.close();
    for (const connector of connectors) {
      Object.assign(connector, { late: false, full: false });
      connector.asked.splice(0);
      connector.waiting.splice(0);
    }
  });
  afterAll(async () => {
    await edge?.stop();
    for (const { ua } of connectors ?? []) await ua.close();
  });

  /** An INVITE on its way. */
  async function calls(headers: string[] = []): Promise<{ caller: UdpPeer; cancel(): void; ack(): void }> {
    const caller = await UdpPeer.open(edge.port);
    callers.push(caller);
    const uri = `sip:bank@127.0.0.1:${edge.port}`;
    const facts = { callId: `waits-${++n}`, branch: caller.branch() };
    caller.say('INVITE', uri, { ...facts, headers, body: OFFER });
    return {
      caller,
      cancel: () => caller.say('CANCEL', uri, facts),
      ack: () => caller.say('ACK', uri, facts),
    };
  }

  const asked = () => connectors.flatMap((connector) => connector.asked);
  const waiting = () => connectors.flatMap((connector) => connector.waiting);

  it('wait in the line of one of them, and their callers hear nothing of it', async () => {
    const { caller } = await calls(['X-May-Wait: 99']);
    await expect.poll(() => waiting().length).toBe(1);
    expect(asked().map(patience)).toContain(undefined);
    expect(asked().map(patience)).toContainEqual(expect.stringMatching(LAST));
    expect(asked().length).toBe(2);
    await sleep(300);
    for (const connector of connectors) for (const invite of connector.waiting) connector.answer(invite);
    await caller.response(200, 'INVITE');
    expect(caller.summary()).toBe('100 INVITE');
  });

  it('wait where there is room, also where they have been refused in a transaction before', async () => {
    const [first, second] = connectors;
    first.late = true;
    second.full = true;
    // By turns: now one is asked first, now the other.
    for (const n of [1, 2]) {
      const { caller } = await calls();
      await expect.poll(() => first.waiting.length).toBe(n);
      first.answer(first.waiting.at(-1)!);
      await caller.response(200, 'INVITE');
      expect(caller.summary()).toBe('100 INVITE');
    }
  });

  it('wait at the first that is asked while others wait anyway, and all are asked again soon', async () => {
    const answerAll = () => {
      for (const connector of connectors) for (const invite of connector.waiting) connector.answer(invite);
    };
    /** How many connectors are asked about one more call until it waits. */
    const askedFor = async () => {
      const before = [asked().length, waiting().length] as const;
      const { caller } = await calls();
      await expect.poll(() => waiting().length).toBe(before[1] + 1);
      return { caller, times: asked().length - before[0] };
    };
    const first = await askedFor();
    for (const invite of waiting()) invite.queued();
    const second = await askedFor();
    expect([first.times, second.times]).toEqual([2, 1]);
    for (const invite of waiting()) invite.queued();
    // Longer than silence may last: they are where they are.
    await sleep(3200);
    expect(asked().length).toBe(3);
    expect((await askedFor()).times).toBe(2);
    answerAll();
    for (const { caller } of [first, second]) {
      await caller.response(200, 'INVITE');
      expect(caller.summary()).toBe('100 INVITE');
    }
  });

  it('end with 487 when the caller hangs up meanwhile', async () => {
    const { caller, cancel, ack } = await calls();
    await expect.poll(() => waiting().length).toBe(1);
    await sleep(300);
    cancel();
    await caller.response(200, 'CANCEL');
    await caller.response(487, 'INVITE');
    ack();
    expect(waiting()[0]!.signal.aborted).toBe(true);
    expect(asked().length).toBe(2);
  });

  it('are refused at once when all lines are full', async () => {
    for (const connector of connectors) connector.full = true;
    const { caller, ack } = await calls();
    const refusal = await caller.response(503, 'INVITE');
    ack();
    expect(refusal.headers.get('retry-after')).toBe('5');
    expect(asked().map(patience).slice(0, 2).toSorted()).toEqual([expect.stringMatching(LAST), undefined]);
    expect(asked().length).toBeLessThanOrEqual(4);
  });
});

describe.skipIf(!process.env.OPENSIPS)('a call that is read when it has been given up', () => {
  const open: { close(): unknown }[] = [];
  let edge: Edge;
  /** What the late connector, and the other one, made of the calls they have read. */
  const late: IncomingInvite[] = [];
  const other: IncomingInvite[] = [];

  /** A connector that answers what it reads after `ms`. */
  async function connector(read: IncomingInvite[], ms: number): Promise<number> {
    const { ua, udp } = await listen({
      timers: {},
      onInvite: async (invite) => {
        read.push(invite);
        await sleep(ms);
        if (!invite.signal.aborted) await invite.answer(OFFER).catch(() => undefined);
      },
    });
    open.push(ua);
    return udp;
  }

  /** On the way to `port`: from an INVITE on all is held up for `ms`, but probes, as where nobody reads. */
  async function heldUp(port: number, ms: number): Promise<number> {
    const [front, back] = [createSocket('udp4').bind(0, '127.0.0.1'), createSocket('udp4').bind(0, '127.0.0.1')];
    let closed = false;
    open.push({ close: () => (closed = true) }, front, back);
    await Promise.all([once(front, 'listening'), once(back, 'listening')]);
    let from = 0;
    let until = 0;
    front.on('message', async (bytes, { port: edgePort }) => {
      from = edgePort;
      const method = bytes.toString('latin1', 0, bytes.indexOf(' '));
      if (method === 'INVITE' && until < performance.now()) until = performance.now() + ms;
      if (method !== 'OPTIONS') await sleep(Math.max(0, until - performance.now()));
      if (!closed) back.send(bytes, port, '127.0.0.1');
    });
    back.on('message', (bytes) => front.send(bytes, from, '127.0.0.1'));
    return front.address().port;
  }

  beforeAll(async () => {
    edge = await startOpensips([await heldUp(await connector(late, 300), 3000), await connector(other, 1200)], {});
  });
  afterAll(async () => {
    await edge?.stop();
    for (const one of open.splice(0)) await one.close();
  });

  it('is answered by one connector only: who was late is told before it answers', async () => {
    // They are asked first in turns.
    for (let n = 0; late.length === 0; n++) {
      const caller = await UdpPeer.open(edge.port);
      open.push(caller);
      caller.say('INVITE', `sip:bank@127.0.0.1:${edge.port}`, { callId: `late-${n}`, body: OFFER });
      const ok = await caller.response(200, 'INVITE');
      await sleep(1500);
      const more = caller.heard.filter((message) => message instanceof SipResponse && message.status === 200);
      expect(new Set([ok, ...more].map((message) => message.toTag)).size).toBe(1);
    }
    expect(late[0]!.signal.aborted).toBe(true);
    expect(await metricOf(edge, 'opensips_script_edge_late_connector')).toBe(1);
  });
});

describe.skipIf(!process.env.OPENSIPS)('calls that come while OpenSIPS has no connector', () => {
  const asked: SipRequest[] = [];
  const callers: UdpPeer[] = [];
  let draining = true;
  /** What it reads of a call's INVITEs: not those before this one, which are lost in its queue. */
  let readsCopy = 1;
  let copies = 0;
  let ua: UserAgent;
  let edge: Edge;

  beforeAll(async () => {
    const listening = await listen({
      timers: {},
      onRequest: (request) => {
        if (request.method === 'INVITE' && ++copies < readsCopy) return 'drop';
        if (request.method === 'INVITE') asked.push(request);
        return draining ? { status: 503 } : 'accept';
      },
    });
    ua = listening.ua;
    edge = await startOpensips([listening.udp], { env: { EDGE_PATIENCE_SECONDS: '6', EDGE_MAX_WAITING: '2' } });
    while ((await metricOf(edge, 'opensips_edge_connectors{state="active"}')) !== 0) await sleep(50);
  });
  afterEach(() => {
    for (const caller of callers.splice(0)) caller.close();
  });
  afterAll(async () => {
    await edge?.stop();
    await ua?.close();
  });

  const waiting = () => metricOf(edge, 'opensips_script_edge_calls_waiting');

  async function calls(callId: string) {
    const caller = await UdpPeer.open(edge.port);
    callers.push(caller);
    const uri = `sip:bank@127.0.0.1:${edge.port}`;
    const facts = { callId, branch: caller.branch() };
    caller.say('INVITE', uri, { ...facts, body: OFFER });
    await caller.response(100, 'INVITE');
    return { caller, say: (method: string) => caller.say(method, uri, facts) };
  }

  it('end with 487 when the caller hangs up meanwhile', async () => {
    const { caller, say } = await calls('left');
    expect(await waiting()).toBe(1);
    say('CANCEL');
    await caller.response(200, 'CANCEL');
    await caller.response(487, 'INVITE');
    say('ACK');
    expect(await waiting()).toBe(0);
  });

  it('wait until there is one, in limited numbers', async () => {
    const patient = [await calls('first'), await calls('second')];
    expect(await waiting()).toBe(2);
    const one = await UdpPeer.open(edge.port);
    callers.push(one);
    one.say('INVITE', `sip:bank@127.0.0.1:${edge.port}`, { callId: 'third', body: OFFER });
    await one.response(503, 'INVITE');
    expect(asked).toEqual([]);
    draining = false;
    for (const { caller } of patient) {
      await caller.response(200, 'INVITE');
      expect(caller.summary()).toBe('');
    }
    // There is nobody else whom they could be offered to, so they may wait there.
    expect(asked.map((request) => Number.parseInt(patience(request) ?? '', 10) > 0)).toEqual([true, true]);
    expect(await waiting()).toBe(0);
  });

  it('are answered by the only one there is, though it reads only the fourth copy of their INVITE', async () => {
    [readsCopy, copies] = [4, 0];
    const { caller } = await calls('late');
    await caller.response(200, 'INVITE');
    expect(copies).toBe(4);
    expect(caller.summary()).toBe('');
  });
});
