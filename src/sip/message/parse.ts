import { Failure } from '../../core/errors.ts';
import { malformed } from '../errors.ts';
import { hasBreak, isToken, parseDecimal } from './grammar.ts';
import { Headers, knownName } from './headers.ts';
import { NO_BODY, type SipMessage, SipRequest, SipResponse } from './message.ts';
import { clip } from './uri.ts';

/** Bounds on what a peer may make us hold. Bytes, but for `headerLines`. */
export interface ParseLimits {
  headBytes: number;
  headerLines: number;
  uriBytes: number;
  bodyBytes: number;
}

export const DEFAULT_PARSE_LIMITS: ParseLimits = {
  headBytes: 16_384,
  headerLines: 200,
  uriBytes: 2_048,
  bodyBytes: 49_152,
};

/**
 * A message that cannot be used. `partial` is what could be read of it: with it a request can still be answered
 * with `sipStatus`; without it there is nobody to answer.
 */
export class SipParseError extends Failure {
  readonly partial: SipMessage | undefined;

  constructor(message: string, status: number, partial?: SipMessage) {
    super(message, { code: 'sip-malformed', blame: 'caller', sipStatus: status });
    this.name = 'SipParseError';
    this.partial = partial;
  }
}

/** Headers that may stand in a message once only; a second one is an attempt to be read in two ways. */
const SINGLE = new Set(['from', 'to', 'call-id', 'cseq', 'content-length', 'content-type', 'max-forwards']);
const MANDATORY = ['via', 'from', 'to', 'call-id', 'cseq'] as const;

const VERSION = 'SIP/2.0';
const CRLF_CRLF = Buffer.from('\r\n\r\n');

/** Start line and headers, with the body still outside. `problem` is the first fault found, if any. */
export interface ParsedHead {
  message: SipMessage;
  contentLength: number | undefined;
  problem: Failure | undefined;
}

/**
 * Parses one datagram: body up to Content-Length, or to the end where there is none (RFC 3261 18.3).
 * @throws SipParseError only
 */
export function parseDatagram(bytes: Buffer, limits: ParseLimits = DEFAULT_PARSE_LIMITS): SipMessage {
  const headEnd = bytes.indexOf(CRLF_CRLF);
  if (headEnd === -1) throw new SipParseError('no empty line ends the headers', 400);
  const { message, contentLength, problem } = parseHead(bytes, headEnd, limits);
  if (problem !== undefined) throw new SipParseError(problem.message, problem.sipStatus, message);
  const bodyStart = headEnd + 4;
  const available = bytes.length - bodyStart;
  const length = contentLength ?? available;
  if (length > available) {
    throw new SipParseError(`Content-Length ${length}, but ${available} bytes came`, 400, message);
  }
  if (length > limits.bodyBytes) throw new SipParseError(`body of ${length} bytes`, 413, message);
  if (length > 0) message.body = bytes.subarray(bodyStart, bodyStart + length);
  return message;
}

/**
 * Parses start line and headers out of `bytes[0, end)`, `end` being where the empty line begins. Faults in headers
 * are reported in `problem`, after reading on, so that the request can be answered.
 * @throws SipParseError when not even the start line is SIP
 */
