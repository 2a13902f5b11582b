/** What it costs when the words heard are not the words expected. 1 is a whole word that matters. */

/** Said around any request: costs next to nothing. */
const FILLERS = new Set(
  (
    'um uh er erm hmm mm ah oh well so like just actually basically please hello hi hey good morning afternoon evening okay ok ' +
    'yes yeah yep no sorry thanks thank now then right also and but quickly maybe perhaps kindly i you me my ' +
    'can could would will may might should shall want need wish like love to know tell help let us if we ' +
    'calling call wondering wanted looking trying ask find out see check about'
  ).split(' '),
);
/** Carry the sentence more than its meaning. */
const FUNCTION_WORDS = new Set(
  (
    'a an the this that these those my your our his her its it i you we he she they me us of for to in on at by with ' +
    'from is are am was were be been do does did has have had can could would will shall should may please and or so ' +
    'any some there here just still yet up out'
  ).split(' '),
);
const NEGATIONS = new Set(['not', 'never', 'without']);
/** "I do not know where my card is" does ask where it is. */
const HARMLESS_AFTER_NEGATION = new Set(
  'know sure understand certain remember see find got get have had receive received seen found arrived come here sorry yet'.split(
    ' ',
  ),
);

const FILLER_COST = 0.03;
const FUNCTION_COST = 0.06;
const OUTSIDE_COST = 0.35;
const INSIDE_COST = 0.5;
/** However long the story before or after a request. */
const SIDE_LIMIT = 0.75;
export const SLOT_MASS = 1.5;
export const MISSING_SLOT_COST = 1.1;

export const FUNCTION_WEIGHT = 0.25;

/** How much a word of a template matters: little for "the", less than all for words that many rules share. */
export function wordWeight(word: string, rulesWithIt: number): number {
  if (FUNCTION_WORDS.has(word)) return FUNCTION_WEIGHT;
  if (rulesWithIt <= 1) return 1;
  return rulesWithIt === 2 ? 0.75 : 0.6;
}

/**
 * A word of the template that was not heard. One that many rules share is not missed less for that: "my card" is not
 * "check my card". And "I have received it" is not "I have not received it".
 */
export function missingCost(word: string, weight: number): number {
  if (NEGATIONS.has(word)) return 10;
  return weight > FUNCTION_WEIGHT ? Math.max(weight, 0.8) : weight;
}

/** An unexpected word inside a sentence; infinite for a "not" that turns it round. */
export function insideCost(words: readonly string[], at: number): number {
  if (turnsRound(words, at)) return Number.POSITIVE_INFINITY;
  return extraCost(words[at]!, INSIDE_COST);
}

function extraCost(word: string, unknown: number): number {
  if (FILLERS.has(word)) return FILLER_COST;
  return FUNCTION_WORDS.has(word) || NEGATIONS.has(word) ? FUNCTION_COST : unknown;
}

function turnsRound(words: readonly string[], at: number): boolean {
  if (!NEGATIONS.has(words[at]!)) return false;
  const next = words
    .slice(at + 1)
    .find((word) => !FILLERS.has(word) || word === 'know' || word === 'find' || word === 'see');
  return next === undefined || !HARMLESS_AFTER_NEGATION.has(next);
}

/** Cost of starting at each word: everything before it is extra. A "not" reaches over fillers to what follows. */
export function leadCosts(words: readonly string[]): number[] {
  let sum = 0;
  let denied = false;
  const costs = [0];
  words.forEach((word, at) => {
    sum = Math.min(SIDE_LIMIT, sum + extraCost(word, OUTSIDE_COST));
    if (NEGATIONS.has(word)) denied = turnsRound(words, at);
    else if (!FILLERS.has(word) && !FUNCTION_WORDS.has(word)) denied = false;
    costs.push(denied ? Number.POSITIVE_INFINITY : sum);
  });
  return costs;
}

/** Cost of ending before each word. "… no, do not" behind a request takes it back. */
export function tailCosts(words: readonly string[]): number[] {
  let sum = 0;
  let only = true;
  let denied = false;
  const costs = [0];
  for (let at = words.length - 1; at >= 0; at--) {
    const word = words[at]!;
    sum = Math.min(SIDE_LIMIT, sum + extraCost(word, OUTSIDE_COST));
    if (NEGATIONS.has(word) && only && turnsRound(words, at)) denied = true;
    if (!FILLERS.has(word) && !FUNCTION_WORDS.has(word) && !NEGATIONS.has(word)) only = false;
    costs.push(denied ? Number.POSITIVE_INFINITY : sum);
  }
  return costs.reverse();
}

/**
 * How unlike the expected word a heard word is: 0 the same, up to 0.3 for another ending or a small error of spelling
 * or hearing, undefined for another word.
 */
export function unlikeness(expected: string, heard: string): number | undefined {
  if (expected === heard) return 0;
  const [a, b] = [expected.replaceAll("'", ''), heard.replaceAll("'", '')];
  if (a === b) return 0;
  if (Math.min(a.length, b.length) < 3 || FUNCTION_WORDS.has(a) || NEGATIONS.has(b) || FILLERS.has(b)) return undefined;
  if (sameStem(a, b)) return 0.1;
  const longest = Math.max(a.length, b.length);
  const allowed = longest >= 8 ? 2 : longest >= 5 ? 1 : 0;
  if (allowed === 0 || Math.abs(a.length - b.length) > allowed || a[0] !== b[0]) return undefined;
  return editDistance(a, b) <= allowed ? 0.3 : undefined;
}

function sameStem(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long.startsWith(short) && /^(s|es|d|ed|ing)$/.test(long.slice(short.length));
}

/** Levenshtein distance with swapped neighbours counted once. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
