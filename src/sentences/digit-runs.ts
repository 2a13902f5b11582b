import {
  type DigitUnit,
  heardDigits,
  partsNoNumber,
  repeatsDigit,
  restartAt,
  soundsLikeDigit,
} from './spoken-digits.ts';
import { plainLetters } from './words.ts';

/** A word of a text, as wordsOf gives it, and where it stands in the text. */
export interface PlacedWord {
  word: string;
  from: number;
  to: number;
}

/** Words `first` to `next` (not included) that are one number read out, and its digits. */
export interface DigitRun {
  digits: string;
  first: number;
  next: number;
}

/** Between the pieces of a number at most so many words that are none of it: "um, er", "double, um". */
const MOST_BETWEEN = 3;

/** As wordsOf, but for commas inside figures, which part words here, each with its place. */
export function placedWords(text: string): PlacedWord[] {
  return [...text.matchAll(/[\p{L}\p{N}\p{M}]+(?:['\u2018\u2019\u02bc`][\p{L}\p{N}\p{M}]+)*/gu)].map((match) => ({
    word: plainLetters(match[0]),
    from: match.index,
    to: match.index + match[0].length,
  }));
}

/**
 * The numbers read out among `words`, in order: every digit that digitsIn finds, however it is said, is in one of them.
 * Hesitations and fresh starts part no number. `barred`: words that are no part of a number, whatever they sound like.
 */
export function digitRuns(words: readonly string[], barred: (at: number) => boolean = () => false): DigitRun[] {
  const open = words.map((word, at) => (barred(at) ? '' : word));
  const runs: DigitRun[] = [];
  for (let at = 0; at < open.length; ) {
    const run = runAt(open, at);
    if (run) runs.push(run);
    at = run?.next ?? at + 1;
  }
  return runs;
}

/** The same with the words beside it that may have been digits, too: "is for seven one nine". */
export function withSoundAlikes(words: readonly string[], run: DigitRun): DigitRun {
  const first = soundsLikeDigit(words[run.first - 1] ?? '') ? run.first - 1 : run.first;
  const next = soundsLikeDigit(words[run.next] ?? '') ? run.next + 1 : run.next;
  return { ...run, first, next };
}

function runAt(words: readonly string[], first: number): DigitRun | undefined {
  let digits = '';
  let next = first;
  for (let unit = heardDigits(words, first); unit !== undefined; unit = pieceBehind(words, next)) {
    digits += unit.digits;
    next = unit.next;
  }
  return digits === '' ? undefined : { digits, first, next };
}

/** The next piece of the number, when it goes on. */
function pieceBehind(words: readonly string[], from: number): DigitUnit | undefined {
  let at = from;
  for (let between = 0; between <= MOST_BETWEEN; between++) {
    const unit = heardDigits(words, at);
    if (unit !== undefined) return unit;
    const restart = restartAt(words, at);
    const word = words[at] ?? '';
    if (restart === 0 && !partsNoNumber(word) && !repeatsDigit(word)) return undefined;
    at += Math.max(1, restart);
  }
  return undefined;
}
