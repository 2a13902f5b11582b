import { Failure } from '../core/errors.ts';
import { SMALL_NUMBERS, TENS } from './number-words.ts';

/** Longer numbers are spoken in groups; a "double" does not reach across two of them. */
const GROUP = 4;
const LONGEST_WHOLE = 6;
const LONGEST = 32;

/**
 * JSGF rules for a number of exactly `length` digits, `<digitsN>` on top: each digit, "double" and "triple" digits
 * within it, or, where the length is even, pairs throughout ("forty seven nineteen twenty"). Pairs are less likely by
 * weight: "forty" and "four" sound alike, and most people say digits.
 * The rules grow with the number of ways to part a group, not with the number of digit strings.
 */
export function digitRules(length: number): Map<string, string> {
  if (!Number.isInteger(length) || length < 1 || length > LONGEST) {
    throw new Failure(`a number of ${length} digits cannot be listened for`, { code: 'bad-grammar', blame: 'us' });
  }
  const rules = new Map<string, string>();
  rules.set('digit', `( zero | oh | ${SMALL_NUMBERS.slice(1, 10).join(' | ')} )`);
  const groups = groupsOf(length);
  for (const size of groups) addRun(size, rules);
  const single = groups.map((size) => `<run${size}>`).join(' ');
  if (length % 2 === 0) {
    rules.set('pair', pairs());
    rules.set(
      `digits${length}`,
      `/0.9/ ( ${single} ) | /0.1/ ( ${Array(length / 2)
        .fill('<pair>')
        .join(' ')} )`,
    );
  } else {
    rules.set(`digits${length}`, single);
  }
  return rules;
}

/**
 * What is said of a number of `length` digits by who stops in the middle of it, as alternatives: half of it and more, in
 * a long one whole groups; never all but one, because that is what all of it is misheard as ("two oh" as "zero"). undefined
 * where there is no such middle. Needs the rules of the whole number.
 */
export function beginnings(length: number): string | undefined {
  const groups = groupsOf(length);
  const least = Math.ceil(length / 2);
  const lengths = Array.from({ length: Math.max(0, length - 1 - least) }, (_, i) => least + i);
  const some =
    groups.length === 1
      ? lengths.map((size) => `<run${size}>`)
      : groups.slice(1).flatMap((_, i) => {
          const said = groups.slice(0, i + 1);
          const enough = said.reduce((sum, size) => sum + size, 0) >= least;
          return enough ? [`( ${said.map((size) => `<run${size}>`).join(' ')} )`] : [];
        });
  return some.length === 0 ? undefined : `( ${some.join(' | ')} )`;
}

function groupsOf(length: number): number[] {
  if (length <= LONGEST_WHOLE) return [length];
  const groups: number[] = Array(Math.floor(length / GROUP)).fill(GROUP);
  return length % GROUP === 0 ? groups : [...groups, length % GROUP];
}

function addRun(size: number, rules: Map<string, string>): void {
  for (let left = 1; left <= size; left++) {
    const rest = (used: number) => (left > used ? ` <run${left - used}>` : '');
    const ways = [`/0.8/ ( <digit>${rest(1)} )`];
    if (left >= 2) ways.push(`/0.15/ ( double <digit>${rest(2)} )`);
    if (left >= 3) ways.push(`/0.05/ ( triple <digit>${rest(3)} )`);
    rules.set(`run${left}`, left === 1 ? '<digit>' : ways.join(' | '));
  }
}

function pairs(): string {
  const unit = `( ${SMALL_NUMBERS.slice(1, 10).join(' | ')} )`;
  const tens = TENS.slice(2).join(' | ');
  return `( ${SMALL_NUMBERS.slice(10).join(' | ')} | ( ${tens} ) [ ${unit} ] | ( oh | zero ) <digit> | double <digit> )`;
}
