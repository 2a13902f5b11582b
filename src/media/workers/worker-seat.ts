import { type Ms, monotonicNow } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { MediaEvent, MediaSessionOptions } from '../ports.ts';
import { type Scheduling, type SetScheduling, setScheduling } from './real-time.ts';
import type { RemoteSession } from './remote-session.ts';
import { WorkerLink } from './worker-link.ts';
import type { SessionNumber, UdpChoice, VadChoice } from './worker-protocol.ts';
import { WorkerPulse } from './worker-pulse.ts';

export interface WorkerSeatOptions {
  vad: VadChoice | undefined;
  udp: UdpChoice;
  scheduling: Scheduling;
  /** A worker whose calls get no tick for this long hangs. */
  hangMs: Ms;
  log: Logger;
}

/** A call's place in a worker. */
export interface Place {
  readonly options: MediaSessionOptions;
  /** Undefined while it is being opened. */
  session: RemoteSession | undefined;
  /** Frees the place and the port; the second time nothing. `lost`: its socket may still be open. */
  release(lost?: boolean): void;
}

/** Not before it is wanted. */
let scheduler: SetScheduling | undefined;

interface Health {
  /** When workers died under it, of late. */
  deaths: Ms[];
  /** Of those, deaths in the middle of its own work. */
  suspected: number;
  deadline: NodeJS.Timeout | undefined;
}

const MOST_PATIENCE_MS = 30_000;
const MAX_RESTART_PAUSE_MS = 10_000;
/** A worker that has lived this long has recovered. */
const HEALTHY_AFTER_MS = 30_000;
/** Calls that no worker carries after this long are ended: nobody listens to silence for longer. */
const REOPEN_WITHIN_MS = 5000;
/** A call under which more workers die than this within a minute is ended: perhaps it kills them. */
const MOST_DEATHS = 3;
const DEATHS_WITHIN_MS = 60_000;
/** ... and one that was being worked on so often when they did surely does. */
const MOST_SUSPECTED = 2;

/**
 * One worker thread and its successors. A worker that dies or hangs is replaced, and its calls go on in the new one, not
 * in another that lives: if one of them is what kills workers, it shall not take others along.
 */
export class WorkerSeat {
  readonly sessions = new Map<SessionNumber, Place>();
  restarts = 0;
  readonly #options: WorkerSeatOptions;
  readonly #log: Logger;
  readonly #health = new WeakMap<Place, Health>();
  #pulse = new WorkerPulse();
  #link: WorkerLink;
  /** Deaths in a row, for the pause before the next start. */
  #deaths = 0;
  #bornAt = monotonicNow();
  #restart: NodeJS.Timeout | undefined;
  #beats = -1;
  #beatAt: Ms = 0;
  #watchedAt: Ms = 0;
  #patienceMs: Ms;
  #closed = false;

  constructor(options: WorkerSeatOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#patienceMs = options.hangMs;
    this.#link = this.#start();
  }

  get link(): WorkerLink {
    return this.#link;
  }

  /** Call every `everyMs`: ends a worker that has calls and gives them no time. */
  watch(now: Ms, everyMs: Ms): void {
    const { beats } = this.#pulse;
    if (beats === this.#beats && this.sessions.size > 0 && this.#link.alive) this.#letWait();
    // This thread was late itself: the machine is starved, and nobody's silence means anything.
    const starved = now - this.#watchedAt > 2 * everyMs;
    this.#watchedAt = now;
    if (beats !== this.#beats || starved || !this.#link.alive || !this.#link.started || this.sessions.size === 0) {
      this.#beats = beats;
      this.#beatAt = now;
    } else if (now - this.#beatAt >= this.#patienceMs) {
      this.#beatAt = now;
      // Were it the machine that is too slow, ending workers would only make it slower.
      this.#patienceMs = Math.min(MOST_PATIENCE_MS, 2 * this.#patienceMs);
      this.#log.error({ calls: this.sessions.size }, 'a media worker hangs and is ended');
      this.#link.kill('the media worker hung');
    }
  }

  /** One in real time that gives no sign would keep this thread from a core, and so from finding out and ending it. */
  #letWait(): void {
    const { thread } = this.#pulse;
    if (thread === 0) return;
    scheduler ??= setScheduling();
    scheduler?.('fair', thread);
  }

  /** An event of a session, as if the worker had raised it. */
  tell(number: SessionNumber, event: MediaEvent): void {
    this.#onEvent(number, event);
  }

