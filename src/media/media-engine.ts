import { type Ms, monotonicNow, systemClock } from '../core/clock.ts';
import { asFailure, Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { createDtlsIdentity, type DtlsIdentity } from './dtls/identity.ts';
import type { MediaEngine, MediaEngineStats, MediaSession, MediaSessionOptions } from './ports.ts';
import { PortPool, type PortRange } from './rtp/port-pool.ts';
import type { Scheduling } from './workers/real-time.ts';
import { RemoteSession } from './workers/remote-session.ts';
import type { UdpChoice, VadChoice, WorkerStats } from './workers/worker-protocol.ts';
import { type Place, WorkerSeat } from './workers/worker-seat.ts';

export interface MediaEngineOptions {
  /** Worker threads. Default 1. */
  workers?: number;
  /**
   * The next worker gets sessions when those before it carry this many each: one thread alone spends less on a packet than
   * two, until it has no time left. It starts when the last one is half full, and nobody waits for it: who never has so many
   * calls pays for one. Default 0: all start, and sessions are spread over them.
   */
  sessionsToFill?: number;
  /** Even ports of this range, or whatever the system gives out. Default 'ephemeral'. */
  ports?: PortRange | 'ephemeral';
  /** A port rests this long after a call. Default 5 s. */
  portRestMs?: Ms;
  /** Without it a plain energy detector is used. */
  vad?: VadChoice;
  /** Default 'system'. */
  udp?: UdpChoice;
  /** Of the workers, as far as it is allowed. Default 'fair'. */
  scheduling?: Scheduling;
  /** Sessions one worker takes at most. Default 500. */
  sessionsPerWorker?: number;
  /** A worker that gives its calls no time for this long is ended and replaced. Default 2 s. */
  hangMs?: Ms;
  /** Makes a certificate and offers and takes DTLS-SRTP. Default false. */
  dtls?: boolean;
  log: Logger;
}

/** A port somebody else holds is tried again after this. */
const TAKEN_PORT_REST_MS = 30_000;
const STOP_GRACE_MS = 3000;
const WATCH_EVERY_MS = 250;
const HANG_MS = 2000;

/** MediaEngine over worker threads: places calls and owns the ports; what becomes of a worker is worker-seat.ts's. */
export class WorkerMediaEngine implements MediaEngine {
  readonly #log: Logger;
  readonly #pool: PortPool | undefined;
  readonly #seats: WorkerSeat[];
  readonly #newSeat: () => WorkerSeat;
  /** As many at most. */
  readonly #workers: number;
  readonly #limit: number;
  readonly #toFill: number;
  readonly #watchdog: NodeJS.Timeout;
  readonly #identity: DtlsIdentity | undefined;
  #nextSession = 1;
  #closing: Promise<void> | undefined;

  constructor(options: MediaEngineOptions) {
    this.#log = options.log;
    const ports = options.ports ?? 'ephemeral';
    this.#pool = ports === 'ephemeral' ? undefined : new PortPool(ports, options.portRestMs ?? 5000);
    this.#identity = options.dtls ? createDtlsIdentity(systemClock.wall()) : undefined;
    this.#limit = options.sessionsPerWorker ?? 500;
    this.#toFill = Math.min(options.sessionsToFill ?? 0, this.#limit);
    this.#newSeat = () =>
      new WorkerSeat({
        vad: options.vad,
        udp: options.udp ?? 'system',
        scheduling: options.scheduling ?? 'fair',
        hangMs: options.hangMs ?? HANG_MS,
        log: options.log,
      });
    this.#workers = Math.max(1, options.workers ?? 1);
    this.#seats = Array.from({ length: this.#toFill > 0 ? 1 : this.#workers }, this.#newSeat);
    this.#watchdog = setInterval(() => {
      for (const seat of this.#seats) seat.watch(monotonicNow(), WATCH_EVERY_MS);
    }, WATCH_EVERY_MS);
    this.#watchdog.unref();
  }

  /**
   * An engine whose workers are ready: all, or the first where they are filled one after the other. Rejects when one of those
   * cannot start, e.g. for its VAD.
   */
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

  /** A call with keys by DTLS is near. */
  async expectDtls(): Promise<void> {
    await this.#identity?.handshakes();
  }

  async open(options: MediaSessionOptions): Promise<MediaSession> {
    const seat = this.#pickSeat(options.beside);
    const number = this.#nextSession++;
    const { link } = seat;
    // Takes its place at once, so that calls arriving together are spread.
    const place: Place = { options, session: undefined, release: () => seat.sessions.delete(number) };
    seat.sessions.set(number, place);
    this.#startAhead();
    try {
      await link.ready;
      const session = new RemoteSession(number, options, link, () => place.release(), this.#identity);
      await this.#bind(link, session);
      place.release = (lost) => {
        if (!this.#seats.some(({ sessions }) => sessions.delete(number))) return;
        this.#pool?.release(session.localPort, monotonicNow(), lost ? TAKEN_PORT_REST_MS : undefined);
      };
      place.session = session;
      if (!link.alive) throw unavailable('the media worker died');
      return session;
    } catch (error) {
      place.release();
      throw error instanceof Failure && error.sipStatus === 503 ? error : unavailable(asFailure(error).message, error);
    }
  }

  async bring(session: MediaSession, beside: MediaSession): Promise<void> {
    const from = this.#seatOf(session);
    const to = this.#seatOf(beside);
    if (!(session instanceof RemoteSession) || from === undefined || to === undefined) {
      throw unavailable('a call that is to be joined with another is over');
    }
    if (from === to) return;
    if (!to.link.alive || to.sessions.size >= this.#limit) throw unavailable('its media worker has no room');
    const { number } = session;
    const place = from.sessions.get(number)!;
    from.sessions.delete(number);
    to.sessions.set(number, place);
    try {
      for (const event of await session.move(to.link)) to.tell(number, event);
    } catch (error) {
      to.lose(number, asFailure(error).message);
      throw unavailable(asFailure(error).message, error);
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
      workerRestarts: this.#seats.reduce((sum, seat) => sum + seat.restarts, 0),
      vadRestarts: workers.map((worker) => worker?.vadRestarts ?? Number.NaN),
    };
  }

  /** Ends all sessions and workers; recordings are completed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#watchdog);
    await Promise.all(this.#seats.map((seat) => seat.close(STOP_GRACE_MS)));
  }

  /** The next worker is to be there when it is needed: nobody is to wait for it, or for the processor that its start takes. */
  #startAhead(): void {
    const last = this.#seats.at(-1)!;
    const calls = this.#seats.reduce((sum, { sessions }) => sum + sessions.size, 0);
    const soonFull = calls >= (this.#seats.length - 0.5) * this.#toFill;
    if (soonFull && last.link.started && this.#seats.length < this.#workers) this.#seats.push(this.#newSeat());
  }

  #pickSeat(beside: MediaSession | undefined): WorkerSeat {
    if (this.#closing) throw unavailable('the media engine is closing');
    if (beside !== undefined) {
      const seat = this.#seatOf(beside);
      if (seat === undefined) throw unavailable('the call to be beside is over');
      if (!seat.link.alive || seat.sessions.size >= this.#limit) throw unavailable('its media worker has no room');
      return seat;
    }
    const open = this.#seats.filter(({ link, sessions }) => link.alive && sessions.size < this.#limit);
    // One that is only starting is for those who would have to wait anyway.
    const started = open.filter(({ link }) => link.started);
    const candidates = started.length > 0 ? started : open;
    const [emptiest] = candidates.toSorted((a, b) => a.sessions.size - b.sessions.size);
    const best = candidates.find(({ sessions }) => sessions.size < this.#toFill) ?? emptiest;
    if (best === undefined) throw unavailable('no media worker has room');
    return best;
  }

  #seatOf(session: MediaSession): WorkerSeat | undefined {
    if (!(session instanceof RemoteSession)) return undefined;
    return this.#seats.find(({ sessions }) => sessions.get(session.number)?.session === session);
  }

  async #bind(link: WorkerSeat['link'], session: RemoteSession): Promise<void> {
    for (;;) {
      const port = this.#pool === undefined ? 0 : this.#pool.acquire(monotonicNow());
      if (port === undefined) throw unavailable('no RTP port is free');
      try {
        await session.bind(link, port);
        return;
      } catch (error) {
        const taken = error instanceof Failure && error.code === 'EADDRINUSE' && this.#pool !== undefined;
        this.#pool?.release(port, monotonicNow(), taken ? TAKEN_PORT_REST_MS : 0);
        if (!taken) throw error;
        this.#log.warn({ port }, 'an RTP port is held by another program');
      }
    }
  }
}

function unavailable(message: string, cause?: unknown): Failure {
  return new Failure(message, { code: 'media-unavailable', blame: 'us', retryable: true, sipStatus: 503, cause });
}
