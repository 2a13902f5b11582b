/**
 * SIP messages as the test phone reads and writes them (RFC 3261 section 7). Written apart from src/sip on purpose, so
 * that a mistake made on both sides of the connector's own parser cannot hide. Lenient where a phone should be: it
 * throws only on what cannot be understood at all.
 */

export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

/** RFC 3261 section 7.3.3 and its extensions. */
const COMPACT: Record<string, string> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

function canonical(name: string): string {
  const lower = name.trim().toLowerCase();
  return COMPACT[lower] ?? lower;
}

/** First value of a header, compact form included; undefined when absent. */
export function header(message: SipMessage, name: string): string | undefined {
  const wanted = canonical(name);
  return message.headers.find((h) => canonical(h.name) === wanted)?.value;
}

/** Every value of a list header in order, comma-separated lines split (RFC 3261 section 7.3.1). */
export function headerList(message: SipMessage, name: string): string[] {
  const wanted = canonical(name);
  return message.headers.filter((h) => canonical(h.name) === wanted).flatMap((h) => splitList(h.value));
}

function splitList(value: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let angle = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') angle = true;
    else if (c === '>') angle = false;
    else if (c === ',' && !angle) {
      parts.push(value.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(value.slice(start).trim());
  return parts.filter((part) => part !== '');
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

export function cseq(message: SipMessage): CSeq {
  const match = /^(\d+)\s+(\S+)$/.exec(header(message, 'cseq') ?? '');
  if (!match) throw new Error('no CSeq');
  return { number: Number(match[1]), method: match[2]! };
}

/** A name-addr or addr-spec with its header parameters: From, To, Contact, Route. */
export interface NameAddr {
  readonly uri: string;
  readonly params: ReadonlyMap<string, string>;
}

export function parseNameAddr(value: string): NameAddr {
  const bracketed = /^(?:"(?:[^"\\]|\\.)*"|[^"<]*?)\s*<([^>]*)>(.*)$/s.exec(value.trim());
  if (bracketed) return { uri: bracketed[1]!.trim(), params: parseParams(bracketed[2]!) };
  const [uri, ...rest] = value.trim().split(';');
  return { uri: uri!.trim(), params: parseParams(rest.length > 0 ? `;${rest.join(';')}` : '') };
}

export function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>();
  for (const part of text.split(';').slice(1)) {
    const eq = part.indexOf('=');
    const name = (eq < 0 ? part : part.slice(0, eq)).trim().toLowerCase();
    if (name !== '') params.set(name, eq < 0 ? '' : part.slice(eq + 1).trim());
  }
  return params;
}

export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: ReadonlyMap<string, string>;
}

export function parseVia(value: string): Via {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*(\S+)\s+(\[[^\]]+\]|[^\s;:]+)\s*(?::\s*(\d+))?\s*(.*)$/is.exec(value);
  if (!match) throw new Error(`bad Via: ${value}`);
  return {
    transport: match[1]!.toUpperCase(),
    host: match[2]!,
    port: match[3] ? Number(match[3]) : undefined,
    params: parseParams(match[4]!),
  };
}

export interface SipUri {
  readonly user: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: ReadonlyMap<string, string>;
}

export function parseUri(text: string): SipUri {
  const match = /^sips?:(?:([^@]*)@)?(\[[^\]]+\]|[^:;?]+)(?::(\d+))?([^?]*)/i.exec(text.trim());
  if (!match) throw new Error(`not a SIP URI: ${text}`);
  return {
    user: match[1] ?? '',
    host: match[2]!.replace(/^\[|\]$/g, ''),
    port: match[3] ? Number(match[3]) : undefined,
    params: parseParams(match[4]!),
  };
}

/** Throws on anything that is not one SIP message. `data` holds exactly one: a datagram or a framed stream part. */
export function parseMessage(data: Buffer): SipMessage {
  const split = data.indexOf('\r\n\r\n');
  if (split < 0) throw new Error('no end of headers');
  const lines = data
    .subarray(0, split)
    .toString('utf8')
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers: SipHeader[] = [];
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`bad header line: ${line}`);
    headers.push({ name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() });
  }
  const lengthLine = headers.find((h) => canonical(h.name) === 'content-length');
  const length = lengthLine ? Number(lengthLine.value) : data.length - split - 4;
  if (!(length >= 0) || split + 4 + length > data.length) throw new Error('Content-Length exceeds the message');
  const body = data.subarray(split + 4, split + 4 + length).toString('utf8');
  const first = lines[0] ?? '';
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  if (status) return { kind: 'response', status: Number(status[1]), reason: status[2]!, headers, body };
  const request = /^(\S+) (\S+) SIP\/2\.0$/.exec(first);
  if (!request) throw new Error(`bad start line: ${first}`);
  return { kind: 'request', method: request[1]!, uri: request[2]!, headers, body };
}

/** Content-Length is always written from the body. */
export function serialize(message: SipMessage): Buffer {
  const first =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const headers = message.headers.filter((h) => canonical(h.name) !== 'content-length');
  const lines = [first, ...headers.map((h) => `${h.name}: ${h.value}`)];
  lines.push(`Content-Length: ${Buffer.byteLength(message.body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${message.body}`, 'utf8');
}

/** A response with the headers RFC 3261 section 8.2.6.2 copies from the request. */
export function responseTo(
  request: SipRequest,
  status: number,
  reason: string,
  more: { toTag?: string; headers?: readonly SipHeader[]; body?: string } = {},
): SipResponse {
  const copied = request.headers.filter((h) =>
    ['via', 'from', 'to', 'call-id', 'cseq', 'record-route'].includes(canonical(h.name)),
  );
  const headers = copied.map((h) => {
    if (canonical(h.name) !== 'to' || more.toTag === undefined || parseNameAddr(h.value).params.has('tag')) return h;
    return { name: h.name, value: `${h.value};tag=${more.toTag}` };
  });
  return {
    kind: 'response',
    status,
    reason,
    headers: [...headers, ...(more.headers ?? [])],
    body: more.body ?? '',
  };
}
