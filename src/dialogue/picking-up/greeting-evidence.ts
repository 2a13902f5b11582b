import type { Ms } from '../../core/clock.ts';
import { FREE_WORD_WEIGHTS } from './free-word-weights.ts';
import { wordFeatures } from './free-words.ts';
import { GREETING_WEIGHTS } from './greeting-weights.ts';
import { GREETING_PHRASES } from './greeting-words.ts';

/**
 * When it is judged: in a silence behind the first words, when the time to decide is over, or later, while what was
 * presumed may still be taken back.
 */
export type JudgedAt = 'pause' | 'limit' | 'later';

/** What has been heard since the answer. */
export interface GreetingSoFar {
  at: JudgedAt;
  /** From the first speech to the end of the last, or until now while it goes on. */
  lengthMs: Ms;
  /** The silences in it. */
  pausesMs: readonly Ms[];
  /** Since the end of the last speech; 0 while it goes on. */
  silenceMs: Ms;
  /** Words as the recogniser gives them, lower case. */
  text: string;
  /** Likewise what was said in any words; undefined: nobody has listened for that, or it is not known yet. */
  free?: string | undefined;
}

/** What a greeting is judged by, by name; `scripts/eval/answerers.ts` finds out how much each is worth. */
export function greetingFeatures(greeting: GreetingSoFar): Map<string, number> {
  const features = timeFeatures(greeting);
  for (const phrase of phrasesIn(greeting.text)) features.set(phrase, 1);
  return features;
}

/** What counts besides where it was heard in any words: those, and time once more, which now says something else. */
export function freeFeatures(greeting: GreetingSoFar): Map<string, number> {
  const { at, lengthMs, free } = greeting;
  if (free === undefined) return new Map();
  const features = timeFeatures(greeting);
  features.set(`${at} free words`, density(free, lengthMs));
  for (const name of wordFeatures(free)) features.set(`~${name}`, 1);
  return features;
}

function timeFeatures({ at, lengthMs, pausesMs, silenceMs, text }: GreetingSoFar): Map<string, number> {
  return new Map<string, number>([
    [at, 1],
    [`${at} length`, lengthMs / 1000],
    [`${at} pauses`, pausesMs.length],
    [`${at} longest pause`, Math.max(0, ...pausesMs) / 1000],
    [`${at} silence`, silenceMs / 1000],
    // So much speech of which so little is known.
    [`${at} words`, density(text, lengthMs)],
  ]);
}

/** Words per second. */
function density(text: string, lengthMs: Ms): number {
  return text === '' ? 0 : text.split(' ').length / Math.max(1, lengthMs / 1000);
}

/** Log odds of a machine: above 0 it is one rather than a person. */
export function machineOdds(greeting: GreetingSoFar): number {
  let odds = 0;
  for (const [name, value] of greetingFeatures(greeting)) odds += value * (GREETING_WEIGHTS[name] ?? 0);
  for (const [name, value] of freeFeatures(greeting)) odds += value * (FREE_WORD_WEIGHTS.get(name) ?? 0);
  return odds;
}

/** The same by words alone, which need not wait for the end. */
export function spokenOdds(text: string, free = ''): number {
  const known = phrasesIn(text).reduce((odds, phrase) => odds + (GREETING_WEIGHTS[phrase] ?? 0), 0);
  return wordFeatures(free).reduce((odds, name) => odds + (FREE_WORD_WEIGHTS.get(`~${name}`) ?? 0), known);
}

function phrasesIn(text: string): string[] {
  const heard = ` ${text} `;
  return GREETING_PHRASES.filter((phrase) => heard.includes(` ${phrase} `));
}
