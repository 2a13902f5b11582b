import '../../core/ends-when-asked.ts';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { type Ms, systemClock } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import { AUDIO_NICE, nice, threadNumber } from '../../core/priority.ts';
import { FRAME_MS } from '../audio.ts';
import { loadOpus } from '../codecs/opus.ts';
import { SearchBudget } from '../echo/echo-search.ts';
import { BEFORE_MS, Pacer } from '../outbound/pacer.ts';
import { MOST_AT_ONCE, SystemUdp } from '../rtp/system-sockets.ts';
import type { CreateVadEngine, VadEngine } from '../voice-activity/vad.ts';
import { VadBatch } from '../voice-activity/vad-batch.ts';
import { Continuity } from './continuity.ts';
import { HearingTable } from './hearing-table.ts';
import { inRealTime } from './real-time.ts';
import { forSession, type SessionRequest } from './session-requests.ts';
import type {
  MediaWorkerData,
  SessionNumber,
  VadChoice,
  WorkerAnswer,
  WorkerMessage,
  WorkerRequest,
  WorkerStats,
} from './worker-protocol.ts';
import { WorkerPulse } from './worker-pulse.ts';
import { WorkerSession } from './worker-session.ts';

/**
 * Entry of a media worker thread: owns the sockets of its calls and one pacer that drives them all. Talks to
 * media-engine.ts in the messages of worker-protocol.ts, never once per frame.
 */

const WATCH_EVERY_TICKS = 25;
/** Many times what 500 calls need. */
const MAX_HEAP_BYTES = 192 * 2 ** 20;
const port = parentPort;
if (!port) throw new Error('media-worker.ts runs as a worker thread');
const { vad: choice, udp: by, scheduling, pulse: shared } = workerData as MediaWorkerData;
const pulse = new WorkerPulse(shared);
nice(AUDIO_NICE);
const clock = systemClock;
const searches = new SearchBudget();
const sessions = new Map<SessionNumber, WorkerSession>();
/** Ticks of those who hear or are heard have two halves, since all must have taken theirs before anybody gives. */
const hearing = new HearingTable(sessions);

function post(message: WorkerMessage): void {
  port!.postMessage(message);
}

async function loadVad(choice: VadChoice): Promise<VadEngine> {
  const loaded = (await import(choice.module)) as { createVadEngine?: CreateVadEngine };
  if (!loaded.createVadEngine) throw new Error(`${choice.module} exports no createVadEngine`);
  return loaded.createVadEngine(choice.options);
}

// Now, rather than in the middle of other calls when the first one asks for it.
loadOpus();
const vad = new VadBatch(choice && (await loadVad(choice)), clock, {
  load: choice && (() => loadVad(choice)),
  log: (level, message) => post({ type: 'log', level, message }),
});
/** How RTP leaves and arrives: by the system's own calls where they can be had, by dgram otherwise and elsewhere. */
async function loadUdp(): Promise<SystemUdp | undefined> {
  try {
    const udp = await SystemUdp.tried(clock.now);
    post({ type: 'log', level: 'info', message: "RTP goes by the system's own calls" });
    return udp;
  } catch (error) {
    post({
      type: 'log',
      level: 'warn',
      message: `RTP goes by dgram, at a tenth more CPU: ${asFailure(error).message}`,
    });
    return undefined;
  }
}
const udp = by === 'system' ? await loadUdp() : undefined;
/** From here on: what comes before is no audio. */
const watchTime =
  scheduling === 'realtime' ? inRealTime((level, message) => post({ type: 'log', level, message })) : undefined;
if (watchTime) pulse.thread = threadNumber() ?? 0;
/** The pacer's own time: no inference starts that would end later than this before a tick. */
const BEFORE_TICK_MS = 1;

/** A starved machine stands still often; it is said once in a while. */
const STILL_LOG_EVERY_MS = 30_000;
let stillMs = 0;
let stillLoggedAt = Number.NEGATIVE_INFINITY;
let ticks = 0;
/** Those that want to do more, once a tick's packets have left. */
const unsettled = new Map<SessionNumber, WorkerSession>();
/** Ticks behind which all has been done that may come late. */
let settled = 0;
/** The tick whose first half is done. */
let takenFor: Ms = 0;
const pacer = new Pacer(clock, {
  before(due) {
    take(due);
    vad.run(due - BEFORE_TICK_MS);
  },
  tick(due) {
    ticks++;
    if (takenFor !== due) take(due);
    // Whoever fails changes it; this tick goes on as it began.
    const mixing = hearing.mixed;
    // Those who hear each other have all to be ready before one of them is sent anything.
    each(mixing, (session) => session.pull(due));
    each(sessions, (session, number) => {
      if (mixing.size === 0 || !mixing.has(number)) session.pull(due);
      if (session.give(due)) unsettled.set(number, session);
    });
    pulse.beat();
  },
  idle(nextDue) {
    settle(nextDue - FRAME_MS);
    vad.run(nextDue - BEFORE_TICK_MS);
  },
  skipped(frames) {
    for (const session of sessions.values()) session.skipped(frames);
    stillMs += frames * FRAME_MS;
    if (clock.now() - stillLoggedAt < STILL_LOG_EVERY_MS) return;
    stillLoggedAt = clock.now();
    post({ type: 'log', level: 'warn', message: `the media worker got no processor: ${stillMs} ms of audio skipped` });
    stillMs = 0;
  },
});

/** The first half of the tick that is due then, of all calls: in good time, or late with the tick itself. */
function take(due: Ms): void {
  takenFor = due;
  searches.refill();
  udp?.look(clock.now());
  each(sessions, (session) => session.take(due - BEFORE_MS));
  // What comes now is all calls' work, and no one's fault.
  pulse.at(0);
}

