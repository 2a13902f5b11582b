import { randomBytes } from 'node:crypto';
import { type Ms, monotonicNow } from '../../core/clock.ts';

const EVERY_MS: Ms = 250;
/** No SIP message begins with it. */
const MARK = 0;
const TOKEN_BYTES = 16;

/**
 * How long a datagram waits until we read it: now and then one is sent to ourselves, through the very queue that those of
 * others wait in. Nothing else tells: what nobody has read yet has no time of its own, and behind a queue of seconds every
 * step of a call may be quick.
 */
export class ReceiveDelay {
  readonly #send: (bytes: Buffer) => void;
  readonly #timer: NodeJS.Timeout;
  #token: Buffer | undefined;
  /** When the first was sent of those that nobody has read. */
  #since: Ms = 0;
  #last: Ms = 0;

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
    this.#timer = setInterval(() => this.probe(), EVERY_MS).unref();
  }

  /** That of the last one; of one that is still on its way, how long it has been. */
  get ms(): Ms {
    return this.#token === undefined ? this.#last : Math.max(this.#last, monotonicNow() - this.#since);
  }

  probe(): void {
    if (this.#token === undefined) {
      this.#token = Buffer.concat([Buffer.of(MARK), randomBytes(TOKEN_BYTES)]);
      this.#since = monotonicNow();
    }
    // Again, where the last one found the queue full.
    this.#send(this.#token);
  }

  /** A datagram that is no SIP message. */
  take(bytes: Buffer): void {
    if (this.#token === undefined || !this.#token.equals(bytes)) return;
    this.#last = monotonicNow() - this.#since;
    this.#token = undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
