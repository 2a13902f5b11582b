import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { greetingFeatures } from '../../src/dialogue/picking-up/greeting-evidence.ts';
import { MACHINE_PHRASES, PERSON_PHRASES } from '../../src/dialogue/picking-up/greeting-words.ts';
import { MachineDetection } from '../../src/dialogue/picking-up/machine-detection.ts';
import { type AmdTrial, amdTrials } from '../bench/amd/run.ts';
import { tryAnswer } from '../bench/amd/trial.ts';
import { type Prior, type Sample, train } from './answerers/logistic.ts';

/**
 * Makes src/dialogue/picking-up/greeting-weights.ts, by which people are told from machines, from the tuning half of the corpus of
 * scripts/bench/amd, in some twenty minutes. What is reported is the other half: `npm run bench -- amd`.
 *
 *     node_modules/.bin/node scripts/eval/answerers.ts [--keep FOLDER]       keeps what was heard, for another run
 */
const OUT = fileURLToPath(new URL('../../src/dialogue/picking-up/greeting-weights.ts', import.meta.url));
const keep = process.argv[2] === '--keep' ? process.argv[3] : undefined;
/** Log odds of a phrase before anything was heard. */
const MACHINE_ODDS = 3;
const PERSON_ODDS = -2;
/** Of those tried, the one that did best on greetings left out of the making. */
const STRICTNESSES = [1, 3, 8];
/** Lengths and pauses are seen in every call: nothing is known of them beforehand. */
const OF_TIME = /^(pause|limit|later)( |$)/;
const FREE = 0.05;
const FOLDS = 6;

/** What the detection would have to judge of this call, when, and what is right. */
function samplesOf({ greeting, trace }: AmdTrial): Sample[] {
  const samples: Sample[] = [];
  const machine = greeting.by === 'machine';
  tryAnswer(
    trace,
    new MachineDetection(0, {
      odds(so) {
        samples.push({ features: greetingFeatures(so), machine });
        // Goes on to the next moment.
        return so.at === 'limit' ? 1 : -1;
      },
      spoken: () => 0,
    }),
  );
  return samples;
}

const known = new Map([
  ...MACHINE_PHRASES.map((phrase) => [phrase, MACHINE_ODDS] as const),
  ...PERSON_PHRASES.map((phrase) => [phrase, PERSON_ODDS] as const),
]);
const priorOf = (strictness: number): Prior => ({
  weights: known,
  strictness: (name) => (OF_TIME.test(name) ? FREE : strictness),
});
const calls: { text: string; samples: Sample[] }[] = [];
for await (const trial of amdTrials({ set: 'tuning', signal: new AbortController().signal, keep })) {
  calls.push({ text: trial.greeting.text, samples: samplesOf(trial) });
  if (calls.length % 50 === 0) process.stdout.write(`${calls.length} calls heard\n`);
}

const texts = [...new Set(calls.map(({ text }) => text))];
let best = { strictness: 0, right: -1 };
for (const strictness of STRICTNESSES) {
  let right = 0;
  let all = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const left = new Set(texts.filter((_, i) => i % FOLDS === fold));
    const weights = train(
      calls.flatMap(({ text, samples }) => (left.has(text) ? [] : samples)),
      priorOf(strictness),
    );
    for (const { text, samples } of calls) {
      if (!left.has(text)) continue;
      for (const { features, machine } of samples) {
        const odds = [...features].reduce((sum, [name, value]) => sum + value * (weights.get(name) ?? 0), 0);
        all++;
        if (odds > 0 === machine) right++;
      }
    }
  }
  process.stdout.write(`strictness ${strictness}: ${right} of ${all} right with greetings left out\n`);
  if (right > best.right) best = { strictness, right };
}

const weights = train(
  calls.flatMap(({ samples }) => samples),
  priorOf(best.strictness),
);
const lines = [...weights].map(([name, weight]) => `  ${JSON.stringify(name)}: ${Number(weight.toFixed(2))},`);
await writeFile(
  OUT,
  [
    '// Made by scripts/eval/answerers.ts: change it there.',
    '/** Log odds of a machine; see greetingFeatures. */',
    'export const GREETING_WEIGHTS: Readonly<Record<string, number>> = {',
    ...lines,
    '};',
    '',
  ].join('\n'),
);
process.stdout.write(`${OUT}: ${weights.size} weights of ${calls.length} calls; format it with npm run format\n`);
