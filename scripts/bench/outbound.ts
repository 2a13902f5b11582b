import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DialCounter } from '../../src/call/dial-counter.ts';
import type { MediaAddress } from '../../src/call/legs/dialler.ts';
import { LegMedia } from '../../src/call/legs/leg-media.ts';
import { type Ms, monotonicNow, systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { EmbeddedFrontEnd } from '../../src/frontends/embedded/embedded-front-end.ts';
import { compileGateway, type Gateway } from '../../src/frontends/outbound/gateway.ts';
import { gateway } from '../../src/frontends/outbound/gateway-schema.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { MediaEngine } from '../../src/media/ports.ts';
import type { WireTap } from '../../src/sip/trace/wire-tap.ts';
import { PostgresStore } from '../../src/store/postgres/store.ts';
import { startSipServer } from './sip-suite.ts';
import type { PartSuite } from './suite.ts';

/** What calling out costs: the dialler against a caller that does nothing but send bytes, to the same far end, by turns. */

const CALLS = 500;
const WARM_UP = 50;
const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';

/** One call by prepared bytes. Resolves with the time from INVITE to 200; ACK and BYE have gone out then. */
async function bareCall(socket: Socket, port: number, n: number): Promise<number> {
  const own = socket.address().port;
  const write = (method: string, cseq: number, toTag: string, body: string) =>
    [
      `${method} sip:+4930123456@127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bK-${n}-${method};rport`,
      'Max-Forwards: 70',
      `From: <sip:bare@127.0.0.1>;tag=${n}`,
      `To: <sip:+4930123456@127.0.0.1>${toTag}`,
      `Call-ID: bare-${n}-${own}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:bare@127.0.0.1:${own}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  const answered = new Promise<string>((resolve) => {
    const read = (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (!text.startsWith('SIP/2.0 200') || !text.includes(`bare-${n}-`) || !/CSeq: 1 INVITE/.test(text)) return;
      socket.off('message', read);
      resolve(text);
    };
    socket.on('message', read);
  });
  const at = monotonicNow();
  socket.send(write('INVITE', 1, '', OFFER), port, '127.0.0.1');
  const text = await answered;
  const took = monotonicNow() - at;
  const tag = /\r\nTo:[^\r]*(;tag=[^;\r]+)/i.exec(text)?.[1] ?? '';
  socket.send(write('ACK', 1, tag, ''), port, '127.0.0.1');
  socket.send(write('BYE', 2, tag, ''), port, '127.0.0.1');
  return took;
}

/** Where a call of ours is in its set-up. */
const STAGES = {
  countAsked: 'the count asked for, from dial()',
  offered: 'the offer there',
  counted: 'counted in Postgres',
  invited: 'INVITE made and written',
  answered: 'the far end, INVITE to 200',
  acknowledged: 'ACK written, the leg made',
} as const;
type Stage = keyof typeof STAGES;

/** When the call that is being set up came to each stage. */
type Moments = Map<Stage, Ms>;

/** The same counter, with the time its answers came noted. */
function timedCounter(counter: DialCounter, moments: Moments): DialCounter {
  return {
    async begin(call) {
      moments.set('countAsked', monotonicNow());
      try {
        return await counter.begin(call);
      } finally {
        moments.set('counted', monotonicNow());
      }
    },
    prepare: () => counter.prepare(),
    late: (call) => counter.late(call),
    counts: () => counter.counts(),
  };
}

/** Notes the first INVITE of a call, and its 200. */
function timingTap(moments: Moments): WireTap {
  const INVITE = Buffer.from('INVITE ');
  const OK = Buffer.from('SIP/2.0 200');
  return {
    sent(bytes) {
      if (!moments.has('invited') && bytes.subarray(0, INVITE.length).equals(INVITE)) {
        moments.set('invited', monotonicNow());
      }
    },
    received(bytes) {
      // A 200 before the INVITE is the one to the last call's BYE, sent again.
      if (!moments.has('invited') || moments.has('answered')) return;
      if (bytes.subarray(0, OK.length).equals(OK)) moments.set('answered', monotonicNow());
    },
  };
}

/** A dialler of our own to the far end. `counter`: counts its calls for all connectors; else it goes by its own count. */
async function openFrontEnd(far: Gateway, moments: Moments, counter?: DialCounter): Promise<EmbeddedFrontEnd> {
  const frontEnd = new EmbeddedFrontEnd({
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    log: silentLogger,
    maxCalls: 100,
    waysOut: () => ({ gateways: [far], registrations: [] }),
    dialCounter: counter && timedCounter(counter, moments),
    tap: timingTap(moments),
  });
  await frontEnd.start(() => undefined);
  return frontEnd;
}

interface Dialled {
  took: Ms;
  /** How long after the one before it each stage was over, in the order in which they were. */
  stages: Map<Stage, Ms>;
}

/** From dial() to the answer, ACK sent; the call is hung up again. `media`: has audio of its own, which nobody uses. */
async function dialledCall(
  { dialler }: EmbeddedFrontEnd,
  moments: Moments,
  signal: AbortSignal,
  media?: MediaEngine,
): Promise<Dialled> {
  let opened: LegMedia | undefined;
  const offer = async (place: MediaAddress) => {
    if (media !== undefined)
      opened = await LegMedia.open({ media, call: randomUUID(), place, onEvent: () => undefined });
    moments.set('offered', monotonicNow());
    return opened?.offer() ?? OFFER;
  };
  moments.clear();
  const at = monotonicNow();
  const leg = await dialler.dial({ to: '+4930123456', offer }, signal);
  const end = monotonicNow();
  moments.set('acknowledged', end);
  const stages: Dialled['stages'] = new Map();
  let before = at;
  for (const [stage, moment] of [...moments].sort((one, other) => one[1] - other[1])) {
    stages.set(stage, moment - before);
    before = moment;
  }
  await Promise.all([leg.hangup(), opened?.session.close()]);
  return { took: end - at, stages };
}

export const outbound: PartSuite = {
  name: 'outbound',
  what: `calling out: ${CALLS} calls by a gateway, counted in Postgres and not, each beside one of prepared bytes to the same far end`,
  environment: undefined,
  limitMs: 4 * 60_000,
  async run(options) {
    const folder = await mkdtemp(join(tmpdir(), 'svc-bench-outbound-'));
    // The database's own user has to get in.
    await chmod(folder, 0o755);
    const store = await PostgresStore.open({
      embedded: { dataDir: join(folder, 'postgres') },
      tenantId: 'bench',
      instanceId: 'bench',
      spoolDir: join(folder, 'spool'),
      log: silentLogger,
      clock: systemClock,
    });
    // Bound by the time the server is up.
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    const { port, stop } = await startSipServer();
    const limits = { calls: 100, callsPerSecond: 10_000, callsPerDay: 100_000, callsPerNumberPerDay: 100_000 };
    const entry = gateway.parse({ name: 'far', to: `127.0.0.1:${port}`, destinations: [{ prefix: '+49' }], limits });
    const far = compileGateway(entry, { folder: '.', env: {} }, () => undefined);
    const moments: Moments = new Map();
    const [alone, counted] = await Promise.all([openFrontEnd(far, moments), openFrontEnd(far, moments, store.dials)]);
    const media = await WorkerMediaEngine.start({ log: silentLogger });
    const times = { bare: [] as number[], alone: [] as Dialled[], counted: [] as Dialled[], whole: [] as Dialled[] };
    try {
      const wanted = options.calls ?? CALLS;
      for (let n = 0; n < WARM_UP + wanted && !options.signal.aborted; n++) {
        const bare = await bareCall(socket, port, n);
        const uncounted = await dialledCall(alone, moments, options.signal);
        const ours = await dialledCall(counted, moments, options.signal);
        const whole = await dialledCall(counted, moments, options.signal, media);
        if (n < WARM_UP) continue;
        times.bare.push(bare);
        times.alone.push(uncounted);
        times.counted.push(ours);
        times.whole.push(whole);
      }
    } finally {
      await Promise.all([alone.close(), counted.close(), media.close()]);
      socket.close();
      stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    }
    const suite = 'outbound';
    const more = (ours: Dialled[]) => ours.map(({ took }, n) => took - times.bare[n]!);
    const own = (ours: Dialled[]) => ours.map(({ took, stages }) => took - stages.get('answered')!);
    const stages = (ours: Dialled[], of: string) =>
      Object.entries(STAGES).flatMap(([stage, what]) => {
        const values = ours.flatMap(({ stages }) => stages.get(stage as Stage) ?? []);
        return values.length === 0 ? [] : [{ suite, name: `${of}: ${what}`, unit: 'ms' as const, values }];
      });
    return [
      { suite, name: 'set-up, far end alone', unit: 'ms', values: times.bare },
      { suite, name: 'set-up, by the dialler', unit: 'ms', values: times.counted.map(({ took }) => took) },
      {
        suite,
        name: 'added by the dialler',
        unit: 'ms',
        values: more(times.counted),
        target: 'p95 <= 5',
        limits: { p95: 5 },
        note: 'from dial() to the answer, ACK sent, counted in Postgres; each call against the one of prepared bytes before it',
      },
      {
        suite,
        name: 'of the same call all but INVITE to 200',
        unit: 'ms',
        values: own(times.counted),
        note: 'what the far end and the machine take for one call and not for the next is not in it',
      },
      { suite, name: 'added without the count in Postgres', unit: 'ms', values: more(times.alone) },
      {
        suite,
        name: 'added with audio opened for each call',
        unit: 'ms',
        values: more(times.whole),
        note: 'counted meanwhile: as the connector calls',
      },
      ...stages(times.counted, 'of it'),
      ...stages(times.whole, 'with audio'),
    ];
  },
};
