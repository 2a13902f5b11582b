import { indexOutside, unquote } from './grammar.ts';
import { Headers } from './headers.ts';
import { parseParams } from './params.ts';
import { mediaTypeOf } from './values.ts';

/** One body part (RFC 2046 5.1): a view into the message's body. */
export interface BodyPart {
  /** `type/subtype` in lower case; text/plain where the part does not say. */
  readonly type: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Bounds on what a peer may make us look at; parts beyond them are not read. */
const MAX_PARTS = 16;
const MAX_DEPTH = 3;

const CRLF_CRLF = Buffer.from('\r\n\r\n');

/**
 * The leaves of a body, multiparts within multiparts unfolded (RFC 5621 3): the body itself where it is no multipart.
 * undefined when a multipart has no boundary, or no part where its boundary says so.
 */
export function bodyParts(contentType: string, headers: Headers, body: Buffer): readonly BodyPart[] | undefined {
  return unfold({ type: mediaTypeOf(contentType), headers, body }, contentType, 0);
}

function unfold(part: BodyPart, contentType: string, depth: number): readonly BodyPart[] | undefined {
  if (!part.type.startsWith('multipart/')) return [part];
  const boundary = boundaryOf(contentType);
  const pieces = boundary === undefined || depth === MAX_DEPTH ? [] : split(part.body, boundary);
  if (pieces.length === 0) return undefined;
  const leaves: BodyPart[] = [];
  for (const piece of pieces) {
    const inner = unfold(piece.part, piece.contentType, depth + 1);
    if (inner === undefined) return undefined;
    leaves.push(...inner);
  }
  return leaves.slice(0, MAX_PARTS);
}

function boundaryOf(contentType: string): string | undefined {
  const semicolon = indexOutside(contentType, ';', 0);
  const boundary = semicolon === -1 ? undefined : parseParams(contentType, semicolon, true)?.get('boundary');
  const text = boundary === undefined ? '' : unquote(boundary);
  // RFC 2046 5.1.1: at most 70 characters.
  return text === '' || text.length > 70 ? undefined : text;
}

function split(body: Buffer, boundary: string): { part: BodyPart; contentType: string }[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const pieces: { part: BodyPart; contentType: string }[] = [];
  // The first delimiter may stand at the very beginning, without the line end before it.
  let at = body.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)) ? -2 : body.indexOf(delimiter);
  while (at !== -1 && pieces.length < MAX_PARTS) {
    const after = at + delimiter.length;
    if (body.subarray(after, after + 2).toString('latin1') === '--') break;
    const lineEnd = body.indexOf('\r\n', after);
    const next = lineEnd === -1 ? -1 : body.indexOf(delimiter, lineEnd);
    if (next === -1) break;
    pieces.push(readPart(body.subarray(lineEnd, next)));
    at = next;
  }
  return pieces.filter(({ part }) => part.body.length > 0);
}

/** `bytes` begin with the line end of the boundary, so that a part without headers begins with an empty line too. */
function readPart(bytes: Buffer): { part: BodyPart; contentType: string } {
  const end = bytes.indexOf(CRLF_CRLF);
  const headers = new Headers();
  const head = end === -1 ? '' : bytes.toString('utf8', 2, Math.max(end, 2)).replace(/\r\n[ \t]+/g, ' ');
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.appendParsed(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const contentType = headers.get('content-type') ?? 'text/plain';
  const body = end === -1 ? bytes.subarray(bytes.length) : bytes.subarray(end + 4);
  return { part: { type: mediaTypeOf(contentType), headers, body }, contentType };
}
