import { CEPSTRA } from '../engine-memory.ts';

/** Numbers of the kernel's memories: the engine's own, and the one that all decoders of a thread share. */
export const ENGINE = 1;
export const SHARED = 0;

/** Of soundswallower's en-us model: a codebook for each phone, in it Gaussians for each of three streams of cepstra. */
export const CODEBOOKS = 42;
export const STREAMS = 3;
export const DENSITIES = 128;
/** The best so many of each codebook and stream count (the engine's default `topn`). */
export const BEST = 4;
/** States of phones in their contexts; each has a weight for each Gaussian of its codebook. */
export const SENONES = 5126;

/** Gaussians are computed four by four. */
export const LANES = 4;
export const VECTOR = 4 * LANES;

/**
 * After so many coefficients most Gaussians are out of the question, so what is needed up to there stands by itself, in
 * the order in which it is read: all of a model is read for every frame, and memory is what that waits for. A block is
 * four Gaussians: their constants, then for each coefficient four means and four weights.
 */
export const SURE_AFTER = 5;
export const HOT_BLOCK = VECTOR * (1 + 2 * SURE_AFTER);
export const COLD_BLOCK = VECTOR * 2 * (CEPSTRA - SURE_AFTER);
const BLOCKS = DENSITIES / LANES;
export const HOT_STREAM = BLOCKS * HOT_BLOCK;
export const COLD_STREAM = BLOCKS * COLD_BLOCK;
const ALL_STREAMS = CODEBOOKS * STREAMS;
export const TABLE_BYTES = ALL_STREAMS * (HOT_STREAM + COLD_STREAM);
/** Where the rest of each stream stands, behind the beginning of its table. */
export const COLD_TABLE = ALL_STREAMS * HOT_STREAM;

/** An entry of the engine's lists (ptm_topn_t): number of the Gaussian, its log-likelihood. */
export const ENTRY = 8;
export const SCORE = 4;
export const LIST = BEST * ENTRY;

/** A run of senones of one codebook: its number, the first of them, and how many. */
export const RUN = 12;
export const MOST_RUNS = 128;
/** What is taken off the lesser of two negated logarithms to add their numbers, by how far they are apart: from here on nothing. */
export const LOG_ADD_BYTES = 32;

const align = (bytes: number) => Math.ceil(bytes / 64) * 64;
/** The shared memory, by address: the two models come first. */
export const MIXTURES = align(2 * TABLE_BYTES);
/** Of each stream, Gaussian, senone: a byte, its negated logarithm. */
export const MIXTURES_BYTES = STREAMS * DENSITIES * SENONES;
export const CODEBOOK_OF = align(MIXTURES + MIXTURES_BYTES + 16);
export const RUNS = align(CODEBOOK_OF + SENONES);
/** Of the frame that is being computed: which codebooks are in use, and the score of each senone. */
export const LOG_ADD = align(RUNS + MOST_RUNS * RUN);
export const IN_USE = align(LOG_ADD + LOG_ADD_BYTES);
export const SCORES = align(IN_USE + 64);
export const SHARED_BYTES = align(SCORES + 2 * SENONES + 32);

/** Offsets within a table, in floats, of what belongs to a Gaussian of stream `stream` (codebook by codebook). */
export function constantAt(stream: number, density: number): number {
  return (stream * HOT_STREAM + (density >> 2) * HOT_BLOCK) / 4 + (density & 3);
}

export function meanAt(stream: number, density: number, coefficient: number): number {
  const block = density >> 2;
  const [start, before] =
    coefficient < SURE_AFTER
      ? [stream * HOT_STREAM + block * HOT_BLOCK + VECTOR, coefficient]
      : [COLD_TABLE + stream * COLD_STREAM + block * COLD_BLOCK, coefficient - SURE_AFTER];
  return (start + 2 * VECTOR * before) / 4 + (density & 3);
}

export function weightAt(stream: number, density: number, coefficient: number): number {
  return meanAt(stream, density, coefficient) + LANES;
}
