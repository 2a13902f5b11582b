import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let drawn = POOL_BYTES;

/**
 * So many random bytes, at most a few dozen, of which none was given out before. Many are drawn at once: to ask the system
 * for a few costs 50 µs, as much as to ask for thousands. The caller's own until the next call: what is kept is to be copied.
 */
export function fewRandomBytes(count: number): Buffer {
  if (drawn + count > POOL_BYTES) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += count;
  return pool.subarray(drawn - count, drawn);
}
