import type { SipMessage } from './message.ts';
import {
  beginningOf,
  DEFAULT_PARSE_LIMITS,
  type ParsedHead,
  type ParseLimits,
  parseHead,
  SipParseError,
} from './parse.ts';

/** What a piece of a stream completed. `bytes` are a view of what was pushed, as far as the message reaches. */
export type Framed =
  | { type: 'message'; message: SipMessage; bytes: Buffer }
  /** CRLF CRLF between messages, once or many times: the peer asks for a CRLF back (RFC 5626 3.5.1). */
  | { type: 'ping' }
  /** A message that is whole but wrong: answer it, the stream goes on. */
  | { type: 'bad-message'; error: SipParseError; bytes: Buffer }
  /** Nobody can tell any more where the next message begins: answer and close. */
  | { type: 'broken'; error: SipParseError; bytes: Buffer };

const CR = 0x0d;
const LF = 0x0a;
const CRLF_CRLF = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);

/**
 * Cuts a byte stream into messages by Content-Length (RFC 3261 18.3), however the segments are torn. Holds at most
 * `headBytes + bodyBytes` plus one segment.
 */
export class StreamFramer {
  readonly #limits: ParseLimits;
  #held: Buffer = EMPTY;
  /** Where to go on looking for the end of the headers, so that a slow sender does not cost quadratic time. */
  #scanned = 0;
  /** Headers that are read while their body is on its way. */
  #head: (ParsedHead & { bodyStart: number }) | undefined;
  #broken = false;

  constructor(limits: ParseLimits = DEFAULT_PARSE_LIMITS) {
    this.#limits = limits;
  }

  /** Is a message half received? What may be half a keep-alive is none: some peers send nothing but single CRLFs. */
  get inMessage(): boolean {
    return this.#head !== undefined || (this.#held.length > 0 && this.#held[0] !== CR);
  }

  /** Never throws. After `broken` it swallows everything. */
  push(segment: Buffer): Framed[] {
    if (this.#broken) return [];
    const out: Framed[] = [];
    this.#held = this.#held.length === 0 ? segment : Buffer.concat([this.#held, segment]);
    while (!this.#broken && this.#take(out)) {
      // until nothing more is complete
    }
    return out;
  }

  #take(out: Framed[]): boolean {
    if (this.#head === undefined) {
      this.#skipKeepAlives(out);
      if (this.#held.length === 0) return false;
      const headEnd = this.#held.indexOf(CRLF_CRLF, this.#scanned);
      if (headEnd === -1) {
        this.#scanned = Math.max(0, this.#held.length - 3);
        if (this.#held.length <= this.#limits.headBytes) return false;
        return this.#break(
          out,
          new SipParseError('headers without an end', 513, beginningOf(this.#held, this.#limits)),
        );
      }
      try {
        this.#head = { ...parseHead(this.#held, headEnd, this.#limits), bodyStart: headEnd + 4 };
      } catch (error) {
        return this.#break(out, error instanceof SipParseError ? error : new SipParseError(String(error), 400));
      }
    }
    const { message, contentLength, problem, bodyStart } = this.#head;
    if (contentLength === undefined) {
      const why = problem?.message ?? 'no Content-Length on a stream';
      return this.#break(out, new SipParseError(why, 400, message));
    }
    if (contentLength > this.#limits.bodyBytes) {
      return this.#break(out, new SipParseError(`body of ${contentLength} bytes`, 413, message));
    }
    const end = bodyStart + contentLength;
    if (this.#held.length < end) return false;
    // A copy: the message outlives the segment it came in, which may hold many others.
    if (contentLength > 0) message.body = Buffer.from(this.#held.subarray(bodyStart, end));
    const bytes = this.#held.subarray(0, end);
    this.#held = end === this.#held.length ? EMPTY : this.#held.subarray(end);
    this.#head = undefined;
    this.#scanned = 0;
    if (problem === undefined) out.push({ type: 'message', message, bytes });
    else {
      out.push({ type: 'bad-message', error: new SipParseError(problem.message, problem.sipStatus, message), bytes });
    }
    return true;
  }

  /** However many keep-alives stand in a row, one answer shows that we live: a storm of them must not be answered by another. */
  #skipKeepAlives(out: Framed[]): void {
    let pinged = false;
    let at = 0;
    while (this.#held[at] === CR && this.#held[at + 1] === LF) {
      if (this.#held[at + 2] === CR && this.#held[at + 3] === LF) {
        pinged = true;
        at += 4;
      } else if (this.#held.length <= at + 3 && (this.#held[at + 2] === undefined || this.#held[at + 2] === CR)) {
        // Perhaps the first half of a ping. A lone CRLF waits here for what comes next.
        break;
      } else at += 2;
    }
    if (pinged) out.push({ type: 'ping' });
    if (at > 0) {
      this.#held = this.#held.subarray(at);
      this.#scanned = 0;
    }
  }

  #break(out: Framed[], error: SipParseError): false {
    this.#broken = true;
    out.push({ type: 'broken', error, bytes: this.#held });
    this.#held = EMPTY;
    return false;
  }
}
