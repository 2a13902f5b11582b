import llamaTokenizer from 'llama-tokenizer-js';
import { Dither } from '../noise/dither.ts';
import type { HeardSound, MoonshineModel } from './moonshine-model.ts';
import { asWritten } from './plain-words.ts';

/** The model knows its English: so much of what it expects of a sentence where nothing was said is taken off. */
const EXPECTED = 0.3;
/** Sentences of which that is known; the oldest is forgotten. */
const KNOWN = 5000;
/** A second of a quiet line. */
const NOTHING_SAID = 8000;

/**
 * How well sentences fit what was heard: mean ln P of their tokens by the sound, less a part of that by no sound (what the
 * decoder learned of the language; density ratio, arXiv 2002.11268). What was said has some 2, nothing in common is below -1.
 */
export class SentenceFit {
  readonly #model: MoonshineModel;
  readonly #expected = new Map<string, number>();
  #silence: HeardSound | undefined;

  constructor(model: MoonshineModel) {
    this.#model = model;
  }

  /** Lower-case words. One run of the decoder, and another one for those that are asked about for the first time. */
  async of(heard: HeardSound, sentences: readonly string[]): Promise<number[]> {
    const fresh = sentences.filter((sentence) => !this.#expected.has(sentence));
    if (fresh.length > 0) {
      this.#silence ??= await this.#model.hear(new Dither().over(new Int16Array(NOTHING_SAID)));
      const means = await this.#means(this.#silence!, fresh);
      fresh.forEach((sentence, i) => {
        this.#expected.set(sentence, means[i]!);
      });
    }
    const means = await this.#means(heard, sentences);
    const fits = means.map((mean, i) => mean - EXPECTED * this.#expected.get(sentences[i]!)!);
    this.#forget();
    return fits;
  }

  async #means(heard: HeardSound, sentences: readonly string[]): Promise<number[]> {
    const tokens = sentences.map((sentence) => llamaTokenizer.encode(asWritten(sentence), false, true));
    const likelihoods = await this.#model.fit(heard, tokens);
    // with an end behind them
    return likelihoods.map((likelihood, i) => likelihood / (tokens[i]!.length + 1));
  }

  #forget(): void {
    const tooMany = Math.max(0, this.#expected.size - KNOWN);
    for (const sentence of [...this.#expected.keys()].slice(0, tooMany)) this.#expected.delete(sentence);
  }
}
