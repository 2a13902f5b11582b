import { randomBytes } from 'node:crypto';
import type { SipRequest, SipResponse } from '../message/message.ts';
import {
  digestResponse,
  digestSecret,
  formatCredentials,
  parseChallenge,
  parseCredentials,
  type ReceivedChallenge,
} from './digest.ts';

/** Whom we are to those who ask. */
export interface DigestAccount {
  readonly username: string;
  readonly password: string;
  /** The only realm the password is for; undefined: whoever asks. */
  readonly realm?: string | undefined;
}

/** The two who may ask: the server at the end (401), and proxies on the way (407). */
const KINDS = [
  { asks: 'www-authenticate', answers: 'Authorization' },
  { asks: 'proxy-authenticate', answers: 'Proxy-Authorization' },
] as const;

interface Known {
  readonly answers: (typeof KINDS)[number]['answers'];
  readonly challenge: ReceivedChallenge;
  readonly secret: string;
  /** Requests that have gone out with this nonce (RFC 7616 3.4: nc). */
  count: number;
}

/** Realms that are remembered at the same time. When there are more, the oldest goes and asks again. */
const MAX_REALMS = 8;

/**
 * Digest authentication, client side (RFC 3261 22.2 and 22.3, RFC 7616, RFC 8760). It remembers who has asked, so that
 * the next request brings its credentials along and saves a round trip. Shared by all requests of an account.
 */
export class DigestClient {
  readonly #account: DigestAccount;
  /** By header and realm. */
  readonly #known = new Map<string, Known>();

  constructor(account: DigestAccount) {
    this.#account = account;
  }

  /** Puts credentials on a request for each who has asked before, in place of those it has. */
  authorize(request: SipRequest): void {
    for (const { answers } of KINDS) request.headers.delete(answers.toLowerCase());
    for (const known of this.#known.values()) {
      known.count++;
      request.headers.append(known.answers, this.#credentials(known, request));
    }
  }

  /**
   * Takes in the challenges of a 401 or 407. True: send the request again (as a new one, `authorize`d). False: nothing
   * to answer with, or what we have was not taken. A challenge is never answered twice: who asks again with the same
   * nonce, or with a new one that is not because the old one is stale, does not like our password. Credentials that
   * were brought along unasked may have been too old without the server saying so.
   */
  challenged(response: SipResponse, request: SipRequest): boolean {
    let learnt = false;
    for (const { asks, answers } of KINDS) {
      for (const challenge of this.#answerable(response.headers.lines(asks))) {
        const key = `${answers} ${challenge.realm}`;
        if (!isNews(challenge, credentialsIn(request, answers, challenge.realm))) {
          this.#known.delete(key);
          continue;
        }
        const { username, password } = this.#account;
        const secret = digestSecret(challenge.algorithm, username, challenge.realm, password);
        this.#known.delete(key);
        this.#known.set(key, { answers, challenge, secret, count: 0 });
        if (this.#known.size > MAX_REALMS) this.#known.delete(this.#known.keys().next().value!);
        learnt = true;
      }
    }
    return learnt;
  }

  /** For each realm the first challenge that we can answer: servers list the one they like best first (RFC 8760 2.4). */
  #answerable(lines: readonly string[]): ReceivedChallenge[] {
    const chosen = new Map<string, ReceivedChallenge>();
    const { realm } = this.#account;
    for (const line of lines) {
      const challenge = parseChallenge(line);
      if (challenge === undefined || chosen.has(challenge.realm)) continue;
      if (realm === undefined || realm === challenge.realm) chosen.set(challenge.realm, challenge);
    }
    return [...chosen.values()];
  }

  #credentials({ challenge, secret, count }: Known, request: SipRequest): string {
    const { realm, nonce, opaque, algorithm, qop } = challenge;
    const counted =
      qop === undefined
        ? { qop: undefined, nc: undefined, cnonce: undefined }
        : { qop, nc: count.toString(16).padStart(8, '0'), cnonce: randomBytes(8).toString('hex') };
    const unsigned = { realm, nonce, opaque, algorithm, uri: request.uri, ...counted };
    const response = digestResponse(secret, request.method, unsigned, request.body);
    return formatCredentials({ ...unsigned, username: this.#account.username, response });
  }
}

function credentialsIn(request: SipRequest, header: string, realm: string) {
  for (const line of request.headers.lines(header.toLowerCase())) {
    const credentials = parseCredentials(line);
    if (credentials?.realm === realm) return credentials;
  }
  return undefined;
}

/** `shown`: what the request that was challenged had brought for this realm. */
function isNews({ nonce, stale }: ReceivedChallenge, shown: ReturnType<typeof credentialsIn>): boolean {
  if (shown === undefined) return true;
  if (shown.nonce === nonce) return false;
  return stale || (shown.nc !== undefined && Number.parseInt(shown.nc, 16) > 1);
}
