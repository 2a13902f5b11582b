import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { RtpHeader, SrtpSession } from 'werift';
import { monotonicNow } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaSession } from '../../src/media/ports.ts';
import { buildRtp } from '../../src/media/rtp-packet.ts';
import { SRTP_PROFILES, type SrtpKey, type SrtpProfileName, srtpProfile } from '../../src/media/srtp/profiles.ts';
import type { SrtpKeys } from '../../src/media/srtp/srtp-line.ts';
import { SrtpReceiver } from '../../src/media/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../src/media/srtp/srtp-sender.ts';
import type { Measure } from './report.ts';
import type { PartSuite } from './suites.ts';

const PACKETS = 20_000;
const PER_CALL_AND_SECOND = 100;
const CALLS = 60;
const ROUND_MS = 4000;
const ROUNDS = 3;
const FRAME_MS = 20;

/** What encryption costs: a packet by itself, and a call with it beside a call without. */
export const srtpSuite: PartSuite = {
  name: 'srtp',
  what: `SRTP: CPU per packet of 160 bytes for each profile, beside werift's; ${CALLS} calls in a media worker with and without`,
  environment: undefined,
  limitMs: 3 * 60_000,
  async run(options) {
    const measures: Measure[] = SRTP_PROFILES.map(packetsOf);
    measures.push(packetsOfWerift());
    options.progress('packets done');
    const calls = options.calls ?? CALLS;
    const plain: number[] = [];
    const encrypted: number[] = [];
    for (let round = 0; round < ROUNDS && !options.signal.aborted; round++) {
      plain.push(await callsFor(calls, undefined));
      encrypted.push(await callsFor(calls, 'AES_CM_128_HMAC_SHA1_80'));
      options.progress(
        `round ${round + 1}: ${plain.at(-1)!.toFixed(3)} % plain, ${encrypted.at(-1)!.toFixed(3)} % SRTP`,
      );
    }
    const note = 'media worker and far end in one process; the far end costs the same in both';
    return [
      ...measures,
      { suite: 'srtp', name: 'CPU per call in the clear', unit: '%', values: plain, note },
      { suite: 'srtp', name: 'CPU per call with SRTP', unit: '%', values: encrypted, note },
      {
        suite: 'srtp',
        name: 'more with SRTP',
        unit: '%',
        values: encrypted.map((value, i) => value - plain[i]!),
        target: '<= 0.1 % of a core',
        limits: { p50: 0.1 },
      },
    ];
  },
};

function keyFor(profile: SrtpProfileName): SrtpKey {
  const { keyBytes, saltBytes } = srtpProfile(profile);
  return { profile, master: new Uint8Array(randomBytes(keyBytes + saltBytes)) };
}

const packet = (sequence: number) =>
  buildRtp({
    payloadType: 0,
    sequence: sequence & 0xffff,
    timestamp: sequence * 160,
    ssrc: 7,
    payload: randomBytes(160),
  });

/** Microseconds of CPU for one packet sent and one received, halved. */
function perPacket(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PACKETS / 2;
}

function packetsOf(profile: SrtpProfileName): Measure {
  const plain = Array.from({ length: PACKETS }, (_, i) => packet(i));
  const values = Array.from({ length: ROUNDS + 1 }, () => {
    const key = keyFor(profile);
    const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
    return perPacket(() => {
      for (const one of plain) receiver.openRtp(sender.protectRtp(one));
    });
  });
  return measureOf(profile, values.slice(1));
}

function packetsOfWerift(): Measure {
  const key = randomBytes(16);
  const salt = randomBytes(14);
  const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt };
  const payload = randomBytes(160);
  const values = Array.from({ length: ROUNDS }, () => {
    const session = new SrtpSession({ keys, profile: 1 });
    return perPacket(() => {
      for (let i = 0; i < PACKETS; i++) {
        const header = new RtpHeader({ payloadType: 0, sequenceNumber: i & 0xffff, timestamp: i * 160, ssrc: 7 });
        session.decrypt(session.encrypt(payload, header));
      }
    });
  });
  return measureOf("werift's AES_CM_128_HMAC_SHA1_80", values);
}

function measureOf(name: string, values: number[]): Measure {
  const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const share = ((median * PER_CALL_AND_SECOND) / 1e6) * 100;
  return {
    suite: 'srtp',
    name: `packet, ${name}`,
    unit: 'us',
    values,
    note: `${share.toFixed(3)} % of a core for a call of ${PER_CALL_AND_SECOND} packets/s`,
  };
}

/** Percent of a core for each of `count` calls with RTP both ways. What the far end sends was encrypted beforehand. */
async function callsFor(count: number, profile: SrtpProfileName | undefined): Promise<number> {
  const engine = await WorkerMediaEngine.start({ log: silentLogger });
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('message', () => undefined);
  try {
    const sessions: { session: MediaSession; packets: Uint8Array[] }[] = [];
    for (let i = 0; i < count; i++) {
      const session = await engine.open({ call: `bench-${i}`, bindAddress: '127.0.0.1', onEvent: () => undefined });
      const keys = profile && { send: keyFor(profile), receive: keyFor(profile) };
      sessions.push({ session, packets: packetsFor(keys) });
      session.connect({
        ...{ address: '127.0.0.1', port: socket.address().port, codec: 'PCMU', payloadType: 0, ptimeMs: FRAME_MS },
        ...{ send: true, receive: true, ...(keys && { security: { by: 'sdes', keys } }) },
      });
    }
    const stop = speak(socket, sessions);
    // A new thread interprets at first: what it costs then says nothing of the calls that follow.
    await sleep(ROUND_MS);
    const [cpu, at] = [process.cpuUsage(), monotonicNow()];
    await sleep(ROUND_MS);
    const { user, system } = process.cpuUsage(cpu);
    const percent = (user + system) / 10 / (monotonicNow() - at) / count;
    stop();
    return percent;
  } finally {
    await engine.close();
    socket.close();
  }
}

function packetsFor(keys: SrtpKeys | undefined): Uint8Array[] {
  const sender = keys && new SrtpSender(keys.receive);
  const count = (ROUND_MS * 2.5) / FRAME_MS;
  return Array.from({ length: count }, (_, i) => Uint8Array.from(sender ? sender.protectRtp(packet(i)) : packet(i)));
}

function speak(socket: Socket, calls: readonly { session: MediaSession; packets: Uint8Array[] }[]): () => void {
  let frame = 0;
  const begun = monotonicNow();
  const timer = setInterval(() => {
    for (; frame * FRAME_MS <= monotonicNow() - begun; frame++) {
      for (const { session, packets } of calls) {
        const one = packets[frame];
        if (one) socket.send(one, session.localPort, '127.0.0.1');
      }
    }
  }, FRAME_MS / 2);
  return () => clearInterval(timer);
}
