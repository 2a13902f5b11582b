import { KeptValues } from '../../core/kept-values.ts';
import type { SpeechHints } from '../ports.ts';
import type { CompiledGrammar } from './grammar-cache.ts';

/** Some hundred large grammars. */
const LIMIT_BYTES = 16 << 20;

type Grammar = Pick<SpeechHints, 'key' | 'jsgf'>;

/**
 * Grammars that bots begin with, compiled, on disk: compiling those of the shipped bot takes a third of a second, at each
 * start. Found by the text of the grammar and by all that compiled it.
 */
export class KeptGrammars {
  readonly #values: KeptValues<CompiledGrammar>;
  readonly #madeBy: string;

  /** `madeBy`: of engineMadeBy. */
  constructor(folder: string, madeBy: string) {
    this.#values = new KeptValues(folder, LIMIT_BYTES);
    this.#madeBy = madeBy;
  }

  get({ key, jsgf }: Grammar): CompiledGrammar | undefined {
    return this.#values.get([this.#madeBy, key, jsgf]);
  }

  put({ key, jsgf }: Grammar, compiled: CompiledGrammar): void {
    this.#values.put([this.#madeBy, key, jsgf], compiled);
  }
}
