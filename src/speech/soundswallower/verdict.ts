import { hasGarbage } from './garbage.ts';

/** One word, pause or noise as soundswallower's alignment gives it. */
export interface Segment {
  /** The word; `the(2)` for a further pronunciation, `<sil>` for a pause, `(NULL)` for nothing. */
  t: string;
  /** Duration, seconds. */
  d: number;
  /** exp(acoustic score), scaled: how far the word's sounds stayed behind the best sounds of those moments. */
  p: number;
}

export interface Verdict {
  text: string;
  confidence: number;
  rejected: boolean;
}

/**
 * Acoustic cost per second of speech (-ln p / s) at which a guess is as likely wrong as right; chosen on flite voices
 * and on Asterisk's human prompts: sentences of the grammar lie at 0.10-0.35, speech forced into it at 0.27-0.60. One
 * short word has too few sounds to judge by, so it gets more room.
 */
const EVEN_COST = 0.36;
const SHORT_ALLOWANCE = 0.14;
const SHORT_SECONDS = 0.5;
const LONG_SECONDS = 1.0;
/**
 * What is left of a noise after its reduction makes every sound fit worse. Of few flite sentences in white noise: right
 * ones lie mostly at 0.26-0.43 at 20 dB and at 0.33-0.48 at 15 dB, forced ones from about 0.39 on, so the two overlap.
 */
const NOISE_ALLOWANCE = 0.1;
const CLEAN_SNR_DB = 28;
const NOISY_SNR_DB = 16;
/** How fast confidence falls around that. */
const SLOPE = 0.045;

/** What the final hypothesis is worth; `snrDb` as the noise reduction has it, undefined on a quiet line. Pure. */
export function judge(text: string, segments: readonly Segment[], snrDb?: number): Verdict {
  if (text === '' || hasGarbage(text)) return { text: '', confidence: 0, rejected: true };
  const spoken = segments.filter(({ t }) => !/^[<[(]/.test(t));
  const seconds = spoken.reduce((sum, { d }) => sum + d, 0);
  if (seconds === 0) return { text: '', confidence: 0, rejected: true };
  const cost = spoken.reduce((sum, { p }) => sum - Math.log(Math.max(p, 1e-3)), 0) / seconds;
  const confidence = 1 / (1 + Math.exp((cost - evenCost(seconds, snrDb)) / SLOPE));
  return { text, confidence, rejected: confidence < 0.5 };
}

function evenCost(seconds: number, snrDb: number | undefined): number {
  const short = between(LONG_SECONDS, SHORT_SECONDS, seconds);
  const noisy = snrDb === undefined ? 0 : between(CLEAN_SNR_DB, NOISY_SNR_DB, snrDb);
  return EVEN_COST + SHORT_ALLOWANCE * short + NOISE_ALLOWANCE * noisy;
}

/** 0 at `none`, 1 at `full`, linear in between. */
function between(none: number, full: number, value: number): number {
  return Math.max(0, Math.min(1, (none - value) / (none - full)));
}

/** Confidence while the sentence is still being said: nothing is known yet but that it fits so far. */
export const PARTIAL_CONFIDENCE = 0.5;
