import type { LoadSample } from '../../src/call/admission.ts';
import type { Ms } from '../../src/core/clock.ts';
import { LoadGuard, type LoadLimits } from '../../src/frontends/admission/load-guard.ts';
import { type Patience, type WaitingCall, WaitingLine } from '../../src/frontends/admission/waiting-line.ts';
import { PROBE_EVERY_MS, ReceiveDelay } from '../../src/sip/transport/receive-delay.ts';

/** Milliseconds of a whole processor that things cost the connector's main thread. */
const COST = {
  /** An INVITE is read and judged, and refused or put into the line. */
  invite: 0.6,
  /** A copy of one that was answered. */
  copy: 0.3,
  /** One that has waited too long is let go unread. */
  dropped: 0.03,
  /** Of a set-up: media is asked for, is there, the answer. In between, all others have their turn. */
  step: 1,
  /** BYE, and what is written down. */
  end: 1.2,
} as const;
const STEPS = 3;

/** Calls a second that it carries at most, where each has been refused so often before. */
export function capacityOf(refusals: number): number {
  return 1000 / (COST.invite * (1 + refusals) + STEPS * COST.step + COST.end);
}

const TALK_MS = 1000;
const PATIENCE: Patience = { waitMs: 8000, silenceMs: 6000 };
/** libuv reads so many datagrams of a socket before it looks after anything else. */
const READ_AT_ONCE = 32;
const SERVE_EVERY_MS = 20;
const SAMPLE_EVERY_MS = 500;
const LIMITS: LoadLimits = { cpu: 0.9, memory: 0.8, loopDelayMs: 250, setupMs: 300 };
/** When an INVITE is sent again that nobody has answered (T1, 2*T1, 4*T1: RFC 3261 17.1.1.2), until it is given up. */
const COPIES_MS = [500, 1500, 3500];
/** `fr_timeout` of opensips.cfg while there are others to ask. */
const SILENT_MS = 2000;

interface Caller {
  readonly cameAt: Ms;
  answered: boolean;
}

/** An INVITE of this call to the connector; the next one follows when it is refused or nothing is heard of it. */
interface Offer {
  readonly caller: Caller;
  /** Others before it that were refused. */
  readonly before: number;
  heard: boolean;
  /** By the connector. */
  read: boolean;
}

export interface SimulatedLoad {
  /** New calls a second at this time. */
  perSecond(now: Ms): number;
  /** How much of a processor the main thread gets then. */
  speed(now: Ms): number;
  /** How often a call is refused before it is said that it may wait: once for each other connector that refuses it. */
  refusals: number;
}

export interface SimulatedSecond {
  came: number;
  answered: number;
  failed: number;
  /** At its end. */
  waiting: number;
  /** The longest way from a call's first INVITE to its answer. */
  slowestMs: Ms;
}

/**
 * A connector behind an edge, in a time of its own: the real guard and the real line, and a main thread that reads datagrams in
 * the order in which they came, from a sender that sends them again and offers once more what is refused. What is refused or
 * sent again costs time as well, so all this can stay overloaded by itself when the cause is over.
 */
export class SimulatedConnector {
  readonly seconds: SimulatedSecond[] = [];
  readonly guard = new LoadGuard(LIMITS, 0);
  readonly #line = new WaitingLine(1000);
  readonly #load: SimulatedLoad;
  #now: Ms = 0;
  /** The next first. */
  readonly #coming: { at: Ms; happens: () => void }[] = [];
  readonly #socket: (() => void)[] = [];
  readonly #delay = new ReceiveDelay((bytes) => this.#socket.push(() => this.#delay.take(bytes, this.#now)));
  #setUps: { steps: number; over: () => void }[] = [];
  #took: Ms[] = [];
  #busyMs = 0;
  #turnMs: Ms = 0;
  #serveAt: Ms = 0;
  #sampledAt: Ms = 0;
  #probeAt: Ms = 0;

  constructor(load: SimulatedLoad) {
    this.#load = load;
    this.#comes();
  }

