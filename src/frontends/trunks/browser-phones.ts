import { createHmac, randomBytes } from 'node:crypto';
import { PHONE_NAME, type PhoneCredentials, type PhoneGrant } from '../../call/phone-desk.ts';
import type { Clock } from '../../core/clock.ts';
import { digestSecret } from '../../sip/auth/digest.ts';
import type { DigestSecrets } from '../../sip/auth/digest-guard.ts';

/** What user names of browser phones begin with. */
const PREFIX = 'phone-';
/** `phone-<good until, Unix seconds>-<random>`, and behind it what the phone may do besides calling the bots. */
const USERNAME = new RegExp(`^${PREFIX}(\\d{1,12})-[0-9a-f]{18}(?:-supervise-([0-9a-f-]{36})|-as-(${PHONE_NAME}))?$`);
/** From the page's asking to its INVITE. A call that is up is not asked again. */
const LIFETIME_MS = 10 * 60_000;
/** Who takes calls stays signed in for a working day; nobody can be called in their name, and they can call nobody. */
const TAKING_CALLS_MS = 12 * 3_600_000;
/** What sip.js can answer; the password has 256 random bits, so nothing is lost by it. */
export const PHONE_ALGORITHMS = ['MD5'] as const;

/** A phone that has shown its password: what it may do, and until when. */
export type GrantedPhone = PhoneGrant & { until: Date };

/**
 * Names and passwords for browsers that may call for a while: made on request of who is signed in, and kept nowhere. A name
 * says until when it is good and what for; its password is the name's HMAC under a key of this process.
 */
export class BrowserPhones {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(grant: PhoneGrant): PhoneCredentials {
    const lifetime = grant.may === 'be-called' ? TAKING_CALLS_MS : LIFETIME_MS;
    const expiresAt = new Date(this.#clock.wall().getTime() + lifetime);
    const what =
      grant.may === 'supervise' ? `-supervise-${grant.supervisionId}` : grant.may === 'call' ? '' : `-as-${grant.name}`;
    const username = `${PREFIX}${Math.floor(expiresAt.getTime() / 1000)}-${randomBytes(9).toString('hex')}${what}`;
    return { username, password: this.#passwordOf(username), expiresAt };
  }

  isPhone(username: string): boolean {
    return username.startsWith(PREFIX);
  }

  /** Undefined for names that are none, or not good any more. */
  secretsOf(username: string, realm: string): DigestSecrets | undefined {
    const found = USERNAME.exec(username);
    if (!found || Number(found[1]) * 1000 <= this.#clock.wall().getTime()) return undefined;
    return { MD5: digestSecret('MD5', username, realm, this.#passwordOf(username)) };
  }

  /** What a name is good for whose password was right; undefined for names that are none. */
  grantOf(username: string): GrantedPhone | undefined {
    const [, expiry, supervisionId, name] = USERNAME.exec(username) ?? [];
    if (expiry === undefined) return undefined;
    const until = new Date(Number(expiry) * 1000);
    if (supervisionId !== undefined) return { may: 'supervise', supervisionId, until };
    return name === undefined ? { may: 'call', until } : { may: 'be-called', name, until };
  }

  #passwordOf(username: string): string {
    return createHmac('sha256', this.#key).update(username).digest('base64url');
  }
}
