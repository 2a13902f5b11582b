import { cardinalWords, SMALL_NUMBERS } from '../../src/sentences/number-words.ts';

/** Ways people say a string of digits; `choices` decides between "oh" and "zero" and where doubles are used. */
export function spokenForms(digits: string, choices: readonly number[] = []): string[] {
  const chosen = (at: number) => (choices[at % Math.max(1, choices.length)] ?? at) % 2 === 1;
  const digit = (value: string, at: number) => (value === '0' && chosen(at) ? 'oh' : SMALL_NUMBERS[Number(value)]!);
  const forms = [[...digits].map(digit).join(' '), inDoubles(digits, digit)];
  if (digits.length % 2 === 0) forms.push(inPairs(digits, digit));
  return forms;
}

function inDoubles(digits: string, digit: (value: string, at: number) => string): string {
  const words: string[] = [];
  for (let at = 0; at < digits.length; ) {
    const run = /^(.)\1{0,2}/.exec(digits.slice(at))![0].length;
    words.push(...(run === 1 ? [] : [run === 2 ? 'double' : 'triple']), digit(digits[at]!, at));
    at += run;
  }
  return words.join(' ');
}

function inPairs(digits: string, digit: (value: string, at: number) => string): string {
  const words: string[] = [];
  for (let at = 0; at < digits.length; at += 2) {
    const [first, second] = [digits[at]!, digits[at + 1]!];
    words.push(first === '0' ? `${digit(first, at)} ${digit(second, at + 1)}` : cardinalWords(Number(first + second)));
  }
  return words.join(' ');
}
