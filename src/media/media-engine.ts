import { type Ms, monotonicNow } from '../core/clock.ts';
import { asFailure, Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { PortPool, type PortRange } from './port-pool.ts';
import type { MediaEngine, MediaEngineStats, MediaEvent, MediaSession, MediaSessionOptions } from './ports.ts';
import { RemoteSession } from './remote-session.ts';
import { WorkerLink } from './worker-link.ts';
import type { SessionNumber, VadChoice, WorkerStats } from './worker-protocol.ts';

export interface MediaEngineOptions {
  /** Worker threads. Default 1. */
  workers?: number;
  /** Even ports of this range, or whatever the system gives out. Default 'ephemeral'. */
  ports?: PortRange | 'ephemeral';
  /** A port rests this long after a call. Default 5 s. */
  portRestMs?: Ms;
  /** Without it a plain energy detector is used. */
  vad?: VadChoice;
  /** Sessions one worker takes at most. Default 500. */
  sessionsPerWorker?: number;
  log: Logger;
}

interface Seat {
  link: WorkerLink;
  sessions: Map<SessionNumber, OpenSession>;
  /** Deaths in a row, for the pause before the next start. */
  deaths: number;
  bornAt: Ms;
}

interface OpenSession {
  options: MediaSessionOptions;
  /** Frees the place and the port; the second time nothing. */
  release(): void;
}

const DEFAULT_RTP_TIMEOUT_MS = 20_000;
/** A port somebody else holds is tried again after this. */
const TAKEN_PORT_REST_MS = 30_000;
const STOP_GRACE_MS = 3000;
const MAX_RESTART_PAUSE_MS = 10_000;
/** A worker that has lived this long has recovered. */
const HEALTHY_AFTER_MS = 30_000;
const WATCHDOG_MS = 2000;
/** Watchdog rounds without an answer after which a worker counts as hung. */
const WATCHDOG_MISSES = 4;

/** MediaEngine over worker threads: places calls, owns the ports, turns a worker's death into media-failed. */
export class WorkerMediaEngine implements MediaEngine {
  readonly #options: MediaEngineOptions;
  readonly #log: Logger;
  readonly #pool: PortPool | undefined;
  readonly #seats: Seat[];
  readonly #limit: number;
  readonly #watchdog: NodeJS.Timeout;
  readonly #restarts = new Set<NodeJS.Timeout>();
  #nextSession = 1;
  #closing: Promise<void> | undefined;

  constructor(options: MediaEngineOptions) {
    this.#options = options;
    this.#log = options.log;
    const ports = options.ports ?? 'ephemeral';
    this.#pool = ports === 'ephemeral' ? undefined : new PortPool(ports, options.portRestMs ?? 5000);
    this.#limit = options.sessionsPerWorker ?? 500;
    this.#seats = Array.from({ length: Math.max(1, options.workers ?? 1) }, () => this.#newSeat());
    const misses = new Map<WorkerLink, number>();
    this.#watchdog = setInterval(() => this.#watch(misses), WATCHDOG_MS);
    this.#watchdog.unref();
  }

  /** An engine whose workers are all ready. Rejects when one cannot start, e.g. for its VAD. */
  static async start(options: MediaEngineOptions): Promise<WorkerMediaEngine> {
    const engine = new WorkerMediaEngine(options);
    try {
      await engine.ready();
    } catch (error) {
      await engine.close();
      throw error;
    }
    return engine;
  }

  async ready(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.link.ready));
  }

  async open(options: MediaSessionOptions): Promise<MediaSession> {
    const seat = this.#pickSeat();
    const session = this.#nextSession++;
    const { link } = seat;
    // Takes its place at once, so that calls arriving together are spread.
    const place: OpenSession = { options, release: () => seat.sessions.delete(session) };
    seat.sessions.set(session, place);
    try {
      await link.ready;
      const port = await this.#bind(link, session, options);
      let released = false;
      place.release = () => {
        if (released) return;
        released = true;
        seat.sessions.delete(session);
        this.#pool?.release(port, monotonicNow());
      };
      const handle = new RemoteSession(options.call, port, session, link, () => place.release());
      if (!link.alive) throw unavailable('the media worker died');
      return handle;
    } catch (error) {
      place.release();
      throw error instanceof Failure && error.sipStatus === 503 ? error : unavailable(asFailure(error).message, error);
    }
  }

  async stats(): Promise<MediaEngineStats> {
    const answers = await Promise.all(
      this.#seats.map((seat) => seat.link.ask({ type: 'worker-stats' }).catch(() => undefined)),
    );
    const workers = answers.map((answer) => answer as WorkerStats | undefined);
    return {
      sessions: this.#seats.reduce((sum, seat) => sum + seat.sessions.size, 0),
      portsFree: this.#pool?.available(monotonicNow()) ?? Number.POSITIVE_INFINITY,
      pacerLatenessMs: workers.map((worker) => worker?.pacerLatenessMs ?? Number.NaN),
      tickLateness: workers.flatMap((worker) => worker?.tickLateness ?? []),
      vadRestarts: workers.map((worker) => worker?.vadRestarts ?? 0),
    };
  }

  /** Ends all sessions and workers; recordings are completed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#watchdog);
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all(this.#seats.map((seat) => seat.link.stop(STOP_GRACE_MS)));
    for (const seat of this.#seats) for (const place of [...seat.sessions.values()]) place.release();
  }

  #pickSeat(): Seat {
    if (this.#closing) throw unavailable('the media engine is closing');
    let best: Seat | undefined;
    for (const seat of this.#seats) {
      if (!seat.link.alive || seat.sessions.size >= this.#limit) continue;
      if (best === undefined || seat.sessions.size < best.sessions.size) best = seat;
    }
    if (best === undefined) throw unavailable('no media worker has room');
    return best;
  }

  async #bind(link: WorkerLink, session: SessionNumber, options: MediaSessionOptions): Promise<number> {
    const { bindAddress } = options;
    const rtpTimeoutMs = options.rtpTimeoutMs ?? DEFAULT_RTP_TIMEOUT_MS;
    for (;;) {
      const port = this.#pool === undefined ? 0 : this.#pool.acquire(monotonicNow());
      if (port === undefined) throw unavailable('no RTP port is free');
      try {
        const answer = await link.ask({ type: 'open', session, bindAddress, port, rtpTimeoutMs });
        return (answer as { port: number }).port;
      } catch (error) {
        const taken = error instanceof Failure && error.code === 'EADDRINUSE' && this.#pool !== undefined;
        this.#pool?.release(port, monotonicNow(), taken ? TAKEN_PORT_REST_MS : 0);
        if (!taken) throw error;
        this.#log.warn({ port }, 'an RTP port is held by another program');
      }
    }
  }

  #newSeat(): Seat {
    const seat: Seat = {
      link: this.#startWorker(() => seat),
      sessions: new Map(),
      deaths: 0,
      bornAt: monotonicNow(),
    };
    return seat;
  }

  #startWorker(seat: () => Seat): WorkerLink {
    return new WorkerLink(
      { vad: this.#options.vad },
      {
        event: (session, event) => this.#onEvent(seat(), session, event),
        log: (level, message, session) => {
          const call = session === undefined ? undefined : seat().sessions.get(session)?.options.call;
          this.#log[level]({ session_id: call }, message);
        },
        died: (error) => this.#onDeath(seat(), error),
      },
    );
  }

  #onEvent(seat: Seat, session: SessionNumber, event: MediaEvent): void {
    const place = seat.sessions.get(session);
    // Closed meanwhile: nobody listens any more.
    if (place === undefined) return;
    if (event.type === 'media-failed') place.release();
    try {
      place.options.onEvent(event);
    } catch (error) {
      this.#log.error({ session_id: place.options.call, err: error }, 'a media event handler threw');
    }
  }

  #onDeath(seat: Seat, error: Error): void {
    this.#log.error({ err: error, calls: seat.sessions.size }, 'a media worker died');
    const at = monotonicNow();
    for (const session of [...seat.sessions.keys()]) {
      this.#onEvent(seat, session, { type: 'media-failed', at, message: error.message });
    }
    if (this.#closing) return;
    seat.deaths = at - seat.bornAt > HEALTHY_AFTER_MS ? 1 : seat.deaths + 1;
    const pause = seat.deaths === 1 ? 0 : Math.min(MAX_RESTART_PAUSE_MS, 250 * 2 ** seat.deaths);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      if (this.#closing) return;
      seat.bornAt = monotonicNow();
      seat.link = this.#startWorker(() => seat);
    }, pause);
    this.#restarts.add(timer);
  }

  /** A worker that answers nothing for several rounds hangs; its calls are lost already, others need its place. */
  #watch(misses: Map<WorkerLink, number>): void {
    for (const { link } of this.#seats) {
      if (!link.alive) {
        misses.delete(link);
        continue;
      }
      const missed = misses.get(link) ?? 0;
      if (missed >= WATCHDOG_MISSES) {
        this.#log.error('a media worker hangs and is ended');
        misses.delete(link);
        link.kill();
        continue;
      }
      misses.set(link, missed + 1);
      void link.ready
        .then(() => link.ask({ type: 'worker-stats' }))
        .then(
          () => misses.set(link, 0),
          () => misses.delete(link),
        );
    }
  }
}

function unavailable(message: string, cause?: unknown): Failure {
  return new Failure(message, { code: 'media-unavailable', blame: 'us', retryable: true, sipStatus: 503, cause });
}
