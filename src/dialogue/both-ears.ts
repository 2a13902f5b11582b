import { isDeepStrictEqual } from 'node:util';
import { soundDistances, soundsIn } from '../sentences/sounds-alike.ts';
import type { Action } from './questions/action-desk.ts';
import { type Reading, readerOf, requestsIn } from './requests/request-reader.ts';
import { bySound } from './requests/sentences-by-sound.ts';
import type { ByOtherEar } from './speaking/voice.ts';

/** What one ear, which knows what is waited for, and another, which knows English, make of the same words. */
export interface Heard {
  /** By the recogniser's grammar; '' for nothing. */
  readonly text: string;
  readonly confidence: number;
  /** In any words. */
  readonly otherwise: ByOtherEar;
}

export interface Likely {
  readonly text: string;
  /** How likely it is that this was said, or something that means the same, 0 to 1. */
  readonly likelihood: number;
  /** The recogniser came to the same meaning. */
  readonly agreed: boolean;
  /** Other sentences that sound as much like what the other ear wrote. */
  readonly asNear: readonly string[];
}

/** What words come down to, as a key; `reading`: what they are read as. */
type MeaningOf = (text: string, reading: Reading) => string;

/** A meaning that may have been meant. */
interface Candidate {
  readonly text: string;
  readonly meaning: string;
  readonly distance: number;
  /** As WEIGHTS has it. */
  readonly evidence: readonly number[];
  readonly agreed: boolean;
}

/**
 * Logistic regression over segments of speech in white noise, babble and a crowd of 20 to 10 dB with 3 % loss, cut by the
 * connector's VAD (ten voices; docs/eval.md, Both ears): constant, distance, lead, odds, agreed, otherOdds, nothing, clear,
 * short.
 */
const WEIGHTS = {
  request: [-1.75, -3.04, 10.96, 0.58, 4.29, -0.21, 0.24, 1.72, -0.81],
  yesNo: [-2, -4.64, 6.96, 0.36, 4.15, -0.43, 1.31, 1.59, 1.42],
};

/**
 * Of requests where it is known how well each sentence fits what the other ear heard: what one meaning has for it, against all
 * others and against none of them (conditional logit; same segments).
 */
const BY_FIT = { constant: 0.63, fit: 1.99, agreed: 2.44, odds: 0.59, clear: 0.3 };
/** Sentences that fit as well as this are not told apart. */
const FIT_APART = 0.5;

/** Nearest sentences that are read, and other meanings that are weighed beside the recogniser's. */
const READ = 24;
const OTHERS = 3;
/** A lead of more tells no more. */
const LEAD = 0.15;
/** Nearer than this the other ear has written the sentence itself. */
const CLEAR = 0.12;
/** Two things that somebody may have asked for, by name, are as good as each other when they are as near as this. */
const TOLD_APART = 0.04;

/**
 * The likeliest meaning by both ears of those that are `allowed`; undefined when there is nothing that could have been said.
 * Pure.
 */
export function likeliest(
  heard: Heard,
  asked: 'request' | 'yesNo',
  actions: readonly Action[],
  meaningOf: MeaningOf,
  allowed: (likely: Likely) => boolean,
): Likely | undefined {
  const { fits } = heard.otherwise;
  if (fits !== undefined && asked === 'request') {
    const byFit = weighedByFit({ ...heard, otherwise: { ...heard.otherwise, fits } }, actions);
    return byFit.filter(allowed).sort((a, b) => b.likelihood - a.likelihood)[0];
  }
  const candidates = candidatesFor(heard, actions, meaningOf);
  const weighed = candidates.map((one) => {
    const odds = one.evidence.reduce((sum, value, i) => sum + value * WEIGHTS[asked][i]!, 0);
    const asNear = candidates.filter(({ distance }) => distance <= one.distance + TOLD_APART);
    return { ...one, likelihood: 1 / (1 + Math.exp(-odds)), asNear: asNear.map(({ text }) => text) };
  });
  return weighed.filter(allowed).sort((a, b) => b.likelihood - a.likelihood)[0];
}

/**
 * The words without what nobody can tell apart in them: "block my credit card" where "block my debit card" sounds as much
 * like it. Which card it is shows at the bank, or is asked. Pure.
 */
