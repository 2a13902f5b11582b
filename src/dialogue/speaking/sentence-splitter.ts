import { endsInAbbreviation } from '../../sentences/abbreviations.ts';

const SENTENCE_END = /[.!?…]+["')\]]*(?=\s)|\n+/g;
/** A sentence longer than this is handed on at its last comma, so that speaking can begin. */
const LONG = 220;

/** The sentences of a whole text. */
export function sentencesOf(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}

/**
 * Cuts text that arrives in pieces (tokens) into sentences, each as early as its end is certain: a full stop counts
 * only when white space follows it, so "1.5" and a token boundary after "Mr." do not split.
 */
export class SentenceSplitter {
  #buffer = '';

  /** The sentences that this piece has completed, in order, trimmed, none empty. */
  push(piece: string): string[] {
    this.#buffer += piece;
    const sentences: string[] = [];
    let from = 0;
    SENTENCE_END.lastIndex = 0;
    for (let end = SENTENCE_END.exec(this.#buffer); end; end = SENTENCE_END.exec(this.#buffer)) {
      const stop = end.index + end[0].length;
      const candidate = this.#buffer.slice(from, stop);
      if (!end[0].startsWith('\n') && endsInAbbreviation(candidate)) continue;
      if (candidate.trim() !== '') sentences.push(candidate.trim());
      from = stop;
    }
    this.#buffer = this.#buffer.slice(from);
    if (this.#buffer.length > LONG) {
      const comma = this.#buffer.lastIndexOf(', ', LONG);
      if (comma > 0) {
        sentences.push(this.#buffer.slice(0, comma + 1).trim());
        this.#buffer = this.#buffer.slice(comma + 1);
      }
    }
    return sentences;
  }

  /** What is left when the text has ended. */
  flush(): string[] {
    const rest = this.#buffer.trim();
    this.#buffer = '';
    return rest === '' ? [] : [rest];
  }
}
