import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../../src/core/clock.ts';
import { HeapInspector, type LiveHeap } from './live-heap.ts';
import { gaps, withFarEnd } from './media-suites.ts';
import { watchPacing } from './pacing.ts';
import type { ConnectorSuite } from './suite.ts';

/** Strangers who send, each from an address of its own: whom it is to let in is at 127.0.0.1. */
const STRANGERS = 500;

/** Garbage and calls that nobody let in, from many addresses; counts what it got out. */
async function startFlood(port: number, perSecond: number): Promise<{ stop(): number }> {
  const sockets = Array.from({ length: STRANGERS }, () => createSocket('udp4'));
  await Promise.all(
    sockets.map(async (socket, i) => {
      socket.on('message', () => undefined);
      socket.bind(0, `127.9.${i >> 8}.${i & 0xff || 1}`);
      await once(socket, 'listening');
    }),
  );
  const begun = monotonicNow();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((monotonicNow() - begun) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const socket = sockets[(sent * 7) % sockets.length]!;
      socket.send(sent % 2 === 0 ? garbage(sent) : invite(sent), port, '127.0.0.1');
    }
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      for (const socket of sockets) socket.close();
      return sent;
    },
  };
}

function garbage(n: number): Buffer {
  const bytes = Buffer.alloc(20 + ((n * 37) % 400));
  for (let i = 0; i < bytes.length; i++) bytes[i] = (n * 31 + i * 17) & 0xff;
  return n % 4 === 0 ? bytes : Buffer.concat([Buffer.from('INVITE sip:x SIP/2.0\r\nVia: '), bytes]);
}

/** Every other one says itself that it is a scanner's. */
function invite(n: number): string {
  return [
    `INVITE sip:${1000 + n}@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK-flood-${n};rport`,
    `From: <sip:100@127.0.0.1>;tag=f${n}`,
    `To: <sip:${1000 + n}@127.0.0.1>`,
    `Call-ID: flood-${n}`,
    'CSeq: 1 INVITE',
    'Contact: <sip:100@203.0.113.7>',
    `User-Agent: ${n % 4 === 1 ? 'friendly-scanner' : 'Telephone 1.0'}`,
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

export const flood: ConnectorSuite = {
  name: 'flood',
  what: '50 calls, then 2,000 packets/s of garbage and unauthorised INVITEs beside them, for --minutes (default 2)',
  environment: { BOT_PROFILE: 'silent', MAX_CALLS: '60', SIP_CONFIG: join(import.meta.dirname, 'sip-config-flood') },
  inspected: true,
  limitMs: 0,
  run: (options) =>
    withFarEnd(options.farEnd, options.connector.sipPort, async (farEnd) => {
      const { connector } = options;
      await farEnd.bringUp(options.calls ?? 50, 20);
      await sleep(2000);
      const inspector = await HeapInspector.connect(connector.inspectorUrl!);
      const before = await watchPacing(farEnd);
      await sleep(10_000);
      const quiet = await before();
      const attack = await startFlood(connector.sipPort, 2000);
      // What a flood makes us compile, and the tables that know its sources, are there once.
      await sleep(10_000);
      const begun = await inspector.live();
      await sleep(2000);
      const during = await watchPacing(farEnd);
      const residents: number[] = [];
      const halves = Math.max(5, Math.round((options.minutes * 60_000 - 30_000) / 2 / 2000));
      for (let i = 0; i < 2 * halves; i++) {
        await sleep(2000);
        residents.push((await connector.residentBytes()) / 1024);
      }
      const flooded = await during();
      const end = await inspector.live();
      const sent = attack.stop();
      inspector.close();
      const lost = await farEnd.lost();
      await farEnd.hangUp();
      const [first, second] = [residents.slice(0, halves), residents.slice(halves)];
      const kept = (heap: LiveHeap) => heap.bytes / 1024;
      return [
        {
          suite: 'flood',
          name: 'p99 between packets, against before',
          unit: 'ms',
          values: [flooded && quiet ? flooded.p99 - quiet.p99 : Number.NaN],
          target: 'within 5',
          limits: { max: 5 },
          note: [
            ...(quiet && flooded ? [`p99 ${quiet.p99.toFixed(1)} and ${flooded.p99.toFixed(1)} ms`] : []),
            `before: ${quiet?.note}`,
            `under the flood: ${flooded?.note}`,
            `${sent} packets sent from ${STRANGERS} addresses`,
          ].join('; '),
        },
        gaps('flood', flooded?.gaps ?? Number.NaN),
        {
          suite: 'flood',
          name: 'admitted calls that ended or failed',
          unit: 'count',
          values: [lost],
          target: '0',
          limits: { max: 0 },
        },
        {
          suite: 'flood',
          name: 'live memory, growth under it',
          unit: 'kB',
          values: [kept(end) - kept(begun)],
          note: `after full collections in ${end.threads} threads: ${kept(begun).toFixed(0)} kB after ten seconds of it, ${kept(end).toFixed(0)} at its end; flat is below 1 MB`,
          limits: { max: 1024 },
          target: 'flat',
        },
        {
          suite: 'flood',
          name: 'resident growth between halves',
          unit: 'kB',
          values: [Math.max(...second) - Math.max(...first)],
          note: `with the garbage that V8 leaves lying: highest of either half, ${halves * 2} s each; at most ${(Math.max(...residents) / 1024).toFixed(0)} MB`,
          limits: { max: 4096 },
          target: 'flat',
        },
      ];
    }),
};
