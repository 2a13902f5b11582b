import { randomFillSync } from 'node:crypto';

/** Ids within one millisecond; the next one counts as a millisecond later. */
const PER_MS = 4096;
/** Of one id. Many are drawn at once: asking for a few bytes costs as much as asking for all of these. */
const RANDOM_BYTES = 8;
const pool = Buffer.alloc(256 * RANDOM_BYTES);
let drawn = pool.length;

function random(): Buffer {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += RANDOM_BYTES;
  return pool.subarray(drawn - RANDOM_BYTES, drawn);
}

/**
 * UUIDs version 7 whose order is that in which they were asked for, also within a millisecond and when the clock is set
 * back (RFC 9562 sections 5.7 and 6.2, method 1). One function per sequence. `at`: wall-clock time.
 */
export function orderedIds(): (at: Date) => string {
  let last = 0;
  let count = 0;
  return (at) => {
    const ms = Math.max(at.getTime(), last);
    count = ms === last ? count + 1 : 0;
    last = ms;
    if (count === PER_MS) {
      last++;
      count = 0;
    }
    const time = last.toString(16).padStart(12, '0');
    const rest = random();
    rest[0] = 0x80 | (rest[0]! & 0x3f);
    const digits = rest.toString('hex');
    const version = (0x7000 | count).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${digits.slice(0, 4)}-${digits.slice(4)}`;
  };
}
