import { isIPv6 } from 'node:net';
import { malformed } from '../errors.ts';
import { parseDecimal } from './grammar.ts';
import { NO_PARAMS, type Params, parseParams } from './params.ts';

/** A sip: or sips: URI (RFC 3261 19.1). `user` is as written, escapes included; see `decodedUser`. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Lower case; IPv6 with its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** What stands behind `?`, as written; '' when there is nothing. */
  readonly headers: string;
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;

/** The scheme in lower case. @throws Failure 400 when there is none. */
export function schemeOf(text: string): string {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0));
  if (!SCHEME.test(scheme)) throw malformed(`URI without a scheme: ${clip(text)}`);
  return scheme.toLowerCase();
}

/** @throws Failure 416 for a scheme other than sip and sips, 400 for a malformed URI */
export function parseSipUri(text: string): SipUri {
  const scheme = schemeOf(text);
  if (scheme !== 'sip' && scheme !== 'sips') throw malformed(`URI scheme ${clip(scheme)} is not supported`, 416);
  // A stray control character, blank or bracket cannot be part of any sip URI.
  if (/[\s<>"\x00-\x1f\x7f]/.test(text)) throw malformed(`malformed URI: ${clip(text)}`);
  let rest = text.slice(scheme.length + 1);

  // The user part may hold ; ? & = so it is cut off first (25.1: user-unreserved).
  let user: string | undefined;
  let password: string | undefined;
  const at = rest.indexOf('@');
  if (at !== -1) {
    const userinfo = rest.slice(0, at);
    const colon = userinfo.indexOf(':');
    user = colon === -1 ? userinfo : userinfo.slice(0, colon);
    password = colon === -1 ? undefined : userinfo.slice(colon + 1);
    if (user === '') throw malformed(`URI with an empty user: ${clip(text)}`);
    rest = rest.slice(at + 1);
  }
  const question = rest.indexOf('?');
  const headers = question === -1 ? '' : rest.slice(question + 1);
  if (question !== -1) rest = rest.slice(0, question);
  const semicolon = rest.indexOf(';');
  const hostport = semicolon === -1 ? rest : rest.slice(0, semicolon);
  const params = semicolon === -1 ? NO_PARAMS : parseParams(rest, semicolon, false);
  const place = parseHostPort(hostport);
  if (params === undefined || place === undefined) throw malformed(`malformed URI: ${clip(text)}`);
  return { scheme, user, password, host: place.host, port: place.port, params, headers };
}

export function formatSipUri(uri: SipUri): string {
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) text += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
  text += uri.host;
  if (uri.port !== undefined) text += `:${uri.port}`;
  text += uri.params.toString();
  return uri.headers === '' ? text : `${text}?${uri.headers}`;
}

/** The user part with %HH resolved; left as written where the escapes are no valid UTF-8. */
export function decodedUser(uri: SipUri): string | undefined {
  return uri.user === undefined ? undefined : unescaped(uri.user);
}

/** Text with %HH resolved; left as written where the escapes are no valid UTF-8. */
export function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const REFERENCE = /^\[[0-9A-Fa-f:.]{2,45}\]$/;

/** `host`, `host:port`, `[v6]:port`. undefined when malformed. The host comes back in lower case. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  let hostEnd: number;
  let reference: string | undefined;
  if (text.charCodeAt(0) === 0x5b) {
    hostEnd = text.indexOf(']') + 1;
    if (!REFERENCE.test(text.slice(0, hostEnd))) return undefined;
    // RFC 3261's grammar wants a third colon before an embedded IPv4 address, and some write it (RFC 5118 4.10).
    reference = text.slice(0, hostEnd).replace(/:::(?=\d+\.)/, '::');
    if (!isIPv6(reference.slice(1, -1))) return undefined;
  } else {
    const colon = text.indexOf(':');
    hostEnd = colon === -1 ? text.length : colon;
    if (!isHostname(text, hostEnd)) return undefined;
  }
  const host = (reference ?? text.slice(0, hostEnd)).toLowerCase();
  if (hostEnd === text.length) return { host, port: undefined };
  if (text.charCodeAt(hostEnd) !== 0x3a) return undefined;
  const port = parseDecimal(text.slice(hostEnd + 1), 65535);
  return port === undefined ? undefined : { host, port };
}

/** Letters, digits, dots and hyphens; underscores too, which the grammar forbids and real hosts have. */
function isHostname(text: string, end: number): boolean {
  if (end === 0 || end > 255) return false;
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i);
    const letter = (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a);
    if (!letter && !(c >= 0x30 && c <= 0x39) && c !== 0x2e && c !== 0x2d && c !== 0x5f) return false;
  }
  return true;
}

/** An address for a URI or Via: IPv6 gets its brackets. */
export function hostOf(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

/** A host as sockets want it: IPv6 without brackets. */
export function addressOf(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** For messages to people: never more than a line of what a peer sent. */
export function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
