import { randomBytes } from 'node:crypto';

/** Ids within one millisecond; the next one counts as a millisecond later. */
const PER_MS = 4096;
/** Random digits of one id, and those drawn at once: asking for a few costs as much as asking for all of these. */
const DIGITS = 16;
const DRAWN_BYTES = 4096;
/** RFC 9562 section 4.1: two bits are given. */
const VARIANT = '89ab';

let drawn = '';
let used = 0;

function randomDigits(): string {
  if (used === drawn.length) {
    drawn = randomBytes(DRAWN_BYTES).toString('hex');
    used = 0;
  }
  used += DIGITS;
  return drawn.slice(used - DIGITS, used);
}

/**
 * UUIDs version 7 whose order is that in which they were asked for, also within a millisecond and when the clock is set
 * back (RFC 9562 sections 5.7 and 6.2, method 1). One function per sequence. `at`: wall-clock time.
 */
export function orderedIds(): (at: Date) => string {
  let last = 0;
  let count = 0;
  let prefix = '';
  return (at) => {
    const ms = Math.max(at.getTime(), last);
    count = ms === last ? count + 1 : 0;
    if (ms !== last) prefix = '';
    last = ms;
    if (count === PER_MS) {
      last++;
      count = 0;
      prefix = '';
    }
    if (prefix === '') prefix = timeDigits(last);
    const digits = randomDigits();
    const version = (0x7000 | count).toString(16);
    const variant = VARIANT[digits.charCodeAt(0) & 3]!;
    return `${prefix}-${version}-${variant}${digits.slice(1, 4)}-${digits.slice(4)}`;
  };
}

function timeDigits(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

const inOrder = orderedIds();

/**
 * An id for a row that is looked up by it, of one sequence for all of this process: rows written one after the other then
 * stand beside each other in every index, where random ids would have each of them touch a page of its own.
 */
export const newOrderedId = (): string => inOrder(new Date());
