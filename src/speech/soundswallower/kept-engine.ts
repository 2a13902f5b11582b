import { KeptValues } from '../../core/kept-values.ts';
import type { EngineImage } from './engine-image.ts';

/** Two of them: that of the version before goes when a third comes. */
const LIMIT_BYTES = 40 << 20;

/**
 * A started engine, on disk, as its memory holds it (15 MB): starting one takes a quarter of a second, reading it a tenth of that.
 */
export class KeptEngine {
  readonly #values: KeptValues<EngineImage>;
  readonly #madeBy: string;

  /** `madeBy`: of engineMadeBy. */
  constructor(folder: string, madeBy: string) {
    this.#values = new KeptValues(folder, LIMIT_BYTES);
    this.#madeBy = madeBy;
  }

  get(): EngineImage | undefined {
    return this.#values.get([this.#madeBy]);
  }

  put(image: EngineImage): void {
    this.#values.put([this.#madeBy], image);
  }
}
