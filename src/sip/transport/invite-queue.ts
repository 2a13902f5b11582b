import type { Ms } from '../../core/clock.ts';
import { RETRANSMITTED_MS } from './receive-delay.ts';

/** What INVITEs may take of one turn of the event loop before whatever else has come is read. */
const TURN_MS: Ms = 8;
/** What is more is let go unread, as is what has waited for T1: it comes again. */
const MOST = 2_000;

export interface InviteQueueOptions<Datagram> {
  /** Serves one; may take long. */
  take: (datagram: Datagram) => void;
  now: () => Ms;
  /** Runs it once the event loop has looked at the sockets again. */
  later: (run: () => void) => void;
}

interface Waiting<Datagram> {
  datagram: Datagram;
  since: Ms;
}

/**
 * Who hangs up is heard before who calls. An INVITE costs more than all that follows in its call, so while more of them come
 * than there is time for, the others wait here, in their order, and the BYEs and ACKs behind them are read first. Those
 * would wait as long otherwise: calls that are over go on for seconds and 200s are sent again, which takes the very time
 * that is short. What has waited until its sender has sent it again is let go: who serves the oldest first is always late.
 * Pure: time is passed in.
 */
export class InviteQueue<Datagram> {
  readonly #o: InviteQueueOptions<Datagram>;
  readonly #waiting: Waiting<Datagram>[] = [];
  /** In this turn of the event loop. */
  #spent: Ms = 0;
  #turning = false;
  /** When the one came that is being served. */
  #serving: Ms | undefined;
  #dropped = 0;

  constructor(options: InviteQueueOptions<Datagram>) {
    this.#o = options;
  }

  /** An INVITE, or a CANCEL, which must not overtake its INVITE. */
  add(datagram: Datagram): void {
    const since = this.#o.now();
    if (this.#waiting.length === 0 && this.#spent < TURN_MS) {
      this.#serve(datagram, since);
    } else {
      if (this.#waiting.length === MOST) {
        this.#dropped++;
        return;
      }
      this.#waiting.push({ datagram, since });
    }
    this.#turn();
  }

  /** Those that have waited too long, or found too many waiting. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How long the one has waited that is being served, or is next. */
  waitMs(now: Ms): Ms {
    return now - (this.#serving ?? this.#waiting[0]?.since ?? now);
  }

  /** Lets go of all that wait. */
  close(): void {
    this.#waiting.length = 0;
  }

  #serve(datagram: Datagram, since: Ms): void {
    this.#serving = since;
    const begun = this.#o.now();
    try {
      this.#o.take(datagram);
    } finally {
      this.#spent += this.#o.now() - begun;
      this.#serving = undefined;
    }
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#o.later(() => {
      this.#turning = false;
      this.#spent = 0;
      try {
        while (this.#waiting.length > 0 && this.#spent < TURN_MS) {
          const { datagram, since } = this.#waiting.shift()!;
          if (this.#o.now() - since > RETRANSMITTED_MS) this.#dropped++;
          else this.#serve(datagram, since);
        }
      } finally {
        if (this.#waiting.length > 0) this.#turn();
      }
    });
  }
}