export function parseHead(bytes: Buffer, end: number, limits: ParseLimits): ParsedHead {
  if (end > limits.headBytes) {
    throw new SipParseError(`headers of ${end} bytes`, 513, beginningOf(bytes, limits));
  }
  const text = bytes.toString('utf8', 0, end);
  const firstEnd = endOfLine(text, 0);
  const { message, problem: startProblem } = parseStartLine(text.slice(0, firstEnd), limits);
  let problem = startProblem;
  const headers = message.headers;
  let lines = 0;
  let seen = 0;
  let at = firstEnd + 2;
  while (at < text.length) {
    let stop = endOfLine(text, at);
    let line = text.slice(at, stop);
    // Folding (RFC 3261 7.3.1): a line that begins with a blank belongs to the one before.
    while (isBlank(text.charCodeAt(stop + 2))) {
      const next = endOfLine(text, stop + 2);
      line = `${line} ${text.slice(stop + 2, next).trim()}`;
      stop = next;
    }
    at = stop + 2;
    if (++lines > limits.headerLines) {
      throw new SipParseError(`more than ${limits.headerLines} header lines`, 513, message);
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? '' : withoutBlanks(line, 0, colon);
    const value = withoutBlanks(line, colon + 1, line.length);
    const known = knownName(name);
    if ((known === undefined && !isToken(name)) || hasBreak(value)) {
      problem ??= malformed(`malformed header line: ${clip(line)}`);
      continue;
    }
    const key = headers.appendParsed(name, value, known);
    const bit = BITS.get(key);
    if (bit !== undefined) {
      if ((seen & bit) !== 0 && SINGLE.has(key)) problem ??= malformed(`${name} stands there twice`);
      seen |= bit;
    }
  }
  for (const key of MANDATORY) if ((seen & (BITS.get(key) ?? 0)) === 0) problem ??= malformed(`${key} is missing`);
  const lengthText = headers.get('content-length');
  let contentLength: number | undefined;
  if (lengthText !== undefined) {
    contentLength = parseDecimal(lengthText, 2 ** 31 - 1);
    if (contentLength === undefined) problem ??= malformed(`malformed Content-Length: ${clip(lengthText)}`);
  }
  return { message, contentLength, problem };
}

/** What can be read of headers that are too long: who sent them is told so, and does not send them again and again. */
export function beginningOf(bytes: Buffer, limits: ParseLimits): SipMessage | undefined {
  const end = bytes.lastIndexOf('\r\n', limits.headBytes);
  if (end <= 0) return undefined;
  try {
    return parseHead(bytes, end, limits).message;
  } catch (error) {
    return error instanceof SipParseError ? error.partial : undefined;
  }
}

function parseStartLine(raw: string, limits: ParseLimits): { message: SipMessage; problem: Failure | undefined } {
  if (/^SIP\//i.test(raw)) return parseStatusLine(raw);
  // Blanks behind the version are refused, but read past, so that the refusal can be sent (RFC 4475 3.1.2.10).
  const line = raw.trimEnd();
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  const method = line.slice(0, Math.max(first, 0));
  const version = line.slice(last + 1);
  if (!isToken(method) || first === last || (version !== VERSION && !/^SIP\/\d+\.\d+$/i.test(version))) {
    throw new SipParseError(`not a SIP message: ${clip(line)}`, 400);
  }
  const uri = line.slice(first + 1, last);
  const message = new SipRequest(method, uri, new Headers(), NO_BODY);
  let problem: Failure | undefined;
  if (line.length !== raw.length) problem = malformed('blanks at the end of the request line');
  else if (version !== VERSION && version.toUpperCase() !== VERSION)
    problem = malformed(`SIP version ${clip(version)}`, 505);
  else if (uri.length > limits.uriBytes) problem = malformed(`Request-URI of ${uri.length} characters`, 414);
  else if (!isPlainUri(uri)) problem = malformed(`malformed Request-URI: ${clip(uri)}`);
  return { message, problem };
}

function parseStatusLine(line: string): { message: SipMessage; problem: Failure | undefined } {
  const match = /^SIP\/2\.0 (\d+)(?: (.*))?$/i.exec(line);
  if (match === null) throw new SipParseError(`malformed status line: ${clip(line)}`, 400);
  const problem = /^[1-6]\d\d$/.test(match[1]!) ? undefined : malformed(`no status: ${clip(match[1]!)}`);
  return { message: new SipResponse(Number(match[1]), match[2] ?? '', new Headers(), NO_BODY), problem };
}

/** No blanks, brackets, quotes or controls: whatever the scheme, these would be read in two ways. */
function isPlainUri(uri: string): boolean {
  if (uri.length === 0) return false;
  for (let i = 0; i < uri.length; i++) {
    const code = uri.charCodeAt(i);
    if (code <= 0x20 || code === 0x22 || code === 0x3c || code === 0x3e || code === 0x7f) return false;
  }
  return true;
}

/** Where the CRLF of this line begins; the end of the text for the last line. */
function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\r\n', from);
  return at === -1 ? text.length : at;
}

/** A piece of a line without the blanks around it; nothing else is trimmed off. */
function withoutBlanks(line: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(line.charCodeAt(from))) from++;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to--;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A bit for each header of which it matters whether it was there. */
const BITS = new Map([...SINGLE, 'via'].map((key, i) => [key, 1 << i]));
