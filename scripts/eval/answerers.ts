import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '../../src/core/log.ts';
import { greetingFeatures } from '../../src/dialogue/picking-up/greeting-evidence.ts';
import { GREETING_WEIGHTS } from '../../src/dialogue/picking-up/greeting-weights.ts';
import { MACHINE_PHRASES, PERSON_PHRASES } from '../../src/dialogue/picking-up/greeting-words.ts';
import { MachineDetection } from '../../src/dialogue/picking-up/machine-detection.ts';
import { MoonshineTranscriber } from '../../src/speech/moonshine/moonshine-transcriber.ts';
import { FREE_SPEECH_MODEL } from '../../tests/support/free-speech-model.ts';
import { type AmdTrial, amdTrials } from '../bench/amd/run.ts';
import { tryAnswer } from '../bench/amd/trial.ts';
import { type Moment, sum, trainFreeWords } from './answerers/free-word-training.ts';
import { type Prior, train, type Weights } from './answerers/logistic.ts';
import { writtenTrials } from './answerers/written-trials.ts';

/**
 * Makes greeting-weights.ts and free-word-weights.ts of src/dialogue/picking-up, by which people are told from machines,
 * from the tuning half of the corpus of scripts/bench/amd and from written greetings, in some forty minutes. What is
 * reported is the other half: `npm run bench -- amd`. Needs the model for free speech.
 *
 *     node_modules/.bin/node scripts/eval/answerers.ts [--keep FOLDER] [--only-free]
 *
 * --keep: what was heard, for another run; --only-free: the weights of phrases stay as they are.
 */
const FOLDER = fileURLToPath(new URL('../../src/dialogue/picking-up/', import.meta.url));
const keep = process.argv.includes('--keep') ? process.argv[process.argv.indexOf('--keep') + 1] : undefined;
const onlyFree = process.argv.includes('--only-free');
/** Log odds of a phrase before anything was heard. */
const MACHINE_ODDS = 3;
const PERSON_ODDS = -2;
/** Of those tried, the one that did best on greetings left out of the making. */
const STRICTNESSES = [1, 3, 8];
/** Lengths and pauses are seen in every call: nothing is known of them beforehand. */
const OF_TIME = /^(pause|limit|later)( |$)/;
const FREE = 0.05;
const FOLDS = 6;
const HEADER = '// Made by scripts/eval/answerers.ts: change it there.';
const LINE = 118;

interface Call {
  text: string;
  moments: Moment[];
}

/** What the detection would have to judge of this call, when, and what is right. */
function momentsOf({ greeting, trace }: AmdTrial): Moment[] {
  const moments: Moment[] = [];
  const machine = greeting.by === 'machine';
  tryAnswer(
    trace,
    new MachineDetection(0, {
      odds(so) {
        moments.push({ so: { ...so, pausesMs: [...so.pausesMs] }, machine });
        // Goes on to the next moment.
        return so.at === 'limit' ? 1 : -1;
      },
      spoken: () => 0,
    }),
  );
  return moments;
}

const known = new Map([
  ...MACHINE_PHRASES.map((phrase) => [phrase, MACHINE_ODDS] as const),
  ...PERSON_PHRASES.map((phrase) => [phrase, PERSON_ODDS] as const),
]);
const priorOf = (strictness: number): Prior => ({
  weights: known,
  strictness: (name) => (OF_TIME.test(name) ? FREE : strictness),
});

async function heardCalls(): Promise<Call[]> {
  const calls: Call[] = [];
  for await (const trial of amdTrials({ set: 'tuning', signal: new AbortController().signal, keep })) {
    calls.push({ text: trial.greeting.text, moments: momentsOf(trial) });
    if (calls.length % 50 === 0) process.stdout.write(`${calls.length} calls heard\n`);
  }
  return calls;
}

const sampleOf = ({ so, machine }: Moment) => ({ features: greetingFeatures(so), machine });

/** Weights of phrases and times. */
function trainPhrases(calls: readonly Call[]): Weights {
  const texts = [...new Set(calls.map(({ text }) => text))];
  let best = { strictness: 0, right: -1 };
  for (const strictness of STRICTNESSES) {
    let right = 0;
    let all = 0;
    for (let fold = 0; fold < FOLDS; fold++) {
      const left = new Set(texts.filter((_, i) => i % FOLDS === fold));
      const kept = calls.flatMap(({ text, moments }) => (left.has(text) ? [] : moments.map(sampleOf)));
      const weights = train(kept, priorOf(strictness));
      for (const { text, moments } of calls) {
        if (!left.has(text)) continue;
        for (const { features, machine } of moments.map(sampleOf)) {
          all++;
          if (sum(features, weights) > 0 === machine) right++;
        }
      }
    }
    process.stdout.write(`strictness ${strictness}: ${right} of ${all} right with greetings left out\n`);
    if (right > best.right) best = { strictness, right };
  }
  return train(
    calls.flatMap(({ moments }) => moments.map(sampleOf)),
    priorOf(best.strictness),
  );
}

async function write(name: string, lines: readonly string[]): Promise<void> {
  await writeFile(`${FOLDER}${name}`, [HEADER, ...lines, ''].join('\n'));
  process.stdout.write(`${FOLDER}${name} is written; format it with npm run format\n`);
}

/** Names of one weight stand together, since there are many. */
function table(weights: Weights): string[] {
  const groups = new Map<string, string[]>();
  for (const [name, weight] of [...weights].sort(([, a], [, b]) => b - a)) {
    const rounded = weight.toFixed(2);
    groups.set(rounded, [...(groups.get(rounded) ?? []), name]);
  }
  const lines: string[] = [];
  for (const [weight, names] of groups) {
    let line = weight;
    for (const name of names) {
      if (line !== weight && line.length + name.length + 2 > LINE) {
        lines.push(line);
        line = weight;
      }
      line += line === weight ? ` ${name}` : `, ${name}`;
    }
    lines.push(line);
  }
  return lines;
}

const calls = await heardCalls();
const phrases = onlyFree ? new Map(Object.entries(GREETING_WEIGHTS)) : trainPhrases(calls);
if (!onlyFree) {
  await write('greeting-weights.ts', [
    '/** Log odds of a machine; see greetingFeatures. */',
    'export const GREETING_WEIGHTS: Readonly<Record<string, number>> = {',
    ...[...phrases].map(([name, weight]) => `  ${JSON.stringify(name)}: ${Number(weight.toFixed(2))},`),
    '};',
  ]);
}
const transcriber = new MoonshineTranscriber({ folder: FREE_SPEECH_MODEL, log: silentLogger });
const written = await writtenTrials(transcriber, keep);
await transcriber.close();
const free = trainFreeWords(
  written,
  calls.flatMap(({ moments }) => moments),
  phrases,
);
await write('free-word-weights.ts', [
  '/** Log odds of a machine, and what they are the odds of; see freeFeatures. */',
  'const TABLE = `',
  ...table(free),
  '`;',
  '',
  'export const FREE_WORD_WEIGHTS: ReadonlyMap<string, number> = new Map(',
  '  TABLE.trim()',
  "    .split('\\n')",
  '    .flatMap((line) => {',
  "      const end = line.indexOf(' ');",
  '      const weight = Number(line.slice(0, end));',
  "      return line.slice(end + 1).split(', ').map((name): [string, number] => [name, weight]);",
  '    }),',
  ');',
]);