  /** Until then. */
  run(untilMs: Ms): void {
    while (this.#now < untilMs) {
      const begun = this.#now;
      while (this.#coming.length > 0 && this.#coming[0]!.at <= this.#now) this.#coming.shift()!.happens();
      this.#timers();
      for (const read of this.#socket.splice(0, READ_AT_ONCE)) read();
      for (const setUp of [...this.#setUps]) this.#step(setUp);
      if (this.#now > begun) this.#turnMs = Math.max(this.#turnMs, this.#now - begun);
      else this.#now = Math.min(this.#coming[0]?.at ?? Number.POSITIVE_INFINITY, this.#serveAt);
    }
  }

  get #second(): SimulatedSecond {
    const n = Math.floor(this.#now / 1000);
    while (this.seconds.length <= n) this.seconds.push({ came: 0, answered: 0, failed: 0, waiting: 0, slowestMs: 0 });
    return this.seconds[n]!;
  }

  #spend(ms: number): void {
    this.#busyMs += ms;
    this.#now += ms / this.#load.speed(this.#now);
  }

  #at(at: Ms, happens: () => void): void {
    let i = this.#coming.length;
    while (i > 0 && this.#coming[i - 1]!.at > at) i--;
    this.#coming.splice(i, 0, { at, happens });
  }

  /** One call comes, and the next in its time. */
  #comes(at = 0): void {
    this.#at(at, () => {
      this.#second.came++;
      this.#offer({ cameAt: at, answered: false }, 0, at);
      this.#comes(at + 1000 / this.#load.perSecond(at));
    });
  }

  #offer(caller: Caller, before: number, at: Ms): void {
    const offer: Offer = { caller, before, heard: false, read: false };
    const send = () => this.#socket.push(() => this.#invited(offer));
    this.#at(at, send);
    const silentMs = before === this.#load.refusals ? PATIENCE.silenceMs : SILENT_MS;
    for (const later of COPIES_MS) if (later < silentMs) this.#at(at + later, () => !offer.heard && send());
    this.#at(at + silentMs, () => {
      if (offer.heard) return;
      offer.heard = true;
      this.#next(offer);
    });
  }

  #next({ caller, before }: Offer): void {
    if (before < this.#load.refusals) this.#offer(caller, before + 1, this.#now);
    else if (!caller.answered) this.#second.failed++;
  }

  #invited(offer: Offer): void {
    if (this.#delay.isStanding) this.#spend(COST.dropped);
    else if (offer.read) this.#spend(COST.copy);
    else {
      this.#spend(COST.invite);
      offer.read = true;
      const refused = !this.#takes(offer);
      const late = offer.heard;
      offer.heard = true;
      // Who has given it up meanwhile does not hear of it any more.
      if (refused && !late) this.#next(offer);
    }
  }

  /** Begins it, or lets it wait where it may. */
  #takes(offer: Offer): boolean {
    const mayWait = offer.before === this.#load.refusals;
    const refused = this.guard.refuses(this.#delay.ms(this.#now), this.#now, this.#line.length > 0);
    if (refused === undefined) this.#begin(offer);
    else if (!mayWait || this.#line.full) return false;
    else if (!this.guard.mayWait(this.#line.length, PATIENCE, this.#delay.ms(this.#now))) return false;
    else this.#line.join(this.#waiting(offer), offer.caller.cameAt + PATIENCE.waitMs);
    return true;
  }

  #waiting(offer: Offer): WaitingCall {
    const { signal } = new AbortController();
    const refuse = () => {
      this.#second.failed++;
    };
    return { begin: () => this.#begin(offer), refuse, signal };
  }

  #begin({ caller }: Offer): void {
    const begun = this.#now;
    const ended = this.guard.begins(begun);
    this.#setUps.push({
      steps: STEPS,
      over: () => {
        ended();
        this.#took.push(this.#now - begun);
        this.#at(this.#now + TALK_MS, () => this.#socket.push(() => this.#spend(COST.end)));
        if (caller.answered) return;
        caller.answered = true;
        const second = this.#second;
        second.answered++;
        second.slowestMs = Math.max(second.slowestMs, this.#now - caller.cameAt);
      },
    });
  }

  #step(setUp: { steps: number; over: () => void }): void {
    this.#spend(COST.step);
    if (--setUp.steps > 0) return;
    this.#setUps = this.#setUps.filter((one) => one !== setUp);
    setUp.over();
    this.#serve();
  }

  #serve(): void {
    this.#line.serve(this.#now, () => this.guard.takesWaiting(this.#delay.ms(this.#now), this.#now));
    this.#second.waiting = this.#line.length;
  }

  #timers(): void {
    if (this.#now >= this.#serveAt) {
      this.#serveAt = this.#now + SERVE_EVERY_MS;
      this.#serve();
    }
    if (this.#now >= this.#probeAt) {
      this.#probeAt = this.#now + PROBE_EVERY_MS;
      this.#delay.probe(this.#now);
    }
    const elapsed = this.#now - this.#sampledAt;
    if (elapsed < SAMPLE_EVERY_MS) return;
    this.#sampledAt = this.#now;
    const took = this.#took.sort((a, b) => a - b);
    const sample: LoadSample = {
      // Of two processors, as many as the connector has.
      cpu: this.#busyMs / elapsed / 2,
      memory: 0.1,
      loopDelayMs: this.#turnMs,
      setupMs: took.length < 5 ? 0 : took[took.length >> 1]!,
      receiveMs: this.#delay.ms(this.#now),
    };
    this.guard.observe(sample, this.#now, { answered: took.length, waiting: this.#line.length });
    this.#took = [];
    [this.#busyMs, this.#turnMs] = [0, 0];
  }
}
