import { Failure } from '../../core/errors.ts';
import { soundsOf } from '../../sentences/letter-to-sound.ts';
import type { SpeechHints } from '../ports.ts';
import { pronunciationsOf } from './accents.ts';
import type { Dictionary } from './dictionary.ts';
import { parseJsgf } from './jsgf.ts';
import { type WordGraph, wordGraph } from './word-graph.ts';

/** A grammar ready for a decoder. */
export interface CompiledGrammar {
  key: string;
  graph: WordGraph;
  /** Number of its arcs. */
  size: number;
  /** What the engine's dictionary must hold: word, then pronunciation; further ones as `word(2)`. */
  entries: readonly (readonly [string, string])[];
  /** Number of sounds by dictionary entry. */
  phones: ReadonlyMap<string, number>;
}

const LIMIT = 200;

/** Grammars by key, the least recently used go first. One per worker thread. */
export class GrammarCache {
  readonly #dictionary: Dictionary;
  readonly #compiled = new Map<string, CompiledGrammar>();

  constructor(dictionary: Dictionary) {
    this.#dictionary = dictionary;
  }

  /** Throws Failure bad-grammar, or unpronounceable-word naming the word. */
  get(hints: Pick<SpeechHints, 'key' | 'jsgf'>): CompiledGrammar {
    const compiled = this.#compiled.get(hints.key) ?? this.#compile(hints);
    this.put(compiled);
    return compiled;
  }

  /** One that was compiled before. */
  put(compiled: CompiledGrammar): void {
    this.#compiled.delete(compiled.key);
    this.#compiled.set(compiled.key, compiled);
    if (this.#compiled.size > LIMIT) this.#compiled.delete(this.#compiled.keys().next().value!);
  }

  #compile({ key, jsgf }: Pick<SpeechHints, 'key' | 'jsgf'>): CompiledGrammar {
    const grammar = parseJsgf(jsgf);
    const entries = grammar.words.flatMap((word) => {
      return pronunciationsOf(word, this.#pronunciations(word)).map((sounds, index): [string, string] => [
        index === 0 ? word : `${word}(${index + 1})`,
        sounds,
      ]);
    });
    const graph = wordGraph(grammar);
    return {
      key,
      graph,
      size: graph.reduce((sum, { arcs }) => sum + arcs.length, 0),
      entries,
      phones: new Map(entries.map(([word, sounds]) => [word, sounds.split(' ').length])),
    };
  }

  #pronunciations(word: string): string[] {
    const known = this.#dictionary.lookup(word);
    if (known.length > 0) return known;
    // "customer's": the word, and the ending it takes
    const owner = /^(.+)'s$/.exec(word)?.[1];
    const owned = owner === undefined ? [] : this.#dictionary.lookup(owner);
    if (owned.length > 0) return owned.map((sounds) => `${sounds} Z`);
    const guessed = soundsOf(word);
    if (guessed !== undefined) return [guessed];
    throw new Failure(`speech grammar: nobody can pronounce "${word}"`, { code: 'unpronounceable-word', blame: 'us' });
  }
}
