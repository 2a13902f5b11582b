import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../../src/core/clock.ts';
import { crowdSaw, gaps, withCrowd } from './media-suites.ts';
import type { ConnectorSuite } from './suites.ts';
import { WireCapture } from './wire-capture.ts';

/** Garbage and calls that nobody let in, from many ports; counts what it got out. */
function startFlood(port: number, perSecond: number): { stop(): number } {
  const sockets = Array.from({ length: 8 }, () => createSocket('udp4'));
  for (const socket of sockets) socket.on('message', () => undefined);
  const begun = monotonicNow();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((monotonicNow() - begun) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const socket = sockets[sent % sockets.length]!;
      socket.send(sent % 2 === 0 ? garbage(sent) : scan(sent), port, '127.0.0.1');
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

function scan(n: number): string {
  return [
    `INVITE sip:${1000 + n}@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK-flood-${n};rport`,
    `From: <sip:100@127.0.0.1>;tag=f${n}`,
    `To: <sip:${1000 + n}@127.0.0.1>`,
    `Call-ID: flood-${n}`,
    'CSeq: 1 INVITE',
    'Contact: <sip:100@203.0.113.7>',
    'User-Agent: friendly-scanner',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

export const flood: ConnectorSuite = {
  name: 'flood',
  what: '50 calls, then 2,000 packets/s of garbage and unauthorised INVITEs beside them',
  environment: { BOT_PROFILE: 'silent', MAX_CALLS: '60' },
  limitMs: 3 * 60_000,
  run: (options) =>
    withCrowd(options, async (crowd) => {
      const { connector } = options;
      await crowd.order({ do: 'bring up', calls: options.calls ?? 50, perSecond: 20 });
      await sleep(2000);
      await crowd.order({ do: 'reset' });
      const before = await WireCapture.start(crowd.rtpPort);
      await sleep(10_000);
      const quietWire = await before?.stop();
      const quiet = await crowd.order({ do: 'figures' });
      const attack = startFlood(connector.sipPort, 2000);
      await sleep(2000);
      await crowd.order({ do: 'reset' });
      const during = await WireCapture.start(crowd.rtpPort);
      const residents: number[] = [];
      for (let i = 0; i < 10; i++) {
        await sleep(2000);
        residents.push((await connector.residentBytes()) / 1024);
      }
      const floodedWire = await during?.stop();
      const flooded = await crowd.order({ do: 'figures' });
      const sent = attack.stop();
      await crowd.order({ do: 'hang up' });
      const [first, second] = [residents.slice(0, 5), residents.slice(5)];
      return [
        {
          suite: 'flood',
          name: 'p99 between packets, against before',
          unit: 'ms',
          values: [floodedWire && quietWire ? floodedWire.p99 - quietWire.p99 : flooded.p99 - quiet.p99],
          target: 'within 5',
          limits: { max: 5 },
          note: [
            quietWire && floodedWire
              ? `on the wire p99 ${quietWire.p99.toFixed(1)} and ${floodedWire.p99.toFixed(1)}, max ${quietWire.max.toFixed(1)} and ${floodedWire.max.toFixed(1)} ms`
              : 'no dumpcap here',
            crowdSaw('before', quiet),
            crowdSaw('under the flood', flooded),
            `${sent} packets sent`,
          ].join('; '),
        },
        gaps('flood', floodedWire?.gaps ?? flooded.gaps),
        {
          suite: 'flood',
          name: 'admitted calls that ended or failed',
          unit: 'count',
          values: [flooded.failed],
          target: '0',
          limits: { max: 0 },
        },
        {
          suite: 'flood',
          name: 'resident growth between halves',
          unit: 'kB',
          values: [Math.min(...second) - Math.min(...first)],
          note: 'lowest of the second ten seconds against the lowest of the first; flat is below 4 MB',
          limits: { max: 4096 },
          target: 'flat',
        },
      ];
    }),
};
