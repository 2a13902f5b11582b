import { readFile } from 'node:fs/promises';

const NEWLINE = 10;

/** Its path, of the models at `modelBase`. */
export const dictionaryIn = (modelBase: string): string => `${modelBase}en-us/dict.txt`;

/**
 * The CMU Pronouncing Dictionary as shipped with soundswallower: 134,784 lines `word PH ON EM`, sorted, further
 * pronunciations right behind as `word(2)`. Kept as bytes and searched in place: 3 MB where a Map takes 25, and the
 * decoders are started with an empty dictionary and given only the words of their grammars (40 ms and about 18 MB each instead of 140 ms and 29 MB).
 */
export class Dictionary {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  static async load(path: string): Promise<Dictionary> {
    return new Dictionary(await readFile(path));
  }

  /** All pronunciations in ARPAbet; none when the word is not in the dictionary. */
  lookup(word: string): string[] {
    const start = this.#find(word);
    if (start === undefined) return [];
    const found: string[] = [];
    for (let at = start; at < this.#bytes.length; at = this.#lineEnd(at) + 1) {
      const line = this.#bytes.toString('latin1', at, this.#lineEnd(at));
      const space = line.indexOf(' ');
      if (baseOf(line.slice(0, space)) !== word) break;
      found.push(line.slice(space + 1).trim());
    }
    return found;
  }

  #find(word: string): number | undefined {
    if (!/^[a-z'.-]+$/.test(word)) return undefined;
    let low = 0;
    let high = this.#bytes.length;
    let first: number | undefined;
    while (low < high) {
      const line = this.#lineStart((low + high) >> 1);
      const here = baseOf(this.#bytes.toString('latin1', line, this.#wordEnd(line)));
      if (here < word) low = this.#lineEnd(line) + 1;
      else {
        if (here === word) first = line;
        high = line;
      }
    }
    if (first !== undefined) return first;
    // one entry of the file stands out of order
    const anywhere = this.#bytes.indexOf(`\n${word} `, 0, 'latin1');
    return anywhere < 0 ? undefined : anywhere + 1;
  }

  #lineStart(at: number): number {
    return at === 0 ? 0 : this.#bytes.lastIndexOf(NEWLINE, at - 1) + 1;
  }

  #lineEnd(at: number): number {
    const end = this.#bytes.indexOf(NEWLINE, at);
    return end < 0 ? this.#bytes.length : end;
  }

  #wordEnd(line: number): number {
    const end = this.#bytes.indexOf(32, line);
    return end < 0 ? this.#bytes.length : end;
  }
}

function baseOf(word: string): string {
  const at = word.indexOf('(');
  return at > 0 ? word.slice(0, at) : word;
}
