import { fewRandomBytes } from './random-pool.ts';

/** Ids within one millisecond; the next one counts as a millisecond later. */
const PER_MS = 4096;
/** Of one id. */
const RANDOM_BYTES = 8;
/** Each byte as two digits: faster than a Buffer writes eight of them. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

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
    const rest = fewRandomBytes(RANDOM_BYTES);
    const digits = (byte: number) => DIGITS[rest[byte]!]!;
    const variant = DIGITS[0x80 | (rest[0]! & 0x3f)]!;
    const counted = `${DIGITS[0x70 | (count >> 8)]!}${DIGITS[count & 0xff]!}`;
    return `${prefix}-${counted}-${variant}${digits(1)}-${digits(2)}${digits(3)}${digits(4)}${digits(5)}${digits(6)}${digits(7)}`;
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
