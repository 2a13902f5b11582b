import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { SipMessage, SipResponse } from '../message/message.ts';

/** What a transaction wants done. The layer above does it, in order. */
export type Effect =
  | { type: 'send'; message: SipMessage }
  /** For the transaction user, who made the request. */
  | { type: 'deliver'; message: SipResponse }
  /** Nobody answered in time: timers B, F; no ACK in time: timer H. */
  | { type: 'timeout' }
  | { type: 'transport-failed'; error: Failure }
  /** The transaction is over and can be forgotten. Always the last effect. */
  | { type: 'terminated' };

export const NOTHING: readonly Effect[] = [];

/**
 * A transaction as a pure state machine: it is given messages and the time and says what to do. Every state lists
 * where it may go; entering `terminated` disposes of all timers.
 */
export abstract class TransactionMachine<State extends string, Timer extends string> {
  #state: State | 'terminated';
  readonly #legal: Readonly<Record<State, readonly (State | 'terminated')[]>>;
  readonly #timers = new Map<Timer, Ms>();

  constructor(initial: State, legal: Readonly<Record<State, readonly (State | 'terminated')[]>>) {
    this.#state = initial;
    this.#legal = legal;
  }

  get state(): State | 'terminated' {
    return this.#state;
  }

  /** When `tick` has to be called next; undefined when nothing is being waited for. */
  deadline(): Ms | undefined {
    let earliest: Ms | undefined;
    for (const at of this.#timers.values()) if (earliest === undefined || at < earliest) earliest = at;
    return earliest;
  }

  /** Fires every timer that is due, in the order of their deadlines. */
  tick(now: Ms): Effect[] {
    const effects: Effect[] = [];
    for (;;) {
      let due: Timer | undefined;
      let dueAt = now;
      for (const [timer, at] of this.#timers) {
        if (at <= dueAt) {
          due = timer;
          dueAt = at;
        }
      }
      if (due === undefined) return effects;
      this.#timers.delete(due);
      effects.push(...this.onTimer(due, now));
    }
  }

  /** The transport could not send: the transaction user is told and the transaction is over (17.1.4, 17.2.4). */
  transportFailed(error: Failure): readonly Effect[] {
    if (this.#state === 'terminated') return NOTHING;
    return [{ type: 'transport-failed', error }, ...this.terminate()];
  }

  /** Ends the transaction at once, whatever its state: the user agent closes. */
  terminate(): Effect[] {
    this.#state = 'terminated';
    this.#timers.clear();
    return [{ type: 'terminated' }];
  }

  protected abstract onTimer(timer: Timer, now: Ms): readonly Effect[];

  /** @throws Failure for a move that is not in the table: a fault of ours */
  protected move(to: State): void {
    const from = this.#state;
    if (from === 'terminated' || !this.#legal[from].includes(to)) {
      throw new Failure(`transaction cannot go from ${from} to ${to}`, { code: 'sip-illegal-transition', blame: 'us' });
    }
    this.#state = to;
  }

  protected arm(timer: Timer, at: Ms): void {
    this.#timers.set(timer, at);
  }

  protected disarm(...timers: Timer[]): void {
    for (const timer of timers) this.#timers.delete(timer);
  }
}
