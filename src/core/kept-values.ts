import { deserialize, serialize } from 'node:v8';
import { KeptFiles } from './kept-files.ts';

/** As KeptFiles, of values in V8's own format: their key must tell which V8 and which of our sources made them (made-by.ts). */
export class KeptValues<T> {
  readonly #files: KeptFiles;

  constructor(folder: string, limitBytes: number) {
    this.#files = new KeptFiles(folder, limitBytes);
  }

  get(key: readonly string[]): T | undefined {
    return this.#files.get(key, (bytes) => deserialize(bytes) as T);
  }

  put(key: readonly string[], value: T): void {
    this.#files.put(key, [serialize(value)]);
  }
}
