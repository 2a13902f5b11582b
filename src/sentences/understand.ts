import { parseCardinal, SMALL_NUMBERS } from './number-words.ts';
import { digitsOf } from './spoken-digits.ts';
import { wordsOf } from './words.ts';

export { yesNo } from './yes-no.ts';

/**
 * The digits in what was said or typed, in order: "four seven one nine two oh", "double four", "47 19 20",
 * "forty seven nineteen twenty" (471920), "two thousand five hundred eighty" (2580). Other words are passed over;
 * after "sorry", "I mean" and the like the number starts again. '' when there is none.
 */
export function digitsIn(text: string): string {
  return digitsOf(wordsOf(text));
}

/** The first number in the text: "the last five", "twenty-five", "1,204.50", "minus three", "two point five". */
export function numberIn(text: string): number | undefined {
  const figures = /(?<![\p{L}\p{N}.])([-\u2212])?(\d+(?:,\d{3})*(?:\.\d+)?)(?![\p{L}\p{N}])/u.exec(text);
  const words = wordsOf(text);
  for (let at = 0; at < words.length; at++) {
    // Figures may hold a fraction, which words have lost.
    if (/^\d/.test(words[at]!) && figures) return Number(`${figures[1] ? '-' : ''}${figures[2]!.replaceAll(',', '')}`);
    const found = words[at] === 'couple' ? { value: 2, next: at + 1 } : parseCardinal(words, at);
    if (found === undefined) continue;
    const fraction = words[found.next] === 'point' ? fractionAt(words, found.next + 1) : '';
    const value = Number(`${found.value}${fraction === '' ? '' : `.${fraction}`}`);
    return words[at - 1] === 'minus' || words[at - 1] === 'negative' ? -value : value;
  }
  return undefined;
}

function fractionAt(words: readonly string[], at: number): string {
  let digits = '';
  for (let next = at; next < words.length; next++) {
    const value = words[next] === 'oh' ? 0 : SMALL_NUMBERS.indexOf(words[next]!);
    if (value < 0 || value > 9) break;
    digits += value;
  }
  return digits;
}
