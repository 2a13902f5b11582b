import { deserialize, serialize } from 'node:v8';
import { KeptFiles } from '../../core/kept-files.ts';
import type { EngineImage } from './engine-image.ts';

/** Two of them: that of the version before goes when a third comes. */
const LIMIT_BYTES = 40 << 20;

/**
 * A started engine, on disk, as its memory holds it (15 MB): starting one takes a quarter of a second, reading it a tenth of that.
 */
export class KeptEngine {
  readonly #files: KeptFiles;
  readonly #madeBy: string;

  /** `madeBy`: of engineMadeBy. */
  constructor(folder: string, madeBy: string) {
    this.#files = new KeptFiles(folder, LIMIT_BYTES);
    this.#madeBy = madeBy;
  }

  get(): EngineImage | undefined {
    return this.#files.get([this.#madeBy], (bytes) => deserialize(bytes) as EngineImage);
  }

  put(image: EngineImage): void {
    this.#files.put([this.#madeBy], [serialize(image)]);
  }
}
