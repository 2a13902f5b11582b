import { wordFeatures } from '../../../src/dialogue/picking-up/free-words.ts';
import {
  freeFeatures,
  type GreetingSoFar,
  greetingFeatures,
} from '../../../src/dialogue/picking-up/greeting-evidence.ts';
import { plainWords } from '../../../src/speech/moonshine/plain-words.ts';
import { type Prior, type Sample, train, type Weights } from './logistic.ts';
import { filledIn, WRITTEN_GREETINGS } from './written-greetings.ts';
import { SAID, type WrittenTrial } from './written-trials.ts';

/** What the detection has to judge at one moment of a call. */
export interface Moment {
  readonly so: GreetingSoFar;
  readonly machine: boolean;
}

/** A name that stands in fewer of the written greetings is chance. */
const GREETINGS = 3;
/** So many words of a written greeting may have been said when it is judged. */
const BEGINNINGS = [7, 9, 14];
/** How strongly weights are drawn: to nothing by what is written; then to what that gave, by calls; of times; of the whole. */
const BY_TEXT = 3;
const BY_CALLS = 3;
const OF_TIME = 0.3;
const SCALE = 0.5;
/** A weight below this changes nothing. */
const LEAST = 0.03;
/** Not drawn: how many greetings of each kind were written says nothing. */
const CONSTANT = '1';
const WRITTEN = 'written';

/**
 * Weights of what was heard in any words, on top of those of phrases and times (`known`). What words are worth comes from
 * the written greetings, as they are written and as they were understood; how far that is to be believed, and where it is to
 * be corrected, from the calls.
 */
export function trainFreeWords(written: readonly WrittenTrial[], moments: readonly Moment[], known: Weights): Weights {
  const texts = [
    ...written.map(({ greeting, heard }) => ({ greeting, names: wordFeatures(heard) })),
    ...WRITTEN_GREETINGS.flatMap((greeting, i) =>
      Array.from({ length: SAID }, (_, time) =>
        plainWords(filledIn(greeting.text, i * SAID + time)).split(' '),
      ).flatMap((words) => BEGINNINGS.map((n) => ({ greeting, names: wordFeatures(words.slice(0, n).join(' ')) }))),
    ),
  ];
  const seen = new Map<string, Set<string>>();
  for (const { greeting, names } of texts) {
    for (const name of names) seen.set(name, (seen.get(name) ?? new Set()).add(greeting.text));
  }
  const common = new Set([...seen].flatMap(([name, greetings]) => (greetings.size >= GREETINGS ? [`~${name}`] : [])));
  const byText = train(
    texts.map(({ greeting: { by }, names }) => {
      const features = names.map((name) => `~${name}`).filter((name) => common.has(name));
      return { features: new Map([CONSTANT, ...features].map((name) => [name, 1])), machine: by === 'machine' };
    }),
    { weights: new Map(), strictness: (name) => (name === CONSTANT ? 0.01 : BY_TEXT) },
  );

  const byCalls = train(
    moments.map((moment) => sampleOf(moment, common, byText, known)),
    { weights: new Map([[WRITTEN, 1]]), strictness: (name) => strictness(name, common) } satisfies Prior,
  );
  const scale = byCalls.get(WRITTEN)!;
  const weights = new Map<string, number>();
  for (const name of [...byCalls.keys(), ...common]) {
    if (name === WRITTEN) continue;
    // The constant stands with each moment there is.
    const text = byText.get(/^(pause|limit|later)$/.test(name) ? CONSTANT : name) ?? 0;
    const weight = (byCalls.get(name) ?? 0) + scale * text;
    if (Math.abs(weight) >= LEAST) weights.set(name, weight);
  }
  return weights;
}

function sampleOf({ so, machine }: Moment, common: ReadonlySet<string>, byText: Weights, known: Weights): Sample {
  const offset = sum(greetingFeatures(so), known);
  const features = new Map([...freeFeatures(so)].filter(([name]) => !name.startsWith('~') || common.has(name)));
  if (features.size > 0) features.set(WRITTEN, (byText.get(CONSTANT) ?? 0) + sum(features, byText));
  return { features, machine, offset };
}

function strictness(name: string, common: ReadonlySet<string>): number {
  if (name === WRITTEN) return SCALE;
  return common.has(name) ? BY_CALLS : OF_TIME;
}

export function sum(features: ReadonlyMap<string, number>, weights: Weights): number {
  let odds = 0;
  for (const [name, value] of features) odds += value * (weights.get(name) ?? 0);
  return odds;
}
