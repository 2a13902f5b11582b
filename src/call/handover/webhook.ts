import { createHmac } from 'node:crypto';
import type { Clock, Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

export interface WebhookTarget {
  url: string;
  /** Signs what is sent. */
  secret: string;
}

const TIMEOUT_MS: Ms = 3_000;
/** Before the second, third ... try. */
const PAUSES_MS: readonly Ms[] = [500, 2_000, 5_000];
/** Deliveries under way; a further one is not begun, and said so. */
const MOST_AT_ONCE = 100;

/**
 * Tells a system of the bank about hand-overs: POST of JSON, signed and repeated. A delivery never keeps a call waiting.
 *
 * X-Signature is `t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<unix seconds>.<body>` under the secret. X-Delivery-Id
 * stays the same over all tries of one delivery, so that taking it twice is taking it once.
 */
export class Webhook {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pauses: readonly Ms[];
  #underWay = 0;

  /** `pauses` before each further try, for tests. */
  constructor(clock: Clock, log: Logger, pauses: readonly Ms[] = PAUSES_MS) {
    this.#clock = clock;
    this.#log = log;
    this.#pauses = pauses;
  }

  /** Resolves true when it was taken (2xx). Given up on a 4xx other than 408 and 429, and after the last try. */
  async deliver({ url, secret }: WebhookTarget, payload: object): Promise<boolean> {
    if (this.#underWay >= MOST_AT_ONCE) {
      this.#log.error({ underWay: this.#underWay }, 'too many webhook deliveries at once: one is left out');
      return false;
    }
    this.#underWay++;
    try {
      return await this.#tryAll(url, secret, JSON.stringify(payload));
    } finally {
      this.#underWay--;
    }
  }

  async #tryAll(url: string, secret: string, body: string): Promise<boolean> {
    const id = crypto.randomUUID();
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#post(url, secret, body, id);
      if (typeof answer === 'number' && answer < 300) return true;
      const final = typeof answer === 'number' && answer >= 400 && answer < 500 && answer !== 408 && answer !== 429;
      const pause = this.#pauses[attempt];
      // Not the URL: it may hold a key.
      this.#log.warn({ delivery: id, attempt: attempt + 1, answer }, 'a webhook was not taken');
      if (final || pause === undefined) return false;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #post(url: string, secret: string, body: string, id: string): Promise<number | string> {
    const seconds = Math.floor(this.#clock.wall().getTime() / 1000);
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          'content-type': 'application/json',
          'x-delivery-id': id,
          'x-signature': `t=${seconds},v1=${signatureOf(secret, seconds, body)}`,
        },
        body,
      });
      await response.body?.cancel();
      return response.status;
    } catch (error) {
      return asFailure(error).message;
    }
  }
}

export function signatureOf(secret: string, seconds: number, body: string): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}
