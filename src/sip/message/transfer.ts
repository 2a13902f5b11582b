import { malformed } from '../errors.ts';
import { parseDecimal } from './grammar.ts';
import type { Headers } from './headers.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { splitParams } from './params.ts';
import { formatSipUri, parseSipUri, schemeOf, unescaped } from './uri.ts';
import { formatNameAddr, type NameAddr, parseNameAddr } from './values.ts';

/** The headers and the body of transfers: Refer-To (RFC 3515), Replaces (RFC 3891), Event, message/sipfrag. */

/** The dialog an INVITE is to take the place of, as the one who receives it sees it (RFC 3891 3). */
export interface Replaces {
  callId: string;
  /** The receiver's own tag. */
  toTag: string;
  /** The tag of the one it talks to. */
  fromTag: string;
  /** Only while it has not been answered. */
  earlyOnly: boolean;
}

/** @throws Failure 400 where there are two, Join beside it, or tags are missing (RFC 3891 3) */
export function readReplaces(headers: Headers): Replaces | undefined {
  const lines = headers.lines('replaces');
  if (lines.length === 0) return undefined;
  if (lines.length > 1 || headers.has('join')) throw malformed('an INVITE can replace one dialog only');
  return parseReplaces(lines[0]!);
}

/** @throws Failure 400 */
export function parseReplaces(value: string): Replaces {
  const { value: callId, params } = splitParams(value);
  const [toTag, fromTag] = [params?.get('to-tag'), params?.get('from-tag')];
  if (!params || callId === '' || /[\s,]/.test(callId) || !toTag || !fromTag) throw malformed('malformed Replaces');
  // Tag 0 stands for none, in dialogs with peers of RFC 2543 (RFC 3891 6.1).
  return {
    callId,
    toTag: toTag === '0' ? '' : toTag,
    fromTag: fromTag === '0' ? '' : fromTag,
    earlyOnly: params.has('early-only'),
  };
}

export function formatReplaces({ callId, toTag, fromTag, earlyOnly }: Replaces): string {
  return `${callId};to-tag=${toTag || '0'};from-tag=${fromTag || '0'}${earlyOnly ? ';early-only' : ''}`;
}

/**
 * A Refer-To value: the URI, with what its INVITE is to have inside it: Replaces where it leads to one end of a dialog
 * that is there (RFC 5589 7.3), User-to-User (RFC 7433 4.1) and the like. A tel: URI cannot carry headers.
 * @throws Failure 400 or 416 for a URI that cannot be called
 */
export function formatReferTo(uri: string, embedded: Readonly<Record<string, string>> = {}): string {
  if (schemeOf(uri) === 'tel') return `<${uri}>`;
  const target = parseSipUri(uri);
  const headers = Object.entries(embedded)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  return `<${formatSipUri({ ...target, params: target.params.without('method'), headers })}>`;
}

/** Whom a REFER sends us to. */
export interface ReferTarget {
  /** Without header fields. */
  uri: string;
  displayName: string | undefined;
  replaces: Replaces | undefined;
}

/** @throws Failure 400 without exactly one Refer-To, or where it cannot be read (RFC 3515 2.4.2) */
export function readReferTo(request: SipRequest): ReferTarget {
  const values = request.headers.list('refer-to');
  if (values.length !== 1) throw malformed('a REFER has one Refer-To');
  const { uri, displayName } = parseNameAddr(values[0]!);
  const scheme = schemeOf(uri);
  if (scheme !== 'sip' && scheme !== 'sips') return { uri, displayName, replaces: undefined };
  const parsed = parseSipUri(uri);
  const embedded = new Map(
    parsed.headers.split('&').map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, Math.max(equals, 0)).toLowerCase(), unescaped(pair.slice(equals + 1))] as const;
    }),
  );
  const replaces = embedded.get('replaces');
  return {
    uri: formatSipUri({ ...parsed, headers: '' }),
    displayName,
    replaces: replaces === undefined ? undefined : parseReplaces(replaces),
  };
}

/** Who refers, as the URI he is known by in the dialog (RFC 3892). */
export function formatReferredBy(local: NameAddr): string {
  return formatNameAddr({ ...local, params: local.params.without('tag') });
}

/** The package and the id of an Event header; undefined without one. */
export function readEvent(headers: Headers): { name: string; id: string | undefined } | undefined {
  const value = headers.get('event');
  if (value === undefined) return undefined;
  const { value: name, params } = splitParams(value);
  return { name: name.toLowerCase(), id: params?.get('id') };
}

/** Subscription-State (RFC 6665 4.1.3). Without one the subscription is taken to be active. */
export function readSubscriptionState(headers: Headers): {
  terminated: boolean;
  reason: string | undefined;
  expiresS: number | undefined;
} {
  const { value: state, params } = splitParams(headers.get('subscription-state') ?? 'active');
  return {
    terminated: state.toLowerCase() === 'terminated',
    reason: params?.get('reason')?.toLowerCase(),
    expiresS: parseDecimal(params?.get('expires') ?? '', 86_400),
  };
}

/** The status in a message/sipfrag body (RFC 3420): its first line. undefined where there is none. */
export function sipfragStatus(message: SipMessage): number | undefined {
  const text = message.body.subarray(0, 256).toString('latin1');
  const status = /^\s*SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t\r\n]|$)/i.exec(text)?.[1];
  return status === undefined ? undefined : Number(status);
}
