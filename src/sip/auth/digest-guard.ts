import { timingSafeEqual } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';
import type { SipRequest } from '../message/message.ts';
import {
  DIGEST_ALGORITHMS,
  type DigestAlgorithm,
  type DigestCredentials,
  digestResponse,
  formatChallenge,
  parseCredentials,
} from './digest.ts';
import { type NonceOptions, Nonces } from './nonces.ts';

/** A user of a realm, as `digestSecret` makes it: H(username:realm:password), for each algorithm that is offered. */
export type DigestSecrets = Readonly<Partial<Record<DigestAlgorithm, string>>>;

export interface DigestGuardOptions extends Partial<NonceOptions> {}

/**
 * `accepted`: the peer knows the password. `stale`: it knows it, but the nonce or its count is used up; challenge again.
 * `absent`: no credentials for this realm, or for a nonce that is none of ours: challenge. `wrong`: the answer to a nonce
 * that we gave to this very address is not that of anybody we know. `mismatch`: credentials made for another request.
 */
export type DigestVerdict =
  | { kind: 'accepted'; username: string }
  | { kind: 'stale' }
  | { kind: 'absent' }
  | { kind: 'wrong'; username: string }
  | { kind: 'mismatch' };

const NO_SUCH_USER = 'f'.repeat(64);

/** Digest authentication of requests, server side (RFC 3261 22, RFC 7616, RFC 8760). Keeps nothing of who fails. */
export class DigestGuard {
  readonly #nonces: Nonces;

  constructor({ lifetimeMs = 300_000, limit = 10_000, key }: DigestGuardOptions = {}) {
    this.#nonces = new Nonces({ lifetimeMs, limit, ...(key === undefined ? {} : { key }) });
  }

  /** Nonces whose counts are kept. */
  get size(): number {
    return this.#nonces.size;
  }

  /** Values of WWW-Authenticate headers, one for each algorithm, the preferred first (RFC 8760 2.4). */
  challenge(
    realm: string,
    address: string,
    now: Ms,
    {
      stale = false,
      algorithms = DIGEST_ALGORITHMS,
    }: { stale?: boolean; algorithms?: readonly DigestAlgorithm[] } = {},
  ): string[] {
    const nonce = this.#nonces.issue(address, now);
    const opaque = nonce.slice(-8);
    return algorithms.map((algorithm) => formatChallenge({ realm, nonce, opaque, algorithm, stale }));
  }

  /** Checks a request from `address`. `secretsOf` finds a user of the realm. */
  verify(
    request: SipRequest,
    realm: string,
    address: string,
    now: Ms,
    secretsOf: (username: string) => DigestSecrets | undefined,
  ): DigestVerdict {
    const credentials = credentialsFor(request, realm);
    if (credentials === undefined) return { kind: 'absent' };
    const state = this.#nonces.check(credentials.nonce, address, now);
    if (state === 'unknown') return { kind: 'absent' };
    const { username, qop, nc, cnonce } = credentials;
    const counted = qop === 'auth' && nc !== undefined && cnonce !== undefined && cnonce !== '';
    if (qop !== undefined && !counted) return { kind: 'mismatch' };
    if (!isFor(credentials, request) || credentials.opaque !== credentials.nonce.slice(-8)) return { kind: 'mismatch' };
    const secret = secretsOf(username)?.[credentials.algorithm];
    // A user that does not exist takes as long as a wrong password.
    const right = sameText(digestResponse(secret ?? NO_SUCH_USER, request.method, credentials), credentials.response);
    if (secret === undefined || !right) return { kind: 'wrong', username };
    if (state === 'stale') return { kind: 'stale' };
    const count = nc === undefined || qop === undefined ? 1 : Number.parseInt(nc, 16);
    return this.#nonces.use(credentials.nonce, address, count) ? { kind: 'accepted', username } : { kind: 'stale' };
  }
}

/** A request may carry credentials for several realms (22.3): those for ours. */
function credentialsFor(request: SipRequest, realm: string): DigestCredentials | undefined {
  for (const line of request.headers.lines('authorization')) {
    const credentials = parseCredentials(line);
    if (credentials?.realm === realm) return credentials;
  }
  return undefined;
}

/**
 * The URI that was hashed is the one asked for (7616 3.4.6), so that credentials made for one number do not serve for
 * another. Only the user part is compared: proxies rewrite the rest, and some peers hash the domain alone.
 */
function isFor(credentials: DigestCredentials, request: SipRequest): boolean {
  const hashed = userOf(credentials.uri);
  return hashed === '' || hashed === userOf(request.uri);
}

function userOf(uri: string): string {
  const at = uri.lastIndexOf('@');
  return at === -1 ? '' : uri.slice(uri.indexOf(':') + 1, at);
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