  /** Nobody carries this session any more. */
  lose(number: SessionNumber, message: string): void {
    const place = this.sessions.get(number);
    if (place) this.#lose(number, place, message);
  }

  /** Ends the worker; recordings are completed. */
  async close(graceMs: Ms): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    await this.#link.stop(graceMs);
    for (const place of [...this.sessions.values()]) {
      this.#calm(place);
      place.session?.lose();
      place.release();
    }
  }

  #start(): WorkerLink {
    this.#pulse = new WorkerPulse();
    this.#bornAt = monotonicNow();
    const { vad, udp, scheduling } = this.#options;
    return new WorkerLink(
      { vad, udp, scheduling, pulse: this.#pulse.shared },
      {
        event: (session, event) => this.#onEvent(session, event),
        dtls: (session, data, from) => this.sessions.get(session)?.session?.receiveDtls(data, from),
        log: (level, message, session) => {
          const call = session === undefined ? undefined : this.sessions.get(session)?.options.call;
          this.#log[level]({ session_id: call }, message);
        },
        died: (error) => this.#onDeath(error),
      },
    );
  }

  #onEvent(number: SessionNumber, event: MediaEvent): void {
    const place = this.sessions.get(number);
    // Closed meanwhile: nobody listens any more.
    if (place === undefined) return;
    place.session?.note(event);
    if (event.type === 'media-failed') this.#forget(place);
    try {
      place.options.onEvent(event);
    } catch (error) {
      this.#log.error({ session_id: place.options.call, err: error }, 'a media event handler threw');
    }
  }

  #onDeath(error: Error): void {
    this.#log.error({ err: error, calls: this.sessions.size }, 'a media worker died');
    const now = monotonicNow();
    const suspect = this.#pulse.session;
    for (const [number, place] of [...this.sessions]) {
      if (this.#closed) this.#lose(number, place, error.message);
      else if (place.session) this.#interrupt(number, place, place.session, now, suspect, error);
    }
    if (this.#closed) return;
    this.restarts++;
    const healthy = now - this.#bornAt > HEALTHY_AFTER_MS;
    this.#deaths = healthy ? 1 : this.#deaths + 1;
    if (healthy) this.#patienceMs = this.#options.hangMs;
    // The calls wait for the first two; a worker that keeps dying is given time.
    const pause = this.#deaths === 1 ? 0 : Math.min(MAX_RESTART_PAUSE_MS, 50 * 3 ** (this.#deaths - 2));
    this.#restart = setTimeout(() => {
      const link = this.#start();
      this.#link = link;
      void link.ready.then(
        () => this.#reopenAll(link, error.message),
        () => undefined,
      );
    }, pause);
  }

  #interrupt(
    number: SessionNumber,
    place: Place,
    session: RemoteSession,
    now: Ms,
    suspect: SessionNumber,
    error: Error,
  ): void {
    session.interrupt();
    const health = this.#health.get(place) ?? { deaths: [], suspected: 0, deadline: undefined };
    this.#health.set(place, health);
    health.deaths = health.deaths.filter((at) => now - at < DEATHS_WITHIN_MS);
    health.deaths.push(now);
    if (suspect === number) health.suspected++;
    if (health.deaths.length > MOST_DEATHS || health.suspected >= MOST_SUSPECTED) {
      this.#lose(number, place, error.message);
      return;
    }
    health.deadline ??= setTimeout(() => this.#lose(number, place, error.message), REOPEN_WITHIN_MS);
  }

  #reopenAll(link: WorkerLink, cause: string): void {
    for (const [number, place] of [...this.sessions]) {
      const { session } = place;
      if (session?.interrupted) void this.#reopen(link, number, place, session, cause);
    }
  }

  async #reopen(
    link: WorkerLink,
    number: SessionNumber,
    place: Place,
    session: RemoteSession,
    cause: string,
  ): Promise<void> {
    try {
      const events = await session.reopen(link, cause);
      this.#calm(place);
      for (const event of events) this.#onEvent(number, event);
    } catch (error) {
      // Dead again: the next worker tries, until the deadline.
      if (link.alive) this.#lose(number, place, asFailure(error).message);
    }
  }

  #lose(number: SessionNumber, place: Place, message: string): void {
    place.session?.lose();
    this.#onEvent(number, { type: 'media-failed', at: monotonicNow(), message });
  }

  #forget(place: Place): void {
    this.#calm(place);
    place.release(true);
  }

  #calm(place: Place): void {
    const health = this.#health.get(place);
    clearTimeout(health?.deadline);
    if (health) health.deadline = undefined;
  }
}
