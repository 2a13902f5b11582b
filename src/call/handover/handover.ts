import type { Timekeeper } from '../../core/alarm.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Leg, ReferralEnd } from '../call-leg.ts';
import type { HandoverTarget } from './handover-plan.ts';
import { type HandoverEnd, HandoverRecord, type HandoverStatus } from './handover-status.ts';

/** The caller's side of a hand-over, as the call lends it. */
export interface HandoverCaller {
  /** Aborts when the call is over. */
  readonly signal: AbortSignal;
  readonly leg: Leg;
  event(type: string, data: Record<string, unknown>): void;
}

export interface HandoverOptions {
  by: HandoverStatus['by'];
  caller: HandoverCaller;
  targets: readonly HandoverTarget[];
  time: Timekeeper;
  log: Logger;
}

/** One caller on the way to a person: from the request until they talk, or the bot has the caller back. */
export class Handover {
  readonly #o: HandoverOptions;
  readonly #record: HandoverRecord;
  readonly #cancelled = new AbortController();
  #done: Promise<HandoverEnd> | undefined;

  constructor(options: HandoverOptions) {
    this.#o = options;
    this.#record = new HandoverRecord({ by: options.by, queue: undefined, startedAt: options.time.wall() });
  }

  get status(): HandoverStatus {
    return this.#record.status;
  }

  /** Resolves when it is over; never rejects. Running twice is running once. */
  run(): Promise<HandoverEnd> {
    this.#done ??= this.#run();
    return this.#done;
  }

  /** The caller is wanted back. What has been asked of the caller's own side cannot be unasked. */
  cancel(): void {
    this.#cancelled.abort();
  }

  async #run(): Promise<HandoverEnd> {
    const { caller, by, targets, log, time } = this.#o;
    caller.event('handover-started', { handoverId: this.#record.id, by, targets: targets.map(({ name }) => name) });
    let outcome: HandoverEnd;
    try {
      outcome = await this.#tryAll();
    } catch (error) {
      log.error({ err: error }, 'a hand-over failed');
      outcome = 'nobody';
    }
    this.#record.end(outcome, time.wall());
    caller.event('handover-ended', { handoverId: this.#record.id, outcome });
    return outcome;
  }

  async #tryAll(): Promise<HandoverEnd> {
    for (const target of this.#o.targets) {
      const outcome = await this.#refer(target);
      if (outcome !== 'next') return outcome;
      if (this.#cancelled.signal.aborted) return 'cancelled';
    }
    return 'nobody';
  }

  async #refer(target: HandoverTarget): Promise<HandoverEnd | 'next'> {
    const { caller } = this.#o;
    const { name, to } = target;
    this.#record.move('referring');
    const result = this.#record.attempt(name, 'refer');
    caller.event('handover-referring', { target: name });
    let end: ReferralEnd;
    try {
      const longestMs = target.ringMs + REFERRAL_SLACK_MS;
      end = await caller.leg.refer({
        to,
        longestMs,
        onProgress: (status) => caller.event('handover-progress', { target: name, status }),
      });
    } catch (error) {
      const failure = asFailure(error);
      this.#o.log.warn({ code: failure.code, reason: failure.message }, 'the caller could not be referred');
      end = { outcome: 'refused', status: failure.sipStatus };
    }
    const status = 'status' in end ? end.status : undefined;
    result(end.outcome, status);
    caller.event('handover-referred', { target: name, ...end });
    switch (end.outcome) {
      case 'connected':
      case 'left':
        return 'transferred';
      case 'ended':
        return 'caller-gone';
      case 'unknown':
        // Somebody may have answered all the same: nobody else is called for a caller who may be talking.
        return 'unknown';
      default:
        this.#record.move('waiting');
        return 'next';
    }
  }
}

/** What the caller's side may take beyond the ringing: routing, and the news of it. */
const REFERRAL_SLACK_MS = 10_000;
