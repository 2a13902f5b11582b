import type { Decoder, SoundSwallowerModule } from 'soundswallower';
import { Failure } from '../../core/errors.ts';

/** Cepstral coefficients per frame. */
export const CEPSTRA = 13;

/** What speech sounds like on this line on average, which the engine takes off each frame before it compares. */
export interface CepstralMean {
  mean: readonly number[];
  /** Frames of 10 ms it stands for; the next ones count against so many. */
  frames: number;
}

/** The pointer to soundswallower's acmod_t, and in it those to feat_t and to the acoustic model; 32-bit, in bytes. */
const ACMOD = { feat: 16, model: 28 };
const FEAT = { cepstra: 8, window: 20, subvectors: 24, cmn: 44, normalisation: 56 };
const CMN = { mean: 0, sum: 8, frames: 12, length: 16 };
/** Values of feat_t.cmn. */
const BATCH = 1;
const LIVE = 2;

/**
 * The parts of the engine that its JavaScript does not reach: which acoustic model is in use, and the mean of the cepstra
 * it normalises by (src/cmn.c, feat.c and acmod.h of SoundSwallower 0.6). An engine serves one caller after the other and
 * its mean would be that of those before; and once it has normalised live it never again does so by the whole utterance.
 * Throws Failure bad-engine where the structures are not those of 0.6.
 */
export class EngineMemory {
  readonly #module: SoundSwallowerModule;
  readonly #acmod: number;
  readonly #feat: number;
  readonly #cmn: number;

  constructor(module: SoundSwallowerModule, decoder: Decoder) {
    this.#module = module;
    this.#acmod = decoder.cacmod;
    this.#feat = this.#word(this.#acmod + ACMOD.feat);
    this.#cmn = this.#word(this.#feat + FEAT.normalisation);
    const known =
      this.#word(this.#feat + FEAT.cepstra) === CEPSTRA &&
      this.#word(this.#feat + FEAT.window) === 3 &&
      this.#word(this.#feat + FEAT.subvectors) === 3 &&
      this.#word(this.#cmn + CMN.length) === CEPSTRA;
    if (!known) throw notAsIn06();
  }

  /** Address of the acoustic model in use; to be changed between utterances only. */
  get model(): number {
    return this.#word(this.#acmod + ACMOD.model);
  }

  set model(address: number) {
    this.#module.HEAPU32[(this.#acmod + ACMOD.model) >> 2] = address;
  }

  /** Of all that was heard since it was last set. */
  get mean(): CepstralMean {
    const frames = this.#word(this.#cmn + CMN.frames);
    return { mean: Array.from(this.#floats(CMN.sum), (sum) => sum / Math.max(1, frames)), frames };
  }

  set mean({ mean, frames }: CepstralMean) {
    this.#floats(CMN.mean).set(mean);
    this.#floats(CMN.sum).set(mean.map((value) => value * frames));
    this.#module.HEAPU32[(this.#cmn + CMN.frames) >> 2] = frames;
  }

  /** Lets what was heard of this utterance so far count; the engine itself does so only behind its end. */
  follow(): void {
    this.#floats(CMN.mean).set(this.mean.mean);
  }

  /** For the next utterance: by its own mean, when all of it is given at once, or by the one that was set. */
  normaliseBy(what: 'utterance' | 'mean'): void {
    this.#module.HEAPU32[(this.#feat + FEAT.cmn) >> 2] = what === 'utterance' ? BATCH : LIVE;
  }

  #word(address: number): number {
    return this.#module.HEAPU32[address >> 2]!;
  }

  #floats(field: number): Float32Array {
    const at = this.#word(this.#cmn + field) >> 2;
    return this.#module.HEAPF32.subarray(at, at + CEPSTRA);
  }
}

/** What reads the engine's memory knows the structures of 0.6 only. */
export function notAsIn06(): Failure {
  return new Failure('soundswallower is not laid out as in 0.6', { code: 'bad-engine', blame: 'us' });
}
