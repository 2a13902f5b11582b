import type { Ms } from '../../core/clock.ts';
import type { SipRequest } from '../../sip/message/message.ts';

/** Longer than any caller waits. */
const MOST_PATIENCE_S = 30;
/** `fr_timeout` of opensips.cfg, of a connector that is not the last one. */
const SILENCE_S = 2;

/** A call that may wait until there is time for it. */
export interface WaitingCall {
  /** Its turn has come. */
  begin(): void;
  /** It has waited too long, or nobody's turn will come any more. */
  refuse(): void;
  /** Aborts when its caller does not want to wait any longer. */
  readonly signal: AbortSignal;
}

interface Place {
  readonly call: WaitingCall;
  readonly until: Ms;
}

/**
 * Calls that wait for their turn, the first come first. Bounded: whoever finds it full is refused. Pure: time is passed in.
 */
export class WaitingLine {
  readonly #most: number;
  #calls: Place[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#calls.length;
  }

  get full(): boolean {
    return this.#calls.length >= this.#most;
  }

  join(call: WaitingCall, until: Ms): void {
    this.#calls.push({ call, until });
  }

  /** Begins those whose turn it is, as long as there is time for one more, and refuses those that have waited too long. */
  serve(now: Ms, isTimeForOne: () => boolean): void {
    this.#keep(({ call }) => !call.signal.aborted);
    for (const { call } of this.#keep(({ until }) => now < until)) call.refuse();
    while (this.#calls.length > 0 && isTimeForOne()) this.#calls.shift()!.call.begin();
  }

  /** There will be no more turns. */
  dismiss(): void {
    for (const { call } of this.#keep(() => false)) if (!call.signal.aborted) call.refuse();
  }

  /** Returns those that do not stay. */
  #keep(stays: (place: Place) => boolean): Place[] {
    const gone = this.#calls.filter((place) => !stays(place));
    if (gone.length > 0) this.#calls = this.#calls.filter(stays);
    return gone;
  }
}

/** How patient who sent an INVITE is. */
export interface Patience {
  /** The call may wait so long for its turn. */
  readonly waitMs: Ms;
  /** Without any answer it is given up after this. */
  readonly silenceMs: Ms;
}

/**
 * How long a call that cannot be taken now may wait for its turn: `X-May-Wait: 8;silence=6`, in seconds. An edge says so that
 * has found no better place for it (opensips/opensips.cfg); whoever else does waits as well, in the same line. `silence`: 2
 * where it is not said, as an edge waits that has others to ask. Undefined: it may not wait.
 */
export function patienceOf(request: SipRequest): Patience | undefined {
  const [wait = '', ...parameters] = (request.headers.get('x-may-wait') ?? '').split(';');
  const seconds = Number(wait);
  if (!(seconds > 0)) return undefined;
  const silence = Number(parameters.map((one) => /^\s*silence=(\d+)\s*$/.exec(one)?.[1]).find(Boolean) ?? SILENCE_S);
  return {
    waitMs: Math.min(seconds, MOST_PATIENCE_S) * 1000,
    silenceMs: Math.min(silence, MOST_PATIENCE_S) * 1000,
  };
}
