import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { connectionMetrics } from '../../src/call/metrics/plant-metrics.ts';
import { ConnectionGate, type Pass } from '../../src/sip/transport/connection-gate.ts';
import { DEFAULT_CONNECTION_LIMITS } from '../../src/sip/transport/connection-limits.ts';
import { ConnectionWatch } from '../../src/sip/transport/connection-watch.ts';
import { listen, TcpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const limits = (some: Partial<typeof DEFAULT_CONNECTION_LIMITS>) => ({ ...DEFAULT_CONNECTION_LIMITS, ...some });
const nobody = () => undefined;

describe('the gate', () => {
  it('lets one source have its share and no more', () => {
    const gate = new ConnectionGate(limits({ maxPerSource: 2 }));
    const first = gate.accept('192.0.2.1', 0, nobody) as Pass;
    gate.accept('192.0.2.1', 0, nobody);
    expect(gate.accept('192.0.2.1', 0, nobody)).toBe('source-full');
    expect(gate.accept('192.0.2.2', 0, nobody)).toBeTypeOf('object');
    first.leave();
    first.leave();
    expect(gate.accept('192.0.2.1', 0, nobody)).toBeTypeOf('object');
    expect(gate.open).toBe(3);
  });

  it('takes a whole /64 of IPv6 for one source', () => {
    const gate = new ConnectionGate(limits({ maxPerSource: 2 }));
    gate.accept('2001:db8::1', 0, nobody);
    gate.accept('2001:db8:0:0:ffff::2', 0, nobody);
    expect(gate.accept('2001:db8:0000::3', 0, nobody)).toBe('source-full');
    expect(gate.accept('2001:db8:0:1::1', 0, nobody)).toBeTypeOf('object');
  });

  it('slows down a source that keeps connecting', () => {
    const gate = new ConnectionGate(limits({ acceptBurst: 5, acceptsPerSecond: 10 }));
    const at = (now: number) => {
      const pass = gate.accept('192.0.2.1', now, nobody);
      if (typeof pass === 'string') return pass;
      pass.leave();
      return 'in';
    };
    expect(Array.from({ length: 7 }, () => at(0))).toEqual([...Array(5).fill('in'), 'source-rate', 'source-rate']);
    expect([at(100), at(100), at(250)]).toEqual(['in', 'source-rate', 'in']);
  });

  it('makes room by the oldest connection that has said nothing, never by one that has', () => {
    const gate = new ConnectionGate(limits({ maxConnections: 3 }));
    const evicted: string[] = [];
    const come = (name: string) => gate.accept(name, 0, () => evicted.push(name));
    (come('192.0.2.1') as Pass).prove();
    come('192.0.2.2');
    come('192.0.2.3');
    (come('192.0.2.4') as Pass).prove();
    expect(evicted).toEqual(['192.0.2.2']);
    (come('192.0.2.5') as Pass).prove();
    expect(evicted).toEqual(['192.0.2.2', '192.0.2.3']);
    expect(come('192.0.2.6')).toBe('full');
    expect(gate.connect()).toBeUndefined();
    expect([gate.open, gate.refused.full]).toEqual([3, 2]);
  });

  it('counts right and stays small, whatever comes and goes', () => {
    const step = fc.record({ source: fc.nat(9), leave: fc.boolean(), prove: fc.boolean(), after: fc.nat(400) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const gate = new ConnectionGate(
          limits({ maxConnections: 8, maxPerSource: 3, acceptBurst: 4, acceptsPerSecond: 20 }),
        );
        const here = new Map<Pass, number>();
        let now = 0;
        for (const { source, leave, prove, after } of steps) {
          now += after;
          const pass: Pass | string = gate.accept(`192.0.2.${source}`, now, () => here.delete(pass as Pass));
          if (typeof pass !== 'string') here.set(pass, source);
          const [oldest] = here.keys();
          if (prove) oldest?.prove();
          if (leave && oldest !== undefined) {
            oldest.leave();
            here.delete(oldest);
          }
          expect(gate.open).toBe(here.size);
          expect(here.size).toBeLessThanOrEqual(8);
          const fromHere = [...here.values()].filter((one) => one === source).length;
          expect(fromHere).toBeLessThanOrEqual(3);
        }
        for (const pass of here.keys()) pass.leave();
        gate.sweep(now + 1_000);
        expect([gate.open, gate.sources]).toEqual([0, 0]);
      }),
    );
    const gate = new ConnectionGate(limits({}));
    for (let i = 0; i < 20_000; i++) (gate.accept(`10.0.${i >> 8}.${i & 255}`, i, nobody) as Pass).leave();
    expect(gate.sources).toBeLessThanOrEqual(4_096);
  });
});

