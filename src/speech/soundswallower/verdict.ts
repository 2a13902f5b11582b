import { hasGarbage } from './garbage.ts';

/** One word, pause or noise as soundswallower's alignment gives it. */
export interface Segment {
  /** The word; `the(2)` for a further pronunciation, `<sil>` for a pause, `(NULL)` for nothing. */
  t: string;
  /** Beginning and duration, seconds. */
  b: number;
  d: number;
  /** exp(acoustic score), scaled: how far the word's sounds stayed behind the best sounds of those moments. */
  p: number;
}

/** What the decoder makes of a segment. */
export interface Guess {
  text: string;
  segments: readonly Segment[];
}

/** What is known of a segment besides the decoder's guess. */
export interface Evidence {
  /** Which moments of 10 ms are loud enough to be speech. */
  loud: readonly boolean[];
  /** As the noise reduction has it; undefined on a quiet line. */
  snrDb: number | undefined;
  /** How many sounds the word has, in the pronunciation that was heard. */
  phonesOf(word: string): number;
}

export interface Verdict {
  text: string;
  confidence: number;
  rejected: boolean;
}

/**
 * Log-odds that a guess is what was said, by logistic regression over the trials of scripts/eval/asr.ts in which the
 * guess was right or in which nothing of the grammar was said (voices of flite, espeak and Asterisk's prompts; clean,
 * white and babble noise of 15 dB), both looks. Judged by weights fitted on the other voices, 7 of 100 such sounds were
 * taken for a sentence. By itself the acoustic cost tells right from wrong no better than 0.86 (area under the ROC
 * curve; with the rest 0.92): what gives speech outside the grammar away is that the words leave much of the sound
 * unexplained, or take too long or too short to say. Its periodicity told nothing more.
 */
const WEIGHTS = {
  constant: 0.76,
  /** Acoustic cost, -ln p per second: all words, and the worst of them. */
  cost: -14.95,
  worst: -1.14,
  /** The same for what is too short to judge by its sounds. */
  costOfShort: 3.49,
  /** Share of the loud moments in which a word is said. */
  covered: 8.24,
  /** Doublings of the speaking rate away from the usual one, either way. */
  rate: -2.28,
  /** Noise of the line. */
  noise: 0.69,
};
const SHORT_SECONDS = 0.5;
const LONG_SECONDS = 1.0;
const CLEAN_SNR_DB = 28;
const NOISY_SNR_DB = 16;
const USUAL_PHONES_PER_SECOND = 11;
const MOST = 6;

/** How likely a guess is right, as log-odds within +-6; -6 when nothing was understood. Pure. */
export function logOdds({ text, segments }: Guess, evidence: Evidence): number {
  const words = segments.filter(({ t }) => !/^[<[(]/.test(t));
  const seconds = words.reduce((sum, { d }) => sum + d, 0);
  if (text === '' || hasGarbage(text) || seconds < 0.01) return -MOST;
  const phones = words.reduce((sum, { t }) => sum + evidence.phonesOf(t), 0);
  const cost = words.reduce((sum, word) => sum + costOf(word, 1e-3), 0) / seconds;
  const worst = Math.max(...words.map((word) => costOf(word, 1e-4) / Math.max(0.01, word.d)));
  const short = between(LONG_SECONDS, SHORT_SECONDS, seconds);
  const noisy = evidence.snrDb === undefined ? 0 : between(CLEAN_SNR_DB, NOISY_SNR_DB, evidence.snrDb);
  const odds =
    WEIGHTS.constant +
    WEIGHTS.cost * cost +
    WEIGHTS.worst * Math.min(1.5, worst) +
    WEIGHTS.costOfShort * cost * short +
    WEIGHTS.covered * covered(words, evidence.loud) +
    WEIGHTS.rate * Math.abs(Math.log(Math.max(1, phones / Math.max(0.05, seconds)) / USUAL_PHONES_PER_SECOND)) +
    WEIGHTS.noise * noisy;
  return Math.max(-MOST, Math.min(MOST, odds));
}

/** Worth deciding by a second look: neither sure nor hopeless. */
export function isDoubtful(odds: number): boolean {
  return odds > -5 && odds < 2.5;
}

/** Two looks at the same sound, by different front ends, that come to the same words are more than either. */
const AGREEMENT = 0.2;
const DISAGREEMENT = -0.1;

/** What is told in the end: the likelier of the guesses, or that none was good enough. Pure. */
export function verdictOf(first: Guess & { odds: number }, second?: Guess & { odds: number }): Verdict {
  const best = second !== undefined && second.odds > first.odds ? second : first;
  const agreement = second === undefined ? 0 : second.text === first.text ? AGREEMENT : DISAGREEMENT;
  if (best.odds <= -MOST) return { text: '', confidence: 0, rejected: true };
  const confidence = 1 / (1 + Math.exp(-best.odds - agreement));
  return { text: best.text, confidence, rejected: confidence < 0.5 };
}

/** Confidence while the sentence is still being said: nothing is known yet but that it fits so far. */
export const PARTIAL_CONFIDENCE = 0.5;

function costOf({ p }: Segment, least: number): number {
  return -Math.log(Math.max(p, least));
}

/** Share of the loud moments that lie within the words. */
function covered(words: readonly Segment[], loud: readonly boolean[]): number {
  const all = loud.reduce((sum, yes) => sum + Number(yes), 0);
  let within = 0;
  for (const { b, d } of words) {
    for (let at = Math.round(b * 100); at < Math.round((b + d) * 100); at++) if (loud[at] === true) within++;
  }
  return all === 0 ? 0 : within / all;
}

/** 0 at `none`, 1 at `full`, linear in between. */
function between(none: number, full: number, value: number): number {
  return Math.max(0, Math.min(1, (none - value) / (none - full)));
}
