import { randomBytes } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';

/** How often to probe. */
export const PROBE_EVERY_MS: Ms = 250;
/** No SIP message begins with it. */
const MARK = 0;
const TOKEN_BYTES = 16;
/** What has waited longer has been sent again by who sent it (T1, RFC 3261 17.1.1.2). */
export const RETRANSMITTED_MS: Ms = 500;
/** So many probes in a row have to be as late: behind a moment in which nothing ran the queue is short again at once. */
const STANDING = 2;
/** Probes on their way that are remembered: more than come in 30 s. */
const MOST_UNREAD = 128;

/**
 * How long a datagram waits until we read it: now and then one is sent to ourselves, through the very queue that those of
 * others wait in. Nothing else tells: what nobody has read yet has no time of its own, and behind a queue of seconds every
 * step of a call may be quick. Each says when it was sent, so the delay is known at each place of a long queue. Pure: time is
 * passed in.
 */
export class ReceiveDelay {
  readonly #send: (bytes: Buffer) => void;
  readonly #token = randomBytes(TOKEN_BYTES);
  /** When those were sent that nobody has read, the first first. */
  readonly #unread: Ms[] = [];
  #last: Ms = 0;
  /** Probes in a row that waited longer than what is sent again. */
  #late = 0;

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** That of the last one; of one that is still on its way, how long it has been. */
  ms(now: Ms): Ms {
    return Math.max(this.#last, now - (this.#unread[0] ?? now));
  }

  /** Is there a queue that does not go away, in which everything is sent again before it is read? */
  get isStanding(): boolean {
    return this.#late >= STANDING;
  }

  probe(now: Ms): void {
    const bytes = Buffer.alloc(1 + TOKEN_BYTES + 8, MARK);
    this.#token.copy(bytes, 1);
    bytes.writeDoubleBE(now, 1 + TOKEN_BYTES);
    // A queue that is full loses them; the first one that is read tells of those before it.
    if (this.#unread.length < MOST_UNREAD) this.#unread.push(now);
    this.#send(bytes);
  }

  /** A datagram that is no SIP message. */
  take(bytes: Buffer, now: Ms): void {
    if (bytes.length !== 1 + TOKEN_BYTES + 8 || !this.#token.equals(bytes.subarray(1, 1 + TOKEN_BYTES))) return;
    const sent = bytes.readDoubleBE(1 + TOKEN_BYTES);
    this.#last = now - sent;
    while (this.#unread.length > 0 && this.#unread[0]! <= sent) this.#unread.shift();
    this.#late = this.#last > RETRANSMITTED_MS ? this.#late + 1 : 0;
  }
}
