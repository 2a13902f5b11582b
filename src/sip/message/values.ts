import { malformed } from '../errors.ts';
import { endOfQuoted, indexOutside, isToken, parseDecimal, quote, unquote } from './grammar.ts';
import { NO_PARAMS, type Params, parseParams, splitParams } from './params.ts';
import { clip, parseHostPort, parseSipUri, type SipUri } from './uri.ts';

/** From, To, Contact, Route, Record-Route: `"Name" <uri>;params` (RFC 3261 20.10). Values are immutable. */
export interface NameAddr {
  /** Without quotes, escapes resolved. */
  readonly displayName: string | undefined;
  /** The URI as written. */
  readonly uri: string;
  readonly params: Params;
}

/** @throws Failure 400 */
export function parseNameAddr(value: string): NameAddr {
  const text = value.trim();
  let displayName: string | undefined;
  let open: number;
  if (text.charCodeAt(0) === 0x22) {
    const end = endOfQuoted(text, 0);
    if (end === -1) throw malformed(`unclosed quote: ${clip(text)}`);
    displayName = unquote(text.slice(0, end));
    open = text.indexOf('<', end);
    if (open === -1 || text.slice(end, open).trim() !== '') throw malformed(`malformed address: ${clip(text)}`);
  } else {
    open = text.indexOf('<');
    if (open > 0) {
      displayName = text.slice(0, open).trim();
      // Strictly a row of tokens; UTF-8 without quotes is common on the wire and harmless.
      if (displayName === '') displayName = undefined;
      else if (/[":;,@>]/.test(displayName)) throw malformed(`malformed display name: ${clip(text)}`);
    }
  }
  if (open !== -1) {
    const close = text.indexOf('>', open);
    if (close === -1) throw malformed(`unclosed <: ${clip(text)}`);
    const params = close + 1 === text.length ? NO_PARAMS : parseParams(text, close + 1, true);
    const uri = text.slice(open + 1, close).trim();
    if (params === undefined || uri === '') throw malformed(`malformed address: ${clip(text)}`);
    return { displayName, uri, params };
  }
  // addr-spec without brackets: every parameter is the header's, not the URI's (RFC 3261 20).
  const { value: uri, params } = splitParams(text);
  if (params === undefined || uri.indexOf(':') <= 0 || /[\s",?]/.test(uri)) {
    throw malformed(`malformed address: ${clip(text)}`);
  }
  return { displayName: undefined, uri, params };
}

export function formatNameAddr(value: NameAddr): string {
  const name = value.displayName === undefined ? '' : `${quote(value.displayName)} `;
  return `${name}<${value.uri}>${value.params.toString()}`;
}

/** The sip: URI inside. @throws Failure 400 or 416 */
export function sipUriOf(value: NameAddr): SipUri {
  return parseSipUri(value.uri);
}

/** One Via (RFC 3261 20.42, RFC 3581). */
export interface Via {
  /** Upper case: UDP, TCP, TLS, WS ... */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

/** @throws Failure 400; 505 for another protocol than SIP/2.0 */
export function parseVia(value: string): Via {
  // Blanks are allowed around both slashes (LWS SLASH LWS).
  const first = value.indexOf('/');
  const second = first === -1 ? -1 : value.indexOf('/', first + 1);
  if (second === -1) throw malformed(`malformed Via: ${clip(value)}`);
  const protocol = value.slice(0, first).trim();
  const version = value.slice(first + 1, second).trim();
  if (protocol.toUpperCase() !== 'SIP' || version !== '2.0') throw malformed(`Via of another protocol`, 400);
  let at = second + 1;
  while (isBlank(value, at)) at++;
  let end = at;
  while (end < value.length && !isBlank(value, end)) end++;
  const transport = value.slice(at, end).toUpperCase();
  while (isBlank(value, end)) end++;
  const { value: sentBy, params } = splitParams(value.slice(end));
  const place = parseHostPort(sentBy.includes(' ') ? sentBy.replace(/[ \t]*:[ \t]*/, ':') : sentBy);
  if (!isToken(transport) || place === undefined || params === undefined) {
    throw malformed(`malformed Via: ${clip(value)}`);
  }
  return { transport, host: place.host, port: place.port, params };
}

export function formatVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${via.params.toString()}`;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** @throws Failure 400. The number is below 2^31 (RFC 3261 8.1.1.5). */
export function parseCSeq(value: string): CSeq {
  const match = /^(\d{1,10})[ \t]+(\S+)$/.exec(value);
  const number = match === null ? undefined : parseDecimal(match[1]!, 2 ** 31 - 1);
  if (match === null || number === undefined || !isToken(match[2]!)) throw malformed(`malformed CSeq: ${clip(value)}`);
  return { number, method: match[2]! };
}

/** Content-Type and the like: `type/subtype;params`, lower case, without the parameters. */
export function mediaTypeOf(value: string): string {
  const semicolon = indexOutside(value, ';', 0);
  return (semicolon === -1 ? value : value.slice(0, semicolon)).replace(/\s+/g, '').toLowerCase();
}

/** Retry-After, Expires, Min-Expires, Min-SE and the like: a number of seconds, whatever stands behind it. */
export function secondsOf(value: string | undefined): number | undefined {
  return parseDecimal(/^\d+/.exec(value?.trim() ?? '')?.[0] ?? '', 2 ** 31 - 1);
}
