/** Room for the arrays of one call and a half. */
const BLOCK_BYTES = 65_536;
/** A line of the processor's cache. */
const LINE_BYTES = 64;

let block = new ArrayBuffer(0);
let used = 0;

/**
 * Arrays of a call, zeros to begin with, one close behind the other in the order they are asked for. At every tick all that a
 * call has is walked through, for hundreds of calls, which is more than a processor's cache or its table of pages holds: what
 * lies together comes together, and thirty arrays are one piece of memory to the allocator and the collector. A block goes when
 * nobody has an array in it any more: a call that lasts keeps the blocks of those beside it, two at most.
 *
 * Never post such an array to another thread: the whole block would go along.
 */
export function int16s(length: number): Int16Array<ArrayBuffer> {
  const at = placeOf(2 * length);
  return new Int16Array(block, at, length);
}

/** As int16s. */
export function int32s(length: number): Int32Array<ArrayBuffer> {
  const at = placeOf(4 * length);
  return new Int32Array(block, at, length);
}

/** As int16s. */
export function float64s(length: number): Float64Array<ArrayBuffer> {
  const at = placeOf(8 * length);
  return new Float64Array(block, at, length);
}

/** Where so many bytes are free in `block`. */
function placeOf(bytes: number): number {
  const whole = Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
  if (used + whole > block.byteLength) {
    block = new ArrayBuffer(Math.max(BLOCK_BYTES, whole));
    used = 0;
  }
  const at = used;
  used += whole;
  return at;
}
