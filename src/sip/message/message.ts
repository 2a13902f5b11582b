import { malformed } from '../errors.ts';
import { reasonPhrase } from '../status.ts';
import { splitOutside } from './grammar.ts';
import { Headers } from './headers.ts';
import { type BodyPart, bodyParts } from './multipart.ts';
import { parseSipUri, type SipUri } from './uri.ts';
import { type CSeq, mediaTypeOf, type NameAddr, parseCSeq, parseNameAddr, parseVia, type Via } from './values.ts';

export const NO_BODY: Buffer = Buffer.alloc(0);

const CRLF = '\r\n';

/**
 * What requests and responses share. Structured headers are parsed when they are first looked at; every accessor
 * throws Failure 400 when the header is missing or malformed.
 */
abstract class Message {
  readonly headers: Headers;
  body: Buffer;

  constructor(headers: Headers, body: Buffer) {
    this.headers = headers;
    this.body = body;
  }

  abstract startLine(): string;

  /** Topmost Via. */
  get via(): Via {
    return this.#must('Via', this.headers.typed('via', parseTopVia));
  }

  get from(): NameAddr {
    return this.#must('From', this.headers.typed('from', parseNameAddr));
  }

  get to(): NameAddr {
    return this.#must('To', this.headers.typed('to', parseNameAddr));
  }

  get cseq(): CSeq {
    return this.#must('CSeq', this.headers.typed('cseq', parseCSeq));
  }

  get callId(): string {
    return this.#must('Call-ID', this.headers.get('call-id'));
  }

  get fromTag(): string | undefined {
    return this.from.params.get('tag');
  }

  get toTag(): string | undefined {
    return this.to.params.get('tag');
  }

  /** First Contact; undefined when there is none or it is `*`. */
  get contact(): NameAddr | undefined {
    const value = this.headers.get('contact');
    if (value === undefined || value.trim() === '*') return undefined;
    return this.headers.typed('contact', parseFirstAddress);
  }

  /** `type/subtype` in lower case. */
  get contentType(): string | undefined {
    const value = this.headers.get('content-type');
    return value === undefined ? undefined : mediaTypeOf(value);
  }

  /** What the body is made of: one part, or those of a multipart; undefined when that is malformed. */
  get parts(): readonly BodyPart[] | undefined {
    if (this.body.length === 0) return [];
    return bodyParts(this.headers.get('content-type') ?? '', this.headers, this.body);
  }

  /** The session description as text, also where it is one part of a multipart (RFC 5621). */
  get sdp(): string | undefined {
    if (this.body.length === 0) return undefined;
    if (this.contentType === 'application/sdp') return this.body.toString('utf8');
    return this.parts?.find((part) => part.type === 'application/sdp')?.body.toString('utf8');
  }

  setBody(contentType: string, body: string | Buffer): this {
    this.headers.set('Content-Type', contentType);
    this.body = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    return this;
  }

  /** The bytes to send. Content-Length is always written and always right. */
  serialize(): Buffer {
    const head = `${this.startLine()}${CRLF}${this.headers.toString()}Content-Length: ${this.body.length}${CRLF}${CRLF}`;
    if (this.body.length === 0) return Buffer.from(head, 'utf8');
    const headLength = Buffer.byteLength(head, 'utf8');
    const bytes = Buffer.allocUnsafe(headLength + this.body.length);
    bytes.write(head, 0, 'utf8');
    this.body.copy(bytes, headLength);
    return bytes;
  }

  #must<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw malformed(`${name} is missing`);
    return value;
  }
}

export class SipRequest extends Message {
  readonly method: string;
  /** Request-URI as written. */
  uri: string;
  #parsedUri: { text: string; uri: SipUri } | undefined;

  constructor(method: string, uri: string, headers = new Headers(), body = NO_BODY) {
    super(headers, body);
    this.method = method;
    this.uri = uri;
  }

  startLine(): string {
    return `${this.method} ${this.uri} SIP/2.0`;
  }

  /** @throws Failure 416 for a scheme we do not speak, 400 when malformed */
  get sipUri(): SipUri {
    if (this.#parsedUri?.text !== this.uri) this.#parsedUri = { text: this.uri, uri: parseSipUri(this.uri) };
    return this.#parsedUri.uri;
  }

  clone(): SipRequest {
    return new SipRequest(this.method, this.uri, this.headers.clone(), this.body);
  }
}

export class SipResponse extends Message {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason = reasonPhrase(status), headers = new Headers(), body = NO_BODY) {
    super(headers, body);
    this.status = status;
    this.reason = reason;
  }

  startLine(): string {
    return `SIP/2.0 ${this.status} ${this.reason}`;
  }

  get isProvisional(): boolean {
    return this.status < 200;
  }

  get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }
}

export type SipMessage = SipRequest | SipResponse;

function parseTopVia(line: string): Via {
  return parseVia(line.includes(',') ? (splitOutside(line, ',')[0] ?? '') : line);
}

function parseFirstAddress(line: string): NameAddr {
  return parseNameAddr(line.includes(',') ? (splitOutside(line, ',')[0] ?? '') : line);
}
