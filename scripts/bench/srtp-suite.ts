import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { RtpHeader, SrtpSession } from 'werift';
import { monotonicNow } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { SRTP_PROFILES, type SrtpKey, type SrtpProfileName, srtpProfile } from '../../src/media/srtp/profiles.ts';
import type { SrtpKeys } from '../../src/media/srtp/srtp-line.ts';
import { SrtpReceiver } from '../../src/media/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../src/media/srtp/srtp-sender.ts';
import { buildRtp } from '../../tests/media/rtp-datagram.ts';
import type { Measure } from './report.ts';
import type { PartSuite } from './suite.ts';

const PACKETS = 20_000;
const PER_CALL_AND_SECOND = 100;
const CALLS = 60;
const ROUND_MS = 3000;
/** After a change: the first packets find cold code. */
const SETTLE_MS = 500;
const ROUNDS = 8;
const PACKET_ROUNDS = 3;
const FRAME_MS = 20;

/** What encryption costs: a packet by itself, and a call with it beside a call without. */
export const srtpSuite: PartSuite = {
  name: 'srtp',
  what: `SRTP: CPU per packet of 160 bytes for each profile, beside werift's; ${CALLS} calls in a media worker with and without, in turns`,
  environment: undefined,
  limitMs: 3 * 60_000,
  async run(options) {
    const measures: Measure[] = SRTP_PROFILES.map(packetsOf);
    measures.push(packetsOfWerift());
    options.progress('packets done');
    const calls = options.calls ?? CALLS;
    const { plain, encrypted } = await inTurns(calls, 'AES_CM_128_HMAC_SHA1_80', (round, clear, secret) => {
      options.progress(`round ${round}: ${clear.toFixed(3)} % plain, ${secret.toFixed(3)} % SRTP`);
      return !options.signal.aborted;
    });
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
  const values = Array.from({ length: PACKET_ROUNDS + 1 }, () => {
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
  const values = Array.from({ length: PACKET_ROUNDS }, () => {
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

/** Calls that are all in the clear, or all encrypted, and what their far end will send. */
interface Group {
  readonly calls: readonly { session: MediaSession; remote: RemoteAudio; packets: readonly Uint8Array[] }[];
  /** The next packet. */
  frame: number;
}

/**
 * Percent of a core for each of `count` calls with RTP both ways, in the clear and encrypted, in turns: both kinds of calls
 * live in one worker that has warmed up with both, and while one kind talks the other is on hold. What drifts, drifts for
 * both. What the far end sends was encrypted beforehand.
 */
async function inTurns(
  count: number,
  profile: SrtpProfileName,
  told: (round: number, plain: number, encrypted: number) => boolean,
): Promise<{ plain: number[]; encrypted: number[] }> {
  const engine = await WorkerMediaEngine.start({ log: silentLogger, sessionsPerWorker: 2 * count });
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('message', () => undefined);
  const { port } = socket.address();
  try {
    const plainCalls = await groupOf(engine, port, count, undefined);
    const encryptedCalls = await groupOf(engine, port, count, profile);
    for (let i = 0; i < 2; i++) for (const group of [plainCalls, encryptedCalls]) await talk(socket, group);
    const [plain, encrypted]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      // Each goes first as often as second.
      const order = round % 2 === 0 ? [plainCalls, encryptedCalls] : [encryptedCalls, plainCalls];
      for (const group of order) (group === plainCalls ? plain : encrypted).push(await talk(socket, group));
      if (!told(round + 1, plain.at(-1)!, encrypted.at(-1)!)) break;
    }
    return { plain, encrypted };
  } finally {
    await engine.close();
    socket.close();
  }
}

async function groupOf(
  engine: WorkerMediaEngine,
  port: number,
  count: number,
  profile: SrtpProfileName | undefined,
): Promise<Group> {
  const calls: Group['calls'][number][] = [];
  for (let i = 0; i < count; i++) {
    const session = await engine.open({ call: `bench-${i}`, bindAddress: '127.0.0.1', onEvent: () => undefined });
    const keys = profile && { send: keyFor(profile), receive: keyFor(profile) };
    const remote: RemoteAudio = {
      ...{ address: '127.0.0.1', port, codec: 'PCMU', payloadType: 0, ptimeMs: FRAME_MS },
      ...{ send: true, receive: true, ...(keys && { security: { by: 'sdes', keys } }) },
    };
    session.connect({ ...remote, send: false });
    calls.push({ session, remote, packets: packetsFor(keys) });
  }
  return { calls, frame: 0 };
}

function packetsFor(keys: SrtpKeys | undefined): Uint8Array[] {
  const sender = keys && new SrtpSender(keys.receive);
  const count = ((ROUNDS + 2) * (SETTLE_MS + ROUND_MS) * 1.1) / FRAME_MS;
  return Array.from({ length: count }, (_, i) => Uint8Array.from(sender ? sender.protectRtp(packet(i)) : packet(i)));
}

/** The calls of a group talk for a round; percent of a core for each, the far end's part in it. */
async function talk(socket: Socket, group: Group): Promise<number> {
  for (const { session, remote } of group.calls) session.connect(remote);
  const stop = speak(socket, group);
  await sleep(SETTLE_MS);
  const [cpu, at] = [process.cpuUsage(), monotonicNow()];
  await sleep(ROUND_MS);
  const { user, system } = process.cpuUsage(cpu);
  const percent = (user + system) / 10 / (monotonicNow() - at) / group.calls.length;
  stop();
  for (const { session, remote } of group.calls) session.connect({ ...remote, send: false });
  return percent;
}

function speak(socket: Socket, group: Group): () => void {
  const first = group.frame;
  const begun = monotonicNow();
  const timer = setInterval(() => {
    for (; (group.frame - first) * FRAME_MS <= monotonicNow() - begun; group.frame++) {
      for (const { session, packets } of group.calls) {
        const one = packets[group.frame];
        if (one) socket.send(one, session.localPort, '127.0.0.1');
      }
    }
  }, FRAME_MS / 2);
  return () => clearInterval(timer);
}
