import type { Ms } from '../../core/clock.ts';
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
}

/** What a greeting is judged by, by name; `scripts/eval/answerers.ts` finds out how much each is worth. */
export function greetingFeatures({ at, lengthMs, pausesMs, silenceMs, text }: GreetingSoFar): Map<string, number> {
  const seconds = lengthMs / 1000;
  const features = new Map<string, number>([
    [at, 1],
    [`${at} length`, seconds],
    [`${at} pauses`, pausesMs.length],
    [`${at} longest pause`, Math.max(0, ...pausesMs) / 1000],
    [`${at} silence`, silenceMs / 1000],
    // So much speech of which so little is known.
    [`${at} words`, text === '' ? 0 : text.split(' ').length / Math.max(1, seconds)],
  ]);
  for (const phrase of phrasesIn(text)) features.set(phrase, 1);
  return features;
}

/** Log odds of a machine: above 0 it is one rather than a person. */
export function machineOdds(greeting: GreetingSoFar): number {
  let odds = 0;
  for (const [name, value] of greetingFeatures(greeting)) odds += value * (GREETING_WEIGHTS[name] ?? 0);
  return odds;
}

/** The same by words alone, which need not wait for the end. */
export function spokenOdds(text: string): number {
  return phrasesIn(text).reduce((odds, phrase) => odds + (GREETING_WEIGHTS[phrase] ?? 0), 0);
}

function phrasesIn(text: string): string[] {
  const heard = ` ${text} `;
  return GREETING_PHRASES.filter((phrase) => heard.includes(` ${phrase} `));
}
