import { type DigitRun, digitRuns, type PlacedWord, placedWords, withSoundAlikes } from '../../sentences/digit-runs.ts';
import { partsNoNumber } from '../../sentences/spoken-digits.ts';
import { firstPhraseAt } from '../../sentences/words.ts';

/**
 * Secrets that nobody asked for, in the middle of a sentence: "my pin is one two three four". What was asked for is kept
 * out by the question itself; this finds the rest, so that neither transcript, nor history, nor recording has them.
 * Digits are what the rest of the program understands as digits (sentences/spoken-digits.ts).
 */

/** Ends what stands in a secret's place. */
export const NOT_SHOWN = 'not shown]';

const NAMES = [
  ...['pin', 'pin code', 'pin number', 'passcode', 'pass code', 'password', 'security code'],
  ...['cvv', 'cvc', 'cv v', 'cv c', 'c vv', 'c vc', 'c v v', 'c v c'],
  ...['one time code', 'one time password', 'otp', 'ot p', 'o tp', 'o t p'],
]
  .map((name) => name.split(' '))
  .toSorted((a, b) => b.length - a.length);
/** Between the name and the number stand at most so many words: "number is actually". */
const MOST_BETWEEN = 4;
/** Between the number and the name: "one two three four, that was my pin". */
const BEHIND: readonly (readonly string[])[] = [
  [],
  ...['is', 'that', "that's", 'was', 'for', 'as', 'that is', 'that was'].map((words) => words.split(' ')),
];
const OWNERS = new Set(['my', 'the', 'our']);
/** Card numbers have 13 digits and more. */
const LONG = 13;
const SHORTEST = 3;
/** Of a secret that was asked for the caller may give a part and pause. */
const SHORTEST_ANSWER = 2;
/** One-time codes have up to eight digits; numbers of telephones and accounts mostly more. */
const LONGEST_CODE = 8;
const WHOLE_NUMBERS = new Set(['hundred', 'thousand', 'million']);
/** What has fewer digits than any PIN may lack some that were heard as other words. */
const SHORTEST_PIN = 4;

/** Words `first` to `next` (not included). */
interface Stretch {
  first: number;
  next: number;
}

/** The text with `[pin, not shown]` in the place of what must not be known. */
export function withoutSpokenSecrets(text: string): string {
  const placed = placedWords(text);
  const words = placed.map(({ word }) => word);
  const shown = notShownIn(text, placed);
  const names = namesIn(words).filter((name) => !shown(name.first));
  const named = (at: number) => names.some(({ first, next }) => at >= first && at < next);
  const runs = digitRuns(words, (at) => named(at) || shown(at));
  let hidden = '';
  let done = 0;
  for (const [i, run] of runs.entries()) {
    const free = { from: runs[i - 1]?.next ?? 0, blocked: shown };
    const name =
      run.digits.length < SHORTEST ? undefined : (nameBehind(names, run, words) ?? nameBefore(names, run, free));
    if (!name && run.digits.length < LONG) continue;
    const whole = name && run.digits.length < SHORTEST_PIN ? withSoundAlikes(words, run) : run;
    const label = name ? text.slice(placed[name.first]!.from, placed[name.next - 1]!.to).toLowerCase() : 'card number';
    hidden += `${text.slice(done, placed[whole.first]!.from)}[${label}, ${NOT_SHOWN}`;
    done = placed[whole.next - 1]!.to;
  }
  return hidden + text.slice(done);
}

/**
 * The same for what people say to each other, where nobody knows what was asked for: digits behind a line that speaks of a
 * secret ("what is your PIN?") are that secret, though the line itself does not say so, and a number read out digit by digit
 * is none that must be known, if it is as short as a PIN or a code: the question may have been misheard. `before`: the lines
 * before it, the latest last.
 */
export function withoutAnsweredSecrets(text: string, before: readonly string[]): string {
  const hidden = withoutSpokenSecrets(text);
  const asked = before.map(secretNamed).findLast((name) => name !== undefined);
  const placed = placedWords(hidden);
  const words = placed.map(({ word }) => word);
  let [answer, done] = ['', 0];
  for (const run of digitRuns(words, notShownIn(hidden, placed))) {
    const asAsked = asked !== undefined && run.digits.length >= SHORTEST_ANSWER;
    if (!asAsked && !looksLikeCode(run, words)) continue;
    answer += `${hidden.slice(done, placed[run.first]!.from)}[${asked ?? 'number'}, ${NOT_SHOWN}`;
    done = placed[run.next - 1]!.to;
  }
  return answer + hidden.slice(done);
}

/** Read out digit by digit, unlike amounts, times and years. */
function looksLikeCode({ digits, first, next }: DigitRun, words: readonly string[]): boolean {
  const short = digits.length >= SHORTEST && digits.length <= LONGEST_CODE;
  return short && next - first >= digits.length && !words.slice(first, next).some((word) => WHOLE_NUMBERS.has(word));
}

/** The last secret a line speaks of without giving it. */
function secretNamed(line: string): string | undefined {
  const placed = placedWords(line);
  const shown = notShownIn(line, placed);
  const name = namesIn(placed.map(({ word }) => word)).findLast(({ first }) => !shown(first));
  return name && line.slice(placed[name.first]!.from, placed[name.next - 1]!.to).toLowerCase();
}

/** Is a number read out in it, of as many digits as a part of a secret may have? */
export function holdsNumber(text: string): boolean {
  const words = placedWords(text).map(({ word }) => word);
  return digitRuns(words).some(({ digits }) => digits.length >= SHORTEST_ANSWER);
}

/** Is there something in this line of the transcript that is not shown? */
export function hidesSomething(line: string): boolean {
  return line.includes(NOT_SHOWN);
}

/** Tells which words stand for something that is not shown already. */
function notShownIn(text: string, placed: readonly PlacedWord[]): (at: number) => boolean {
  const spans = [...text.matchAll(/\[[^\]]*not shown\]/g)].map(
    ({ index, 0: all }) => [index, index + all.length] as const,
  );
  return (at) => spans.some(([from, to]) => placed[at]!.from >= from && placed[at]!.to <= to);
}

function namesIn(words: readonly string[]): Stretch[] {
  const found: Stretch[] = [];
  for (let at = 0; at < words.length; ) {
    const name = firstPhraseAt(NAMES, words, at);
    if (name) found.push({ first: at, next: at + name.length });
    at += name?.length ?? 1;
  }
  return found;
}

/** The name that announces the number: the last one before it, with no other number and nothing hidden between. */
function nameBefore(
  names: readonly Stretch[],
  run: DigitRun,
  { from, blocked }: { from: number; blocked(at: number): boolean },
): Stretch | undefined {
  const name = names.findLast(({ next }) => next <= run.first);
  if (!name || name.first < from || run.first - name.next > MOST_BETWEEN) return undefined;
  for (let at = name.next; at < run.first; at++) if (blocked(at)) return undefined;
  return name;
}

/** The name that says behind the number what it was. */
function nameBehind(names: readonly Stretch[], run: DigitRun, words: readonly string[]): Stretch | undefined {
  const name = names.find(({ first }) => first > run.next);
  if (!name || !OWNERS.has(words[name.first - 1]!)) return undefined;
  const between = words.slice(run.next, name.first - 1).filter((word) => !partsNoNumber(word));
  return BEHIND.some((way) => way.length === between.length && way.every((word, i) => word === between[i]))
    ? name
    : undefined;
}
