import { SMALL_NUMBERS, TENS } from '../sentences/number-words.ts';

/**
 * Secrets that nobody asked for, in the middle of a sentence: "my pin is one two three four". What was asked for is kept
 * out by the question itself; this finds the rest, so that neither transcript, nor history, nor recording has them.
 */

/** Ends what stands in a secret's place. */
export const NOT_SHOWN = 'not shown]';

const DIGITS = [
  ...SMALL_NUMBERS,
  ...TENS.filter(Boolean),
  ...['oh', 'hundred', 'double', 'triple', 'treble', '\\d[\\d-]*'],
].join('|');
const NUMBER = `(?:${DIGITS})(?:[\\s,-]+(?:${DIGITS}))*`;
const NAMES =
  'pin(?: code| number)?|pass ?code|password|security code|c ?v ?[vc]|one[- ]time (?:code|password)|o ?t ?p';
/** Between the name and the number: "is", "number is actually". */
const BETWEEN = `(?:[\\s,:]+(?!(?:${DIGITS})\\b)[a-z']+){0,4}[\\s,:]+`;

const NAMED_FIRST = new RegExp(`\\b(${NAMES})\\b(${BETWEEN})(${NUMBER})\\b`, 'gi');
const NAMED_LAST = new RegExp(
  `\\b(${NUMBER})\\b((?:[\\s,]+(?:is|that|that's|was|for|as))?[\\s,]+(?:my|the|our)[\\s,]+)(${NAMES})\\b`,
  'gi',
);
const ANY_NUMBER = new RegExp(`\\b${NUMBER}\\b`, 'gi');
/** Card numbers have 13 digits and more. */
const LONG = 13;
const SHORTEST = 3;

/** The text with `[pin, not shown]` in the place of what must not be known. */
export function withoutSpokenSecrets(text: string): string {
  return text
    .replace(NAMED_FIRST, (whole, name: string, between: string, number: string) =>
      digitsOf(number) < SHORTEST ? whole : `${name}${between}${hidden(name)}`,
    )
    .replace(NAMED_LAST, (whole, number: string, between: string, name: string) =>
      digitsOf(number) < SHORTEST ? whole : `${hidden(name)}${between}${name}`,
    )
    .replace(ANY_NUMBER, (number) => (digitsOf(number) < LONG ? number : hidden('card number')));
}

/** Is there something in this line of the transcript that is not shown? */
export function hidesSomething(line: string): boolean {
  return line.includes(NOT_SHOWN);
}

const hidden = (name: string): string => `[${name.toLowerCase()}, ${NOT_SHOWN}`;

/** About how many digits it is: each word is one at least. */
function digitsOf(number: string): number {
  return number.split(/[\s,]+/).reduce((sum, word) => {
    if (/\d/.test(word)) return sum + word.replace(/\D/g, '').length;
    return sum + (/teen$|ty$|^ten$|^eleven$|^twelve$/i.test(word) ? 2 : 1);
  }, 0);
}
