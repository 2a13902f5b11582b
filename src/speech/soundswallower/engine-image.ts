import type { SoundSwallowerModule } from 'soundswallower';
import type { Acoustics } from './acoustic-model.ts';
import type { TablesImage } from './gaussians/fast-gaussians.ts';

/**
 * An engine with its models and no grammar yet, as its memory holds it. soundswallower's module opens no files, and keeps
 * nothing outside its memory but the addresses here (its stack is empty between calls): a copy in another instance of the
 * same code is the same engine, for a twentieth of what starting one costs.
 */
export interface EngineImage {
  /** From address 0 up to the last octet that is not zero. */
  memory: Uint8Array;
  /** Addresses of the C decoder, its acmod_t and the two acoustic models. */
  decoder: number;
  acmod: number;
  models: Record<Acoustics, number>;
  /** What our kernel reads beside it. */
  tables: TablesImage;
}

/** Of an engine that is between two calls; a view, not a copy. */
export function memoryInUse({ HEAPU32, HEAPU8 }: SoundSwallowerModule): Uint8Array {
  let words = HEAPU32.length;
  while (words > 0 && HEAPU32[words - 1] === 0) words--;
  return HEAPU8.subarray(0, 4 * words);
}

/** Makes the engine in `module` the one whose memory this is. What lies behind it counts as never used. */
export function fillMemory(module: SoundSwallowerModule, memory: Uint8Array): void {
  // The module's own JavaScript must see its memory grow: so much is never free in a smaller one.
  if (module.HEAPU8.length < memory.length) module._malloc(memory.length);
  module.HEAPU8.set(memory);
}

const EMPTY = 0;
const MAKING = 1;
const THERE = 2;
const GIVEN_UP = 3;
/** Places in SharedImage.facts. */
const STATE = 0;
const NUMBERS = 1;

/** Where the threads of a recogniser find the image that one of them has made. To be handed to each as it is. */
export interface SharedImage {
  facts: Int32Array<SharedArrayBuffer>;
  octets: SharedArrayBuffer;
}

/** Address space, not memory: what is used is what an image has. */
const ROOM = 128 << 20;
/** A thread that makes the image takes less by far, or has died. */
const MAKER_TIMEOUT_MS = 10_000;

export function roomForImage(): SharedImage {
  return {
    facts: new Int32Array(new SharedArrayBuffer(64)),
    octets: new SharedArrayBuffer(0, { maxByteLength: ROOM }),
  };
}

/**
 * The image; the first thread that asks makes it, the others block until it is there. empty -> making -> there, making ->
 * empty when `make` fails (and rejects here), making -> given up when its thread says nothing for 10 s: then everybody
 * makes their own.
 */
export async function imageOnce(shared: SharedImage, make: () => Promise<EngineImage>): Promise<EngineImage> {
  const { facts } = shared;
  for (;;) {
    const state = Atomics.compareExchange(facts, STATE, EMPTY, MAKING);
    if (state === THERE) return read(shared);
    if (state === GIVEN_UP) return make();
    if (state === EMPTY) return publish(shared, make);
    if (Atomics.wait(facts, STATE, MAKING, MAKER_TIMEOUT_MS) === 'timed-out') {
      Atomics.compareExchange(facts, STATE, MAKING, GIVEN_UP);
    }
  }
}

async function publish(shared: SharedImage, make: () => Promise<EngineImage>): Promise<EngineImage> {
  let outcome = EMPTY;
  try {
    const image = await make();
    // After a thread has given us up the room is nobody's.
    if (Atomics.load(shared.facts, STATE) !== MAKING) return image;
    write(shared, image);
    outcome = THERE;
    return read(shared);
  } finally {
    Atomics.compareExchange(shared.facts, STATE, MAKING, outcome);
    Atomics.notify(shared.facts, STATE);
  }
}

function write({ facts, octets }: SharedImage, { memory, decoder, acmod, models, tables }: EngineImage): void {
  octets.grow(memory.length + tables.memory.length);
  const all = new Uint8Array(octets);
  all.set(memory);
  all.set(tables.memory, memory.length);
  facts.set([memory.length, decoder, acmod, models.quiet, models['steady-noise'], tables.runs], NUMBERS);
}

function read({ facts, octets }: SharedImage): EngineImage {
  const [length, decoder, acmod, quiet, noisy, runs] = facts.subarray(NUMBERS);
  return {
    memory: new Uint8Array(octets, 0, length!),
    decoder: decoder!,
    acmod: acmod!,
    models: { quiet: quiet!, 'steady-noise': noisy! },
    tables: { memory: new Uint8Array(octets, length!), runs: runs! },
  };
}