describe('a quiet connection', () => {
  const some = limits({ idleMs: 600_000, keepAliveMs: 110_000, firstMessageMs: 30_000, messageMs: 10_000 });

  it('is closed when nothing sensible has come for long, and when it is idle', () => {
    const watch = new ConnectionWatch(some, true, 0);
    watch.heard(29_000);
    expect(watch.judge(30_000, () => false)).toBe('fine');
    expect(watch.judge(30_001, () => false)).toEqual({ close: 'no message' });
    expect(watch.sensible()).toBe(true);
    expect(watch.judge(600_000, () => false)).toBe('fine');
    expect(watch.judge(629_001, () => false)).toEqual({ close: 'idle' });
  });

  it('is kept alive while a call needs it, for hours', () => {
    const watch = new ConnectionWatch(some, false, 0);
    let pings = 0;
    for (let now = 0; now <= 7_200_000; now += 2_000) {
      const verdict = watch.judge(now, () => true);
      expect(verdict).toBeTypeOf('string');
      if (verdict === 'ping') pings++;
    }
    expect(pings).toBe(64);
  });

  it('whose peer has stopped answering pings is closed; one that never did is not', () => {
    const watch = new ConnectionWatch(some, false, 0);
    expect(watch.judge(112_000, () => true)).toBe('ping');
    watch.heard(112_010);
    watch.pong();
    expect(watch.judge(224_000, () => true)).toBe('ping');
    expect(watch.judge(236_000, () => true)).toEqual({ close: 'no answer to a keep-alive' });
  });
});

describe('a flood of connections', () => {
  it('leaves a peer that talks its connection, and everybody else a place as soon as it is over', async () => {
    const connections = { maxConnections: 20, acceptBurst: 1_000, maxPerSource: 1_000 };
    const { ua, tcp } = await listen({ limits: { connections } });
    open.push(ua);
    const peer = await TcpPeer.open(tcp);
    open.push(peer);
    const talks = async (id: string) => {
      peer.say('OPTIONS', 'sip:127.0.0.1', { callId: id });
      await peer.response(200);
    };
    await talks('before');
    const flood: Socket[] = [];
    let gone = 0;
    for (let i = 0; i < 200; i++) {
      const socket = connect(tcp, '127.0.0.1');
      socket.on('error', () => undefined).on('close', () => gone++);
      flood.push(socket);
    }
    open.push({ close: () => flood.forEach((socket) => void socket.destroy()) });
    await expect.poll(() => gone).toBe(181);
    await talks('during');
    const metrics = new Registry();
    connectionMetrics(
      metrics,
      () => ua.transportStats,
      () => ua.dialogs,
    );
    const figures = await metrics.metrics();
    expect(figures).toContain('voice_sip_connections{protocol="tcp"} 20\n');
    expect(figures).toContain('voice_sip_connections_refused_total{reason="evicted"} 181\n');
    const late = await TcpPeer.open(tcp);
    open.push(late);
    late.say('OPTIONS', 'sip:127.0.0.1');
    await late.response(200);
  });

  it('in other protocols costs a packet each', async () => {
    const { ua, tcp } = await listen();
    open.push(ua);
    const wrong = ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', '{"id":1}', '\0\0\0'];
    for (const bytes of wrong) {
      const answer = await new Promise<string>((resolve) => {
        let said = '';
        const socket = connect(tcp, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
        socket.on('data', (data) => {
          said += data.toString();
        });
        socket.on('error', () => undefined).on('close', () => resolve(said));
      });
      expect(answer).toBe('');
    }
  });
});
