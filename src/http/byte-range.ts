/** What a Range header asks of a representation of `size` bytes. `end` is inclusive. */
export type RangeRequest = 'whole' | 'unsatisfiable' | { start: number; end: number };

/**
 * Parses a Range header (RFC 9110 section 14.2). Headers that are malformed, in other units, or ask for several ranges
 * are ignored, which the RFC allows: the whole representation is the answer.
 */
export function parseRange(header: string | undefined, size: number): RangeRequest {
  if (header === undefined) return 'whole';
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header.trim());
  if (!match) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const suffix = Number(last);
    if (suffix === 0 || size === 0) return 'unsatisfiable';
    return { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
