import { endsInAbbreviation } from '../../sentences/abbreviations.ts';

/** Up to here a sentence is said in one piece: about 2.5 s of speech, 30 ms of synthesis. */
const SHORT = 45;
/** No piece is shorter than this, so that the voice does not chop. */
const LEAST = 12;
/** Without any punctuation a piece this long is divided before a word that can begin a phrase. */
const LONG = 90;

/** Longer is no piece, whatever its words are: it would be waited for, and the voice be busy for seconds of other calls. */
const MOST = 140;

const SENTENCE_END = /[.!?…]["')\]]*$/;
const CLAUSE_END = /[,;:–—]["')\]]*$/;
const PHRASE_START = /^(?:and|or|but|because|so|which|who|that|when|where|while|if|until|for|with|from|to|at)$/i;

/**
 * Divides a text into pieces to be synthesized one after the other, so that the first sound comes early: at every
 * sentence end, and in long sentences at clause ends. The pieces' words are the text's words, in order.
 */
export function splitClauses(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return sentences(words).flatMap(divide);
}

function sentences(words: readonly string[]): string[][] {
  const found: string[][] = [];
  let current: string[] = [];
  words.forEach((word, index) => {
    current.push(word);
    const next = words[index + 1];
    const ends = SENTENCE_END.test(word) && !endsInAbbreviation(word);
    if (next === undefined || (ends && /[\p{L}\p{N}]/u.test(current.join('')))) {
      found.push(current);
      current = [];
    }
  });
  return found;
}

function divide(sentence: readonly string[]): string[] {
  const pieces: string[] = [];
  let current: string[] = [];
  let left = sentence.join(' ').length;
  if (left <= SHORT) return [sentence.join(' ')];
  sentence.forEach((word, index) => {
    current.push(word);
    left -= word.length + 1;
    const length = current.join(' ').length;
    const next = sentence[index + 1];
    if (next === undefined || length < LEAST || left < LEAST) return;
    const divides = CLAUSE_END.test(word) || (length + left > LONG && length > SHORT && PHRASE_START.test(next));
    if (divides || length + 1 + next.length > MOST) {
      pieces.push(current.join(' '));
      current = [];
    }
  });
  if (current.length > 0) pieces.push(current.join(' '));
  return pieces;
}

/** Does the piece end a sentence (the voice then rests longer than at a comma). */
export function endsSentence(piece: string): boolean {
  return !CLAUSE_END.test(piece) && SENTENCE_END.test(piece);
}