export function toldApart({ text, asNear }: Likely, actions: readonly Action[]): string {
  const read = (words: string) => {
    const requests = requestsIn(words, actions);
    return requests.length === 1 ? requests[0] : undefined;
  };
  const asked = read(text);
  if (asked === undefined) return text;
  for (const rival of asNear) {
    const other = read(rival);
    if (other?.name !== asked.name) continue;
    const differing = Object.keys(asked.arguments).filter(
      (key) => !isDeepStrictEqual(asked.arguments[key], other.arguments[key]),
    );
    const [key] = differing;
    if (differing.length !== 1 || key === undefined) continue;
    const less = text.replace(new RegExp(`\\b${String(asked.arguments[key]).replaceAll(/[^a-z]/gi, ' ')} `, 'i'), '');
    const { [key]: _, ...kept } = asked.arguments;
    if (less !== text && isDeepStrictEqual(read(less), { name: asked.name, arguments: kept })) return less;
  }
  return text;
}

/** Each thing that may have been meant, in its best fitting words. Pure. */
function weighedByFit({ text, confidence, otherwise }: HeardFitting, actions: readonly Action[]): Likely[] {
  const reader = readerOf(actions);
  const best = new Map<string, { text: string; fit: number }>();
  for (const one of otherwise.fits) {
    const matter = matterOf(one.text, reader.read(one.text));
    if (one.fit > (best.get(matter)?.fit ?? Number.NEGATIVE_INFINITY)) best.set(matter, one);
  }
  const own = text === '' ? undefined : matterOf(text, reader.read(text));
  const odds = text === '' ? 0 : logOdds(confidence);
  const w = BY_FIT;
  const weighed = Array.from(best, ([matter, one]) => {
    const agreed = matter === own;
    const grammar = agreed ? w.agreed + w.odds * odds : 0;
    return {
      ...one,
      agreed,
      likely: Math.exp(w.constant + w.fit * one.fit + grammar + w.clear * otherwise.confidence),
    };
  });
  const all = weighed.reduce((sum, { likely }) => sum + likely, 1);
  return weighed.map(({ text, fit, agreed, likely }) => ({
    ...{ text, agreed, likelihood: likely / all },
    asNear: otherwise.fits.filter((other) => other.fit >= fit - FIT_APART).map((other) => other.text),
  }));
}

type HeardFitting = Heard & { otherwise: ByOtherEar & { fits: NonNullable<ByOtherEar['fits']> } };

/** What is asked for; which of several such things (a card, an account) is the second question. A number makes another request. */
function matterOf(text: string, reading: Reading): string {
  if (reading.kind === 'unclear' || reading.kind === 'maybe') return text;
  if (reading.kind !== 'requests') return JSON.stringify(reading);
  const numbers = (args: Record<string, unknown>) => Object.values(args).filter((value) => /\d{3}/.test(String(value)));
  return JSON.stringify(reading.requests.map((request) => [request.name, ...numbers(request.arguments)]));
}

/** What may have been meant: by the recogniser, and by the sentences that sound most like what the other ear wrote. Pure. */
function candidatesFor(
  { text, confidence, otherwise }: Heard,
  actions: readonly Action[],
  meaningOf: MeaningOf,
): Candidate[] {
  const own = text === '' ? undefined : meaningOf(text, readerOf(actions).read(text));
  const found = new Map<string, { text: string; distance: number }>();
  if (own !== undefined) {
    const [distance] = soundDistances([soundsIn(text)], soundsIn(otherwise.text));
    found.set(own, { text, distance: distance! });
  }
  let others = 0;
  let read = 0;
  let rival = 1;
  for (const near of bySound(actions).nearest(otherwise.text)) {
    if (++read > READ) break;
    const meaning = meaningOf(near.text, near.reading);
    const known = found.get(meaning);
    if (known !== undefined) {
      if (near.distance < known.distance) found.set(meaning, { text: known.text, distance: near.distance });
    } else if (++others > OTHERS) {
      rival = near.distance;
      break;
    } else found.set(meaning, near);
  }
  const odds = text === '' ? 0 : logOdds(confidence);
  return Array.from(found, ([meaning, near]) => {
    const agreed = meaning === own;
    const rest = Array.from(found, ([other, { distance }]) => (other === meaning ? 1 : distance));
    const lead = Math.min(rival, ...rest) - near.distance;
    const evidence = [
      1,
      near.distance,
      Math.max(-LEAD, Math.min(LEAD, lead)),
      agreed ? odds : 0,
      Number(agreed),
      agreed ? 0 : odds,
      Number(text === ''),
      (Math.max(0, CLEAR - near.distance) / CLEAR) * otherwise.confidence,
      1 / near.text.split(' ').length,
    ];
    return { text: near.text, meaning, distance: near.distance, evidence, agreed };
  });
}

function logOdds(likelihood: number): number {
  const within = Math.max(0.01, Math.min(0.99, likelihood));
  return Math.log(within / (1 - within));
}
