import { doneWithin } from '../core/abortable.ts';
import { Failure } from '../core/errors.ts';
import type { Scope } from '../core/scope.ts';
import type { Announcement, SayOutcome } from './bot/say.ts';
import { Call } from './call.ts';
import type { CallDeps, CallOpening } from './call-deps.ts';
import type { HandoverRefusal, HandoverRequest } from './handover/handover-desk.ts';
import type { HandoverStatus } from './handover/handover-status.ts';
import type { CallLeg, Leg } from './legs/call-leg.ts';
import type { CallParties } from './people/parties.ts';
import type { Party } from './people/party.ts';
import { incomingOpening } from './record/call-rows.ts';
import type { EndCause } from './record/outcome.ts';
import type { SipTrace } from './record/sip-ladder.ts';
import { ShortNumbers } from './supervision/short-numbers.ts';
import type { SupervisedCall, SupervisedCalls } from './supervision/supervised-calls.ts';

export interface CallsOptions extends CallDeps {
  /** Concurrent calls; one more is refused with 503. */
  maxCalls: number;
}

/** How long telephones have to confirm a BYE before the process goes. */
const HANG_UP_MS = 1_500;

/** A running call; `done` resolves with why it ended when it is over and recorded. */
export interface PlacedCall {
  call: Call;
  done: Promise<EndCause>;
  /** By which supervisors find it on a telephone. */
  shortNumber: string;
}

/** All running calls of this process. */
export class Calls implements SupervisedCalls {
  readonly #options: CallsOptions;
  readonly #scope: Scope;
  readonly #calls = new Map<string, PlacedCall>();
  readonly #numbers: ShortNumbers;
  #draining = false;

  constructor(options: CallsOptions, scope: Scope) {
    this.#options = options;
    this.#scope = scope;
    this.#numbers = new ShortNumbers(options.maxCalls);
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Takes a new leg; never throws. */
  accept(leg: CallLeg): void {
    if (this.#draining || this.#calls.size >= this.#options.maxCalls) {
      const status = 503;
      void leg
        .reject({ status, reason: this.#draining ? 'Draining' : 'Too Many Calls', retryAfterSeconds: 5 })
        .catch((error) => this.#options.log.warn({ err: error }, 'refusal not sent'));
      return;
    }
    this.#begin(incomingOpening(leg, this.#options));
  }

  /** Begins a call of ours. @throws Failure 503 when there is no room for it, or while the process drains */
  place(opening: CallOpening): PlacedCall {
    if (this.#draining || this.#calls.size >= this.#options.maxCalls) {
      throw new Failure('no room for another call', {
        code: 'calls-full',
        blame: 'us',
        retryable: true,
        sipStatus: 503,
      });
    }
    return this.#begin(opening);
  }

  #begin(opening: CallOpening): PlacedCall {
    const call = new Call(opening, this.#options, this.#scope);
    const shortNumber = this.#numbers.take(call.id);
    const done = call.run().finally(() => {
      this.#calls.delete(call.id);
      this.#numbers.release(shortNumber);
    });
    const placed = { call, done, shortNumber };
    this.#calls.set(call.id, placed);
    return placed;
  }

  /** Ends one call from our side; false when it is not live. */
  async hangup(sessionId: string): Promise<boolean> {
    const live = this.#calls.get(sessionId);
    if (!live) return false;
    const { direction, answerTime } = live.call.record;
    live.call.hangup(direction === 'OUTBOUND' && answerTime === undefined ? 'cancelled' : 'staff-hangup');
    await live.done;
    return true;
  }

  /** Keeps both sides out of the recording of a live call, or takes them in again. */
  pauseRecording(sessionId: string, paused: boolean): 'done' | 'not-recorded' | 'not-live' {
    const live = this.#calls.get(sessionId);
    if (!live) return 'not-live';
    return live.call.pauseRecording(paused) ? 'done' : 'not-recorded';
  }

  /** The SIP messages of one live call so far; undefined when it is not live. */
  sipTrace(sessionId: string): SipTrace | undefined {
    return this.#calls.get(sessionId)?.call.sipTrace();
  }

  /** Says something in one live call. */
  say(sessionId: string, announcement: Announcement): SayOutcome {
    return this.#calls.get(sessionId)?.call.say(announcement) ?? 'not-live';
  }

  /** Who else is in a call; undefined when it is not live, not answered yet, or ending. */
  partiesOf(sessionId: string): CallParties | undefined {
    return this.#calls.get(sessionId)?.call.parties;
  }

  sessionOf(shortNumber: string): string | undefined {
    return this.#numbers.sessionOf(shortNumber);
  }

  live(): SupervisedCall[] {
    return [...this.#calls].map(([sessionId, { call, shortNumber }]) => ({
      sessionId,
      shortNumber,
      agent: call.hasAgent,
    }));
  }

  /** As HandoverDeps. */
  takePersonOf(leg: Leg): Party | undefined {
    for (const { call } of this.#calls.values()) {
      const person = call.takePersonOf(leg);
      if (person !== undefined) return person;
    }
    return undefined;
  }

  /** Hands one live call over to a person. */
  transfer(sessionId: string, request: HandoverRequest): HandoverStatus | HandoverRefusal {
    return this.#calls.get(sessionId)?.call.transfer(request) ?? 'not-live';
  }

  /** The last hand-over of a live call. */
  handover(sessionId: string): HandoverStatus | undefined {
    return this.#calls.get(sessionId)?.call.handover;
  }

  /** Takes the caller of a live call back to the bot; false when nothing goes on that could be taken back. */
  recall(sessionId: string): boolean {
    return this.#calls.get(sessionId)?.call.recall() ?? false;
  }

  /**
   * No new calls; waits for the running ones up to `graceMs`, then the bots of the rest say goodbye and hang up, within
   * `goodbyeMs`; with 0 they are hung up without a word. Who is then left has never acknowledged our answer, for which a BYE
   * has to wait (RFC 3261 15): the user agent's close does not, so close it, and see `over`.
   */
  async drain(graceMs: number, goodbyeMs: number): Promise<void> {
    this.#draining = true;
    if (await doneWithin(graceMs, this.over())) return;
    const cause = 'process-shutdown';
    if (goodbyeMs > 0) {
      const told = [...this.#calls.values()].filter(({ call }) => call.bidGoodbye(cause, goodbyeMs));
      await doneWithin(goodbyeMs, Promise.all(told.map(({ done }) => done)));
    }
    for (const { call } of this.#calls.values()) call.hangup(cause);
    await doneWithin(HANG_UP_MS, this.over());
  }

  /** Resolves when each call that is live now is over, its record with it. */
  async over(): Promise<void> {
    await Promise.all([...this.#calls.values()].map((live) => live.done));
  }
}