/** What need not be done before packets leave: reports, recordings, a look at the heap. `due`: of the last tick. */
function settle(due: Ms): void {
  const passed = ticks - settled;
  each(sessions, (session, number) => {
    // Each at its own tick, so that none is late for all the others.
    if (((settled + number) % WATCH_EVERY_TICKS) + passed >= WATCH_EVERY_TICKS) session.watch(due);
  });
  each(unsettled, (session) => session.after());
  unsettled.clear();
  pulse.at(0);
  if ((settled % WATCH_EVERY_TICKS) + passed >= WATCH_EVERY_TICKS) {
    watchHeap();
    watchTime?.(clock.now());
  }
  settled = ticks;
}

/** Each call's fault is its own, and the thread's owner knows whose turn it was. */
function each(
  calls: ReadonlyMap<SessionNumber, WorkerSession>,
  work: (session: WorkerSession, number: SessionNumber) => void,
): void {
  // Unlike an iterator this leaves nothing to be collected.
  calls.forEach((session, number) => {
    // Of those that hear each other, one may have failed in this tick.
    if (calls !== sessions && sessions.get(number) !== session) return;
    pulse.at(number);
    try {
      work(session, number);
    } catch (error) {
      fail(number, session, error);
    }
  });
}

/**
 * A worker that leaks dies while that is orderly, and its calls go on in the next one: at the heap's hard limit one large
 * allocation too many aborts the whole process.
 */
function watchHeap(): void {
  const { used_heap_size: used } = getHeapStatistics();
  if (used > MAX_HEAP_BYTES) throw new Error(`the media worker holds ${Math.round(used / 2 ** 20)} MB and is ended`);
}

type HearRequest = Extract<WorkerRequest, { type: 'hear' }>;

/** A fault in one call ends that call, not its neighbours. */
function fail(number: SessionNumber, session: WorkerSession, error: unknown): void {
  remove(number);
  const message = asFailure(error).message;
  post({ type: 'log', level: 'error', session: number, message: `media session failed: ${message}` });
  post({ type: 'event', session: number, event: { type: 'media-failed', at: clock.now(), message } });
  void session.close().catch(() => undefined);
}

async function open(request: Extract<WorkerRequest, { type: 'open' }>): Promise<WorkerAnswer> {
  const number = request.session;
  const session = new WorkerSession({
    clock,
    rtpTimeoutMs: request.rtpTimeoutMs,
    consentTimeoutMs: request.consentTimeoutMs,
    vad,
    searches,
    udp,
    continuity: new Continuity(request.continuity),
    alive: () => pulse.step(),
    failed: (error) => fail(number, session, error),
    raise: (event) => post({ type: 'event', session: number, event }),
    dtls: (data, address, port) => post({ type: 'dtls', session: number, data, from: { address, port } }),
    warn: (message) => post({ type: 'log', level: 'warn', session: number, message }),
  });
  try {
    const bound = await session.bind(request.bindAddress, request.port);
    sessions.set(number, session);
    hearing.opened();
    pacer.start();
    return { port: bound };
  } catch (error) {
    await session.close();
    throw error;
  }
}

function remove(number: SessionNumber): void {
  sessions.delete(number);
  hearing.removed(number);
}

async function close(number: SessionNumber, moving?: boolean): Promise<WorkerAnswer> {
  const session = sessions.get(number);
  udp?.look(clock.now());
  session?.line.receive(MOST_AT_ONCE);
  remove(number);
  if (sessions.size === 0) pacer.stop();
  const report = await session?.close(moving);
  // As text: thirty fields, one by one, are four times the work for both threads.
  return report && JSON.stringify(report);
}

async function shutdown(): Promise<WorkerAnswer> {
  pacer.stop();
  await Promise.all([...sessions.keys()].map((number) => close(number)));
  await vad.close();
  return undefined;
}

function answer(id: number, work: Promise<WorkerAnswer>): void {
  work.then(
    (value) => post({ type: 'reply', id, value }),
    (error: NodeJS.ErrnoException) =>
      post({ type: 'failed', id, code: error.code ?? 'internal', message: asFailure(error).message }),
  );
}

function workerStats(now: Ms): WorkerStats {
  return {
    sessions: sessions.size,
    pacerLatenessMs: pacer.worstLateness(now),
    tickLateness: pacer.lateness(now),
    vadRestarts: vad.restarts,
  };
}

/** Requests of the worker itself. False when it concerns one session. */
function forWorker(request: WorkerRequest): request is Exclude<WorkerRequest, SessionRequest | HearRequest> {
  switch (request.type) {
    case 'open':
      answer(request.id, open(request));
      return true;
    case 'close':
      answer(request.id, close(request.session, request.moving));
      return true;
    case 'worker-stats':
      post({ type: 'reply', id: request.id, value: workerStats(clock.now()) });
      return true;
    case 'shutdown':
      answer(
        request.id,
        shutdown().finally(() => setImmediate(() => port?.close())),
      );
      return true;
    default:
      return false;
  }
}

port.on('message', (request: WorkerRequest) => {
  if (forWorker(request)) return;
  const session = sessions.get(request.session);
  if (session === undefined) {
    // Closed meanwhile: whoever waits is told so, and a port that came along is not left open.
    if (request.type === 'listen') request.port.close();
    if ('id' in request) post({ type: 'reply', id: request.id, value: undefined });
    return;
  }
  try {
    if (request.type === 'hear') hearing.tell(request.session, request.sources);
    else forSession(request, session, (id, value) => post({ type: 'reply', id, value }));
  } catch (error) {
    fail(request.session, session, error);
  }
});

post({ type: 'ready' });
