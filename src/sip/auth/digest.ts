import { hash } from 'node:crypto';
import { isToken, quote, splitOutside, unquote } from '../message/grammar.ts';

/** RFC 8760 section 2: SHA-256 for today's peers, MD5 for the rest. In the order of preference. */
export const DIGEST_ALGORITHMS = ['SHA-256', 'MD5'] as const;

export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** What an Authorization header says (RFC 3261 20.7, RFC 7616 3.4). Nothing in it is believed yet. */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hex. */
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly opaque: string | undefined;
  /** Undefined: a peer of RFC 2069, without qop. */
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** The count as it stands in the hash, eight hex digits. */
  readonly nc: string | undefined;
}

/** Longer values are nobody's user name: refused before they are hashed. */
const LONGEST_VALUE = 512;
const MOST_PARAMETERS = 24;

/**
 * Reads the value of an Authorization or Proxy-Authorization header; undefined when it is of another scheme, of an
 * unknown algorithm, malformed, or lacks what every digest has. A parameter that is there twice makes it malformed.
 */
export function parseCredentials(value: string): DigestCredentials | undefined {
  const scheme = /^digest[ \t]+/i.exec(value);
  if (scheme === null) return undefined;
  const parameters = parametersOf(value.slice(scheme[0].length));
  if (parameters === undefined) return undefined;
  const get = (name: string) => parameters.get(name);
  const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map(get);
  const algorithm = algorithmOf(get('algorithm'));
  if (!username || realm === undefined || !nonce || !uri || response === undefined || algorithm === undefined) {
    return undefined;
  }
  const nc = get('nc');
  if (nc !== undefined && !/^[0-9a-f]{8}$/i.test(nc)) return undefined;
  return {
    username,
    realm,
    nonce,
    uri,
    response: response.toLowerCase(),
    algorithm,
    opaque: get('opaque'),
    qop: get('qop')?.toLowerCase(),
    cnonce: get('cnonce'),
    nc,
  };
}

function parametersOf(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  const pieces = splitOutside(text, ',');
  if (pieces.length > MOST_PARAMETERS) return undefined;
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, equals).trim().toLowerCase();
    const value = unquote(piece.slice(equals + 1).trim());
    if (equals < 1 || !isToken(name) || value.length > LONGEST_VALUE || parameters.has(name)) return undefined;
    parameters.set(name, value);
  }
  return parameters;
}

/** Without one it is MD5 (RFC 7616 3.3). Session variants (-sess) are not offered, so they are not taken either. */
function algorithmOf(name: string | undefined): DigestAlgorithm | undefined {
  if (name === undefined) return 'MD5';
  return DIGEST_ALGORITHMS.find((known) => known === name.toUpperCase());
}

export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string;
  algorithm: DigestAlgorithm;
  /** The credentials were right but for the nonce: the peer may answer again without asking its user (7616 3.3). */
  stale: boolean;
}

/** The value of a WWW-Authenticate header. */
export function formatChallenge({ realm, nonce, opaque, algorithm, stale }: Challenge): string {
  const parts = [`realm=${quote(realm)}`, `nonce="${nonce}"`, `opaque="${opaque}"`, `algorithm=${algorithm}`];
  return `Digest ${parts.join(', ')}, qop="auth"${stale ? ', stale=true' : ''}`;
}

/** A challenge of a peer that we can answer. */
export interface ReceivedChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: DigestAlgorithm;
  /** What we answer with: `auth` where it is offered. Undefined: a server of RFC 2069, without qop. */
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly stale: boolean;
}

/**
 * Reads the value of a WWW-Authenticate or Proxy-Authenticate header; undefined when it is malformed, of another scheme,
 * or of an algorithm or qop that we do not know.
 */
export function parseChallenge(value: string): ReceivedChallenge | undefined {
  const scheme = /^\s*digest\s+/i.exec(value);
  const parameters = scheme === null ? undefined : parametersOf(value.slice(scheme[0].length));
  if (parameters === undefined) return undefined;
  const get = (name: string) => parameters.get(name);
  const [realm, nonce, algorithm] = [get('realm'), get('nonce'), algorithmOf(get('algorithm'))];
  if (realm === undefined || !nonce || algorithm === undefined) return undefined;
  const offered = get('qop')
    ?.split(',')
    .map((one) => one.trim().toLowerCase());
  const qop = (['auth', 'auth-int'] as const).find((one) => offered?.includes(one));
  if (offered !== undefined && qop === undefined) return undefined;
  return { realm, nonce, opaque: get('opaque'), algorithm, qop, stale: get('stale')?.toLowerCase() === 'true' };
}

/** The value of an Authorization or Proxy-Authorization header. */
export function formatCredentials(c: DigestCredentials): string {
  const parts = [
    `username=${quote(c.username)}`,
    `realm=${quote(c.realm)}`,
    `nonce=${quote(c.nonce)}`,
    `uri=${quote(c.uri)}`,
    `response="${c.response}"`,
    `algorithm=${c.algorithm}`,
  ];
  if (c.opaque !== undefined) parts.push(`opaque=${quote(c.opaque)}`);
  // RFC 7616 3.4: qop and nc are not quoted here.
  if (c.qop !== undefined) parts.push(`qop=${c.qop}`, `nc=${c.nc}`, `cnonce=${quote(c.cnonce ?? '')}`);
  return `Digest ${parts.join(', ')}`;
}

/** H(username ":" realm ":" password): what may be kept in place of a password (RFC 7616 3.4.2). Lower-case hex. */
export function digestSecret(algorithm: DigestAlgorithm, username: string, realm: string, password: string): string {
  return digest(algorithm, `${username}:${realm}:${password}`);
}

/**
 * The response a peer that knows the secret sends (RFC 7616 3.4.1; without qop: RFC 2069). Lower-case hex. `body`: the
 * request's, which qop `auth-int` protects as well (3.4.3).
 */
export function digestResponse(
  secret: string,
  method: string,
  c: Pick<DigestCredentials, 'algorithm' | 'nonce' | 'uri' | 'qop' | 'nc' | 'cnonce'>,
  body: Uint8Array = NO_BYTES,
): string {
  const entity = c.qop === 'auth-int' ? `:${digest(c.algorithm, body)}` : '';
  const request = digest(c.algorithm, `${method}:${c.uri}${entity}`);
  const middle = c.qop === undefined ? '' : `${c.nc ?? ''}:${c.cnonce ?? ''}:${c.qop}:`;
  return digest(c.algorithm, `${secret}:${c.nonce}:${middle}${request}`);
}

const NO_BYTES = new Uint8Array();

function digest(algorithm: DigestAlgorithm, text: string | Uint8Array): string {
  return hash(algorithm === 'MD5' ? 'md5' : 'sha256', text);
}
