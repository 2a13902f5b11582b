import { parseDecimal, splitOutside, unquote } from './grammar.ts';
import type { Headers } from './headers.ts';
import type { SipMessage } from './message.ts';
import { splitParams } from './params.ts';
import { parseSipUri, schemeOf, unescaped } from './uri.ts';
import { type NameAddr, parseNameAddr } from './values.ts';

/** Entries of one header that are read; what a peer adds beyond them is passed over. */
const MAX_ENTRIES = 20;

/** Reason (RFC 3326): why a request was sent. */
export interface Reason {
  /** `SIP`, `Q.850` ... as written. */
  protocol: string;
  cause: number | undefined;
  text: string | undefined;
}

/** Diversion (RFC 5806): who passed the call on; the latest first. */
export interface Diversion {
  address: NameAddr;
  /** `user-busy`, `no-answer`, `unconditional` ... */
  reason: string | undefined;
  counter: number | undefined;
  /** The diverting party asked not to be shown. */
  private: boolean;
}

/** History-Info (RFC 7044): where the request has been aimed at so far, the oldest first. */
export interface HistoryEntry {
  /** Without the header fields it carries. */
  uri: string;
  index: string | undefined;
  /** SIP cause of the retargeting, from the escaped Reason header or the `cause` parameter (RFC 4458). */
  cause: number | undefined;
  private: boolean;
}

/** User-to-User (RFC 7433). */
export interface UserToUser {
  value: string;
  encoding: string | undefined;
  purpose: string | undefined;
}

// All readers pass over what is malformed: none of these headers is worth refusing a call for.

export function readReasons(headers: Headers): Reason[] {
  return entries(headers, 'reason', (text) => {
    const { value: protocol, params } = splitParams(text);
    const quoted = params?.get('text');
    return {
      protocol,
      cause: numberOf(params?.get('cause')),
      text: quoted === undefined ? undefined : unquote(quoted),
    };
  });
}

/** P-Asserted-Identity (RFC 3325 9.1): at most one sip(s) and one tel URI. Worth something from a trusted peer only. */
export function readAssertedIdentities(headers: Headers): NameAddr[] {
  return entries(headers, 'p-asserted-identity', parseNameAddr);
}

/** Remote-Party-ID (draft-ietf-sip-privacy): what older equipment sends instead; the calling party's only. */
export function readRemotePartyId(headers: Headers): { address: NameAddr; private: boolean } | undefined {
  const all = entries(headers, 'remote-party-id', parseNameAddr);
  const calling = all.find(({ params }) => (params.get('party') ?? 'calling').toLowerCase() === 'calling');
  if (calling === undefined) return undefined;
  return { address: calling, private: asksPrivacy(calling.params.get('privacy')) };
}

export function readDiversions(headers: Headers): Diversion[] {
  return entries(headers, 'diversion', (text) => {
    const address = parseNameAddr(text);
    const { params } = address;
    const reason = params.get('reason');
    return {
      address,
      reason: reason === undefined ? undefined : unquote(reason).toLowerCase(),
      counter: numberOf(params.get('counter')),
      private: asksPrivacy(params.get('privacy')),
    };
  });
}

export function readHistory(headers: Headers): HistoryEntry[] {
  return entries(headers, 'history-info', (text) => {
    const { uri, params } = parseNameAddr(text);
    const question = uri.indexOf('?');
    const carried = question === -1 ? '' : unescaped(uri.slice(question + 1));
    const causes = [/(?:^|&)reason=.*?;\s*cause\s*=\s*(\d+)/i.exec(carried)?.[1], /;cause=(\d+)/i.exec(uri)?.[1]];
    return {
      uri: question === -1 ? uri : uri.slice(0, question),
      index: params.get('index'),
      cause: numberOf(causes[0] ?? causes[1]),
      private: /(?:^|&)privacy=[^&]*history/i.test(carried),
    };
  });
}

export function readUserToUser(headers: Headers): UserToUser[] {
  return entries(headers, 'user-to-user', (text) => {
    const { value, params } = splitParams(text);
    return {
      value: unquote(value),
      encoding: params?.get('encoding'),
      purpose: params?.get('purpose') ?? params?.get('package'),
    };
  });
}

/** Privacy (RFC 3323 4.2, RFC 3325 9.3), in lower case: `id`, `user`, `header`, `session`, `history`, `none`, `critical`. */
export function readPrivacy(headers: Headers): ReadonlySet<string> {
  const values = headers.lines('privacy').flatMap((line) => line.split(/[;,]/));
  return new Set(values.slice(0, MAX_ENTRIES).map((value) => value.trim().toLowerCase()));
}

/** Does the caller ask not to be known (RFC 3323 4.1.1.3), by a Privacy header or by an anonymous From? */
export function asksAnonymity(message: SipMessage): boolean {
  const privacy = readPrivacy(message.headers);
  if (['id', 'user', 'full'].some((value) => privacy.has(value))) return true;
  if (readRemotePartyId(message.headers)?.private === true) return true;
  const { uri, displayName } = message.from;
  // The name alone is asking enough: what stands beside it may have been left there by mistake.
  return /^anonymous$/i.test(displayName?.trim() ?? '') || isAnonymousUri(uri);
}

export function isAnonymousUri(uri: string): boolean {
  try {
    const scheme = schemeOf(uri);
    if (scheme !== 'sip' && scheme !== 'sips') return false;
    const { user, host } = parseSipUri(uri);
    return host === 'anonymous.invalid' || user?.toLowerCase() === 'anonymous';
  } catch {
    return false;
  }
}

function asksPrivacy(value: string | undefined): boolean {
  return value !== undefined && /^(?:full|uri|name)$/i.test(unquote(value));
}

function entries<T>(headers: Headers, key: string, read: (text: string) => T): T[] {
  const found: T[] = [];
  for (const line of headers.lines(key)) {
    for (const text of splitOutside(line, ',')) {
      if (found.length === MAX_ENTRIES) return found;
      try {
        found.push(read(text));
      } catch {
        // Passed over.
      }
    }
  }
  return found;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDecimal(text, 2 ** 31 - 1);
}
