import { Failure } from '../../core/errors.ts';

/** How a person is brought in; `auto`: by REFER where the caller's side takes that, else through us. */
export const HANDOVER_WAYS = ['auto', 'refer', 'attended', 'bridge'] as const;
export type HandoverWay = (typeof HANDOVER_WAYS)[number];

/**
 * Where a hand-over stands:
 * - waiting: in line for somebody who is free
 * - referring: the caller's side has been asked to call the person
 * - calling: we call the person; briefing: they hear what it is about, and have not taken the call yet
 * - connected: caller and person talk, through us
 * - ended: over, see HandoverEnd
 */
export const HANDOVER_STATES = ['waiting', 'referring', 'calling', 'briefing', 'connected', 'ended'] as const;
export type HandoverState = (typeof HANDOVER_STATES)[number];

const LEGAL: Readonly<Record<HandoverState, readonly HandoverState[]>> = {
  waiting: ['referring', 'calling', 'ended'],
  // Refused, busy, no answer: the next in line, another way, or nobody.
  referring: ['waiting', 'calling', 'connected', 'ended'],
  calling: ['waiting', 'briefing', 'referring', 'connected', 'ended'],
  briefing: ['waiting', 'referring', 'connected', 'ended'],
  // Whoever answered was gone at once: the next in line.
  connected: ['waiting', 'ended'],
  ended: [],
};

/**
 * How it ended: `transferred`, the caller has left us for the person; `finished`, they have talked and the person hung
 * up; `passed-on`, the person has taken the caller to somebody else, in another hand-over; `recalled`, the bot was called
 * back into the talk; `cancelled`, taken back before that; `caller-gone`; and when nobody came: `closed` (out of hours),
 * `full` (no place in line), `nobody` (no answer, in time), `unknown` (whoever was asked to transfer the call did not say
 * how it went).
 */
export const HANDOVER_ENDS = [
  'transferred',
  'finished',
  'passed-on',
  'recalled',
  'cancelled',
  'caller-gone',
  'closed',
  'full',
  'nobody',
  'unknown',
] as const;
export type HandoverEnd = (typeof HANDOVER_ENDS)[number];

/** Who asked for it: the caller through the bot, the API, or the person the caller was with. */
export const HANDOVER_ASKERS = ['caller', 'api', 'agent'] as const;

/** One try of one person. */
export interface HandoverAttempt {
  /** Its name in the configuration, or what was asked for. */
  target: string;
  way: Exclude<HandoverWay, 'auto'>;
  /** `trying`, `ringing` (180 to 183) and `answered` until it is known: connected, busy, no-answer, declined, refused ... */
  outcome: string;
  /** SIP status, where there was one; the last that was heard. */
  status?: number;
}

/** What is told of a hand-over while it goes on and after it. */
export interface HandoverStatus {
  handoverId: string;
  state: HandoverState;
  by: (typeof HANDOVER_ASKERS)[number];
  queue: string | undefined;
  startedAt: Date;
  endedAt: Date | undefined;
  outcome: HandoverEnd | undefined;
  /** In line, from 1; undefined when not waiting. */
  position: number | undefined;
  attempts: readonly HandoverAttempt[];
}

/** The state of one hand-over, with the moves it may make. */
export class HandoverRecord {
  readonly #facts: Pick<HandoverStatus, 'handoverId' | 'by' | 'queue' | 'startedAt'>;
  readonly #attempts: HandoverAttempt[] = [];
  #state: HandoverState = 'waiting';
  #outcome: HandoverEnd | undefined;
  #endedAt: Date | undefined;
  position: number | undefined;

  constructor(facts: Pick<HandoverStatus, 'by' | 'queue' | 'startedAt'>) {
    this.#facts = { handoverId: crypto.randomUUID(), ...facts };
  }

  get state(): HandoverState {
    return this.#state;
  }

  get id(): string {
    return this.#facts.handoverId;
  }

  get status(): HandoverStatus {
    return {
      ...this.#facts,
      state: this.#state,
      endedAt: this.#endedAt,
      outcome: this.#outcome,
      position: this.#state === 'waiting' ? this.position : undefined,
      attempts: this.#attempts.map((attempt) => ({ ...attempt })),
    };
  }

  /** @throws Failure for a move that is not in the table: a fault of ours */
  move(to: Exclude<HandoverState, 'ended'>): void {
    if (to === this.#state) return;
    this.#check(to);
    this.#state = to;
  }

  /** Ending twice is ending once; the first end counts. */
  end(outcome: HandoverEnd, at: Date): void {
    if (this.#state === 'ended') return;
    this.#check('ended');
    this.#state = 'ended';
    this.#outcome = outcome;
    this.#endedAt = at;
  }

  /** A try begins; the result tells how it went. */
  attempt(target: string, way: HandoverAttempt['way']): (outcome: string, status?: number) => void {
    const attempt: HandoverAttempt = { target, way, outcome: 'trying' };
    this.#attempts.push(attempt);
    if (this.#attempts.length > MAX_ATTEMPTS) this.#attempts.shift();
    return (outcome, status) => {
      attempt.outcome = outcome;
      if (status !== undefined) attempt.status = status;
    };
  }

  #check(to: HandoverState): void {
    if (!LEGAL[this.#state].includes(to)) {
      throw new Failure(`a hand-over cannot go from ${this.#state} to ${to}`, {
        code: 'handover-illegal-transition',
        blame: 'us',
      });
    }
  }
}

/** Tries that are kept to be told of; the oldest is forgotten. All of them stand in the call's events. */
const MAX_ATTEMPTS = 50;
