import type { Ms } from '../../core/clock.ts';
import type { ConnectionLimits } from './connection-limits.ts';

/** What to do with a connection that has been quiet: nothing, keep it alive, or close it and say why. */
export type Verdict = 'fine' | 'ping' | { close: string };

/** How long one connection may be quiet, half-way through a message, or mute. Pure: time is an argument. */
export class ConnectionWatch {
  readonly #limits: ConnectionLimits;
  readonly #openedAt: Ms;
  #proven: boolean;
  #heardAt: Ms;
  #saidAt: Ms;
  #messageSince: Ms | undefined;
  #badInARow = 0;
  #pingedAt: Ms | undefined;
  /** A peer that has answered a ping once has to go on doing so (others need not know RFC 5626). */
  #answersPings = false;

  /** `accepted`: the peer opened it, and has to say something sensible first. */
  constructor(limits: ConnectionLimits, accepted: boolean, now: Ms) {
    this.#limits = limits;
    this.#openedAt = now;
    this.#proven = !accepted;
    this.#heardAt = now;
    this.#saidAt = now;
  }

  /** Bytes came, whatever they say. */
  heard(now: Ms): void {
    this.#pingedAt = undefined;
    this.#heardAt = now;
  }

  /** The answer to a ping came. */
  pong(): void {
    this.#answersPings = true;
  }

  /** A whole message or keep-alive came. True the first time. */
  sensible(): boolean {
    this.#badInARow = 0;
    if (this.#proven) return false;
    this.#proven = true;
    return true;
  }

  /** A wrong message came. True when there have been too many in a row. */
  wrong(): boolean {
    return ++this.#badInARow > this.#limits.maxBadMessages;
  }

  /** Is a message half received? */
  inMessage(half: boolean, completedOne: boolean, now: Ms): void {
    if (!half) this.#messageSince = undefined;
    else if (completedOne || this.#messageSince === undefined) this.#messageSince = now;
  }

  said(now: Ms): void {
    this.#saidAt = now;
  }

  /** `inUse` is asked only when it matters: does a call need this connection? */
  judge(now: Ms, inUse: () => boolean): Verdict {
    const { messageMs, firstMessageMs, idleMs, keepAliveMs } = this.#limits;
    if (this.#messageSince !== undefined && now - this.#messageSince > messageMs) {
      return { close: 'half a message for too long' };
    }
    if (!this.#proven && now - this.#openedAt > firstMessageMs) return { close: 'no message' };
    if (this.#pingedAt !== undefined && this.#answersPings && now - this.#pingedAt > messageMs) {
      return { close: 'no answer to a keep-alive' };
    }
    const quietFor = now - Math.max(this.#heardAt, this.#saidAt);
    if (quietFor > idleMs && !inUse()) return { close: 'idle' };
    const pingDue = now - Math.max(this.#heardAt, this.#saidAt, this.#pingedAt ?? 0) > keepAliveMs;
    if (!pingDue || !inUse()) return 'fine';
    this.#pingedAt = now;
    return 'ping';
  }
}
