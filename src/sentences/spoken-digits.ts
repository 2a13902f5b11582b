import { parseBelowHundred, parseCardinal, SMALL_NUMBERS } from './number-words.ts';
import { firstPhraseAt } from './words.ts';

const ZERO = new Set(['oh', 'o', 'nought', 'naught', 'nil']);
const REPEATS: Readonly<Record<string, number>> = { double: 2, triple: 3, treble: 3, quadruple: 4 };
/** Heard for a digit where digits stand on both sides. */
const SOUNDS_LIKE: Readonly<Record<string, string>> = {
  to: '2',
  too: '2',
  for: '4',
  fore: '4',
  ate: '8',
  won: '1',
  owe: '0',
};
/** Words that do not part a number. */
const BETWEEN = new Set(['um', 'uh', 'er', 'erm', 'hmm', 'and', 'then', 'dash', 'hyphen', 'space', 'followed', 'by']);
/** The caller starts again: what came before does not count. */
const RESTARTS = [
  ['sorry'],
  ['i', 'mean'],
  ['correction'],
  ['scratch', 'that'],
  ['start', 'again'],
  ['no', 'wait'],
  ['wait', 'no'],
];

export interface DigitUnit {
  digits: string;
  /** Index of the first word behind it. */
  next: number;
}

/** The piece of a spoken number at `words[at]`: "four", "oh", "double four", "forty seven", "two hundred", "4719". */
export function digitUnit(words: readonly string[], at: number): DigitUnit | undefined {
  const word = words[at] ?? '';
  if (/^\d+$/.test(word)) return { digits: word, next: at + 1 };
  if (ZERO.has(word)) return { digits: '0', next: at + 1 };
  const times = repeatsDigit(word) ? REPEATS[word] : undefined;
  if (times !== undefined) {
    const digit = singleDigit(words[at + 1] ?? '');
    return digit === undefined ? undefined : { digits: digit.repeat(times), next: at + 2 };
  }
  const small = parseBelowHundred(words, at);
  if (small === undefined) return undefined;
  const whole = parseCardinal(words, at);
  const number = whole !== undefined && /^(hundred|thousand)$/.test(words[small.next] ?? '') ? whole : small;
  return { digits: String(number.value), next: number.next };
}

/** The same, also where a digit was heard as another word that stands among digits: "nine two to zero". */
export function heardDigits(words: readonly string[], at: number): DigitUnit | undefined {
  return digitUnit(words, at) ?? soundAlike(words, at);
}

function singleDigit(word: string): string | undefined {
  if (ZERO.has(word)) return '0';
  if (/^\d$/.test(word)) return word;
  const value = SMALL_NUMBERS.indexOf(word);
  return value >= 0 && value < 10 ? String(value) : undefined;
}

/** Does the word merely stand between the pieces of a number? */
export function partsNoNumber(word: string): boolean {
  return BETWEEN.has(word);
}

/** Does the word say that the digit behind it comes more than once? */
export function repeatsDigit(word: string): boolean {
  return Object.hasOwn(REPEATS, word);
}

/** How many words at `words[at]` say that the caller starts again; 0 when they do not. */
export function restartAt(words: readonly string[], at: number): number {
  return firstPhraseAt(RESTARTS, words, at)?.length ?? 0;
}

/** Digits in words already normalised; see digitsIn. */
export function digitsOf(words: readonly string[]): string {
  let digits = '';
  for (let at = 0; at < words.length; ) {
    const restart = restartAt(words, at);
    if (restart > 0) {
      // "… oh, sorry" at the very end takes nothing back.
      if (words.slice(at).some((_, offset) => digitUnit(words, at + offset) !== undefined)) digits = '';
      at += restart;
      continue;
    }
    const unit = heardDigits(words, at);
    if (unit === undefined) at++;
    else {
      digits += unit.digits;
      at = unit.next;
    }
  }
  return digits;
}

/** Is a digit sometimes heard as this word? */
export function soundsLikeDigit(word: string): boolean {
  return Object.hasOwn(SOUNDS_LIKE, word);
}

function soundAlike(words: readonly string[], at: number): DigitUnit | undefined {
  const word = words[at] ?? '';
  if (!soundsLikeDigit(word)) return undefined;
  const left = at === 0 || singleDigit(words[at - 1]!) !== undefined;
  const right = at + 1 === words.length || singleDigit(words[at + 1]!) !== undefined;
  return left && right && words.length > 1 ? { digits: SOUNDS_LIKE[word]!, next: at + 1 } : undefined;
}
