import { Failure } from '../core/errors.ts';

export const SMALL_NUMBERS = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen'
).split(' ');
/** Index is the tens digit. */
export const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const SCALES: readonly [string, number][] = [
  ['billion', 1e9],
  ['million', 1e6],
  ['thousand', 1e3],
];
const LARGEST = 1e12;

const smallValue = new Map(SMALL_NUMBERS.map((word, value) => [word, value]));
const tensValue = new Map(TENS.flatMap((word, digit) => (word === '' ? [] : [[word, digit * 10] as const])));
const scaleValue = new Map(SCALES);

/** A whole number in words, the American way: 1204 is "one thousand two hundred four". Below 1e12, else a Failure. */
export function cardinalWords(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) >= LARGEST) {
    throw new Failure(`cannot say the number ${value}`, { code: 'unspeakable-number', blame: 'us' });
  }
  if (value < 0) return `minus ${cardinalWords(-value)}`;
  if (value < 20) return SMALL_NUMBERS[value]!;
  if (value < 100) return [TENS[Math.floor(value / 10)], value % 10 ? SMALL_NUMBERS[value % 10] : ''].join(' ').trim();
  if (value < 1000) return withRest(`${SMALL_NUMBERS[Math.floor(value / 100)]} hundred`, value % 100);
  const [name, size] = SCALES.find(([, size]) => value >= size)!;
  return withRest(`${cardinalWords(Math.floor(value / size))} ${name}`, value % size);
}

function withRest(head: string, rest: number): string {
  return rest === 0 ? head : `${head} ${cardinalWords(rest)}`;
}

export interface ParsedNumber {
  value: number;
  /** Index of the first word behind the number. */
  next: number;
}

/** A number below a hundred at `words[at]`: "seven", "nineteen", "forty", "forty seven". */
export function parseBelowHundred(words: readonly string[], at: number): ParsedNumber | undefined {
  const word = words[at] ?? '';
  const tens = tensValue.get(word);
  if (tens !== undefined) {
    const unit = smallValue.get(words[at + 1] ?? '');
    if (unit !== undefined && unit > 0 && unit < 10) return { value: tens + unit, next: at + 2 };
    return { value: tens, next: at + 1 };
  }
  const small = smallValue.get(word);
  return small === undefined ? undefined : { value: small, next: at + 1 };
}

/** The longest whole number in words or figures at `words[at]`: "two thousand five hundred and eighty", "a hundred", "12". */
export function parseCardinal(words: readonly string[], at: number): ParsedNumber | undefined {
  if (/^\d+$/.test(words[at] ?? '')) return { value: Number(words[at]), next: at + 1 };
  let total = 0;
  let limit = Number.POSITIVE_INFINITY;
  let next = at;
  let found = false;
  for (;;) {
    const start = found && words[next] === 'and' ? next + 1 : next;
    const group = parseBelowThousand(words, start);
    if (group === undefined) break;
    const scale = scaleValue.get(words[group.next] ?? '');
    if (scale !== undefined && scale < limit) {
      total += group.value * scale;
      limit = scale;
      next = group.next + 1;
      found = true;
      continue;
    }
    // "two thousand nineteen" is one number, "five nineteen" is two; nothing larger than the scale may follow it.
    if (group.value >= limit) break;
    return { value: total + group.value, next: group.next };
  }
  return found ? { value: total, next } : undefined;
}

function parseBelowThousand(words: readonly string[], at: number): ParsedNumber | undefined {
  const one = words[at] === 'a' && /^(hundred|thousand|million|billion)$/.test(words[at + 1] ?? '');
  const head = one ? { value: 1, next: at + 1 } : parseBelowHundred(words, at);
  if (head === undefined || words[head.next] !== 'hundred' || head.value === 0) return head;
  const behind = head.next + 1;
  const rest = parseBelowHundred(words, words[behind] === 'and' ? behind + 1 : behind);
  if (rest === undefined || rest.value === 0) return { value: head.value * 100, next: behind };
  return { value: head.value * 100 + rest.value, next: rest.next };
}
