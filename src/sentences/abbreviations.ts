/** Short forms in front of something: their full stop ends no sentence. */
const IN_FRONT: readonly [string, string][] = [
  ['mr', 'Mister'],
  ['mrs', 'Missus'],
  ['ms', 'Miz'],
  ['prof', 'Professor'],
  ['approx', 'approximately'],
  ['e.g', 'for example'],
  ['i.e', 'that is'],
  ['vs', 'versus'],
  ['incl', 'including'],
  ['excl', 'excluding'],
  ['acct', 'account'],
  ['dept', 'department'],
  ['ext', 'extension'],
  ['tel', 'telephone'],
  ['ref', 'reference'],
  ['avg', 'average'],
];
/** May stand at the end of a sentence, or are written without a full stop. */
const ANYWHERE: readonly [string, string][] = [
  ['etc', 'et cetera'],
  ['w/', 'with'],
  ['w/o', 'without'],
  ['n/a', 'not available'],
  ['a/c', 'account'],
  ['c/o', 'care of'],
  ['p.a', 'a year'],
  ['asap', 'as soon as possible'],
  ['hr', 'hour'],
  ['hrs', 'hours'],
  ['mins', 'minutes'],
  ['secs', 'seconds'],
  ['yr', 'year'],
  ['yrs', 'years'],
  ['txn', 'transaction'],
  ['txns', 'transactions'],
  ['blvd', 'boulevard'],
  ['pm', 'P M'],
  ['p.m', 'P M'],
  ['a.m', 'A M'],
];
/** Ordinary words or names unless a full stop follows. */
const WITH_STOP: readonly [string, string][] = [
  ['jr', 'Junior'],
  ['sr', 'Senior'],
  ['ave', 'avenue'],
  ['rd', 'road'],
  ['apt', 'apartment'],
  ['max', 'maximum'],
  ['inc', 'incorporated'],
  ['ltd', 'limited'],
  ['corp', 'corporation'],
  ['co', 'company'],
  ['mon', 'Monday'],
  ['tue', 'Tuesday'],
  ['tues', 'Tuesday'],
  ['wed', 'Wednesday'],
  ['thu', 'Thursday'],
  ['thurs', 'Thursday'],
  ['fri', 'Friday'],
  ['sat', 'Saturday'],
  ['sun', 'Sunday'],
];

const ALWAYS = new Map([...IN_FRONT, ...ANYWHERE]);
const STOPPED = new Map(WITH_STOP);
const NO_SENTENCE_END = new Set([...IN_FRONT.map(([short]) => short), 'dr', 'st', 'no', 'nos', 'etc', 'a.m', 'p.m']);

/** What an abbreviation stands for; `stop`: a full stop follows it. */
export function abbreviated(word: string, stop: boolean): string | undefined {
  const key = word.toLowerCase();
  return ALWAYS.get(key) ?? (stop ? STOPPED.get(key) : undefined);
}

/** Does the text end in an abbreviation whose full stop ends no sentence? */
export function endsInAbbreviation(text: string): boolean {
  const last = /(?:^|\s)["'(]*([\p{L}.]+)\.$/u.exec(text)?.[1];
  return last !== undefined && NO_SENTENCE_END.has(last.toLowerCase());
}
