import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { bind, closed } from '../../src/media/rtp/media-sockets.ts';
import { LONGEST_DATAGRAM, type SystemSocket, SystemUdp } from '../../src/media/rtp/system-sockets.ts';
import { RtpPeer } from './rtp-peer.ts';
import { tone } from './support.ts';

/** Two clocks are read one after the other to tell a stamp of the kernel's in our time; a busy machine comes between. */
const SLACK_MS = 50;

describe("datagrams by the system's own calls", () => {
  let udp: SystemUdp;
  let bound: Socket;
  let own: SystemSocket;
  let far: Socket;
  let told: number;

  beforeAll(async () => {
    udp = await SystemUdp.tried(monotonicNow);
    bound = await bind('127.0.0.1', 0, () => told++);
    own = udp.open(bound)!;
    far = createSocket('udp4').bind(0, '127.0.0.1');
    await once(far, 'listening');
    told = 0;
  });
  afterAll(async () => {
    own.close();
    await Promise.all([bound, far].map(closed));
  });

  const sent = (data: Uint8Array, from = far) =>
    new Promise((resolve) => from.send(data, bound.address().port, '127.0.0.1', resolve));
  const arrived = (most: number) => {
    const all: { data: Uint8Array; address: string; port: number; at: number }[] = [];
    udp.look(monotonicNow());
    own.receive(most, (data, address, port, at) => all.push({ data: data.slice(), address, port, at }));
    return all;
  };

  test('arrive as they were sent, from where, and when the kernel had them, however late they are looked at', async () => {
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    await once(other, 'listening');
    const before = monotonicNow();
    await sent(Uint8Array.of(1, 2, 3));
    await sent(Uint8Array.of(), other);
    const after = monotonicNow();
    // Looked at so much later that the stamps cannot be those of the look.
    await sleep(4 * SLACK_MS);
    const [first, second, ...rest] = arrived(10);
    expect(rest).toEqual([]);
    expect([...first!.data]).toEqual([1, 2, 3]);
    expect(second!.data.length).toBe(0);
    expect([first!.address, first!.port]).toEqual(['127.0.0.1', far.address().port]);
    expect(second!.port).toBe(other.address().port);
    for (const { at } of [first!, second!]) {
      expect(at).toBeGreaterThan(before - SLACK_MS);
      expect(at).toBeLessThan(after + SLACK_MS);
    }
    await closed(other);
    expect(told).toBe(0);
  });

  test('are what was sent while they are looked at, thousands of any length, several at once', async () => {
    let seen = 0;
    for (let i = 0; i < 2000; i++) {
      const octets = new Uint8Array(1 + ((i * 37) % 400)).fill(i);
      await sent(octets);
      if (i % 7 !== 0) continue;
      udp.look(monotonicNow());
      own.receive(9, (data) => {
        expect(data.length).toBe(1 + ((seen * 37) % 400));
        expect(data.every((octet) => octet === (seen & 0xff))).toBe(true);
        seen++;
      });
    }
    seen += arrived(9).length;
    expect(seen).toBe(2000);
  });

  test('are taken in their order, as many as are asked for; one that nobody would take is cut off', async () => {
    for (const octet of [1, 2, 3]) await sent(new Uint8Array(3000).fill(octet));
    expect(arrived(2).map(({ data }) => [data[0], data.length])).toEqual([
      [1, LONGEST_DATAGRAM],
      [2, LONGEST_DATAGRAM],
    ]);
    expect(arrived(2).map(({ data }) => data[0])).toEqual([3]);
  });

  test('leave for where the socket was aimed at last; what the system refuses has its number', async () => {
    const heard = once(far, 'message');
    own.aim('127.0.0.1', far.address().port);
    expect(own.send(Uint8Array.of(9, 8, 7))).toBe(0);
    const [data, { port }] = (await heard) as [Buffer, { port: number }];
    expect([...data]).toEqual([9, 8, 7]);
    expect(port).toBe(bound.address().port);
    own.aim('0.0.0.0', 0);
    expect(own.send(Uint8Array.of(1))).toBeGreaterThan(0);
  });

  test("are nobody's once the socket is closed, though its descriptor may be another's by then", async () => {
    const socket = await bind('127.0.0.1', 0, () => undefined);
    const over = udp.open(socket)!;
    over.aim('127.0.0.1', bound.address().port);
    over.close();
    expect(over.send(Uint8Array.of(1))).toBe(0);
    await sent(Uint8Array.of(5));
    over.receive(9, () => expect.unreachable());
    expect(arrived(9).map(({ data }) => [...data])).toEqual([[5]]);
    await closed(socket);
  });

  test('of IPv6 sockets are left to dgram', async () => {
    const socket = await bind('::1', 0, () => undefined);
    expect(udp.open(socket)).toBeUndefined();
    await closed(socket);
  });
});

describe('a call', () => {
  let engine: WorkerMediaEngine | undefined;
  afterEach(() => engine?.close());

  for (const udp of ['system', 'node'] as const) {
    test(`is heard and hears with RTP by the ${udp}, which the log tells`, async () => {
      const lines: string[] = [];
      const destination = {
        write: (line: string) => void lines.push((JSON.parse(line) as { message: string }).message),
      };
      const log = createLogger({ level: 'info', destination });
      engine = await WorkerMediaEngine.start({ log, udp });
      const session = await engine.open({ call: 'one', bindAddress: '127.0.0.1', onEvent: () => undefined });
      const peer = await RtpPeer.open();
      const to = { address: '127.0.0.1', port: peer.port, codec: 'PCMU', payloadType: 0, ptimeMs: 20 } as const;
      session.connect({ ...to, send: true, receive: true });
      peer.callTo(session.localPort);
      await peer.speak(tone(20 * 160, 400));
      await expect.poll(async () => (await session.stats()).packetsReceived).toBe(20);
      const heard = await session.close();
      peer.close();
      expect(heard).toMatchObject({ packetsReceived: 20, packetsLost: 0, packetsRefused: 0 });
      const numbers = peer.received.map(({ packet }) => packet.sequence);
      expect(numbers.length).toBeGreaterThan(10);
      for (const [i, number] of numbers.entries()) expect(number).toBe((numbers[0]! + i) & 0xffff);
      expect(lines).toEqual(udp === 'system' ? ["RTP goes by the system's own calls"] : []);
    });
  }
});
