import { createHmac, randomBytes } from 'node:crypto';
import type { PhoneCredentials } from '../../call/phone-desk.ts';
import type { Clock } from '../../core/clock.ts';
import { digestSecret } from '../../sip/auth/digest.ts';
import type { DigestSecrets } from '../../sip/auth/digest-guard.ts';

/** What user names of browser phones begin with. */
const PREFIX = 'phone-';
/** From the page's asking to its INVITE. A call that is up is not asked again. */
const LIFETIME_MS = 10 * 60_000;
/** What sip.js can answer; the password has 256 random bits, so nothing is lost by it. */
export const PHONE_ALGORITHMS = ['MD5'] as const;

/**
 * Names and passwords for browsers that may call for a while: made on request of who is signed in, and kept nowhere. A name
 * says until when it is good; its password is the name's HMAC under a key of this process.
 */
export class BrowserPhones {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(): PhoneCredentials {
    const expiresAt = new Date(this.#clock.wall().getTime() + LIFETIME_MS);
    const username = `${PREFIX}${Math.floor(expiresAt.getTime() / 1000)}-${randomBytes(9).toString('hex')}`;
    return { username, password: this.#passwordOf(username), expiresAt };
  }

  isPhone(username: string): boolean {
    return username.startsWith(PREFIX);
  }

  /** Undefined for names that are none, or not good any more. */
  secretsOf(username: string, realm: string): DigestSecrets | undefined {
    const found = /^phone-(\d{1,12})-[0-9a-f]{18}$/.exec(username);
    if (!found || Number(found[1]) * 1000 <= this.#clock.wall().getTime()) return undefined;
    return { MD5: digestSecret('MD5', username, realm, this.#passwordOf(username)) };
  }

  #passwordOf(username: string): string {
    return createHmac('sha256', this.#key).update(username).digest('base64url');
  }
}
