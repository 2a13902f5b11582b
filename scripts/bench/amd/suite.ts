import type { Measure } from '../report.ts';
import type { PartSuite } from '../suite.ts';
import { type AmdTrial, amdTrials } from './run.ts';
import { answerBy, type TrialResult, tryAnswer } from './trial.ts';

const HZ_APART = 25;
/** When it might have to be said who it is, behind the first speech. */
const MOMENTS_S = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5];

interface Tried extends AmdTrial {
  result: TrialResult;
}

/** How well a call out tells a person from a machine; offline, on a corpus that is synthetic but for one human voice. */
export const amd: PartSuite = {
  name: 'amd',
  what: 'person or answering machine: decisions and beeps on a synthetic corpus, words and voices held out',
  environment: undefined,
  limitMs: 40 * 60_000,
  async run({ signal, progress, problems }) {
    const measures: Measure[] = [];
    for (const set of ['held', 'second', 'tuning'] as const) {
      const trials: Tried[] = [];
      for await (const trial of amdTrials({ set, signal })) {
        const result = tryAnswer(trial.trace);
        trials.push({ ...trial, result });
        if (trials.length % 20 === 0) progress(`${set}: ${trials.length}`);
        const problem = problemOf(trial, result);
        if (problem !== undefined) problems.push(`amd ${set}: ${problem}`);
      }
      measures.push(...measured(set, trials));
    }
    return measures;
  },
};

function problemOf({ greeting, voice, snrDb }: AmdTrial, { presumed, answerer }: TrialResult): string | undefined {
  if (presumed?.by === greeting.by && answerer?.by === greeting.by) return undefined;
  const noise = snrDb === undefined ? 'quiet' : `${snrDb} dB`;
  const said = `${presumed?.by ?? 'nothing'}, then ${answerer?.by ?? 'nothing'}, by ${answerer?.why}`;
  return `${greeting.kind}, ${voice.engine} ${voice.voice} ${voice.rate}, ${noise}: ${said} (${greeting.text})`;
}

function measured(set: string, trials: readonly Tried[]): Measure[] {
  const share = (name: string, some: readonly Tried[], right: (trial: Tried) => boolean): Measure => ({
    suite: 'amd',
    name: `${set}: ${name}`,
    unit: '%',
    values: [some.length === 0 ? 0 : (100 * some.filter(right).length) / some.length],
    note: `n ${some.length}`,
  });
  const kinds = [...new Set(trials.map(({ greeting }) => greeting.kind))];
  const beeps = trials.filter(({ beep }) => beep !== undefined);
  const human = trials.filter(({ voice }) => voice.engine === 'human');
  return [
    { ...share('right within 3 s', trials, inTime), target: '>= 95' },
    { ...share('right when it stands', trials, isRight), target: '>= 95' },
    ...MOMENTS_S.map((seconds) =>
      share(`right if it had to be said after ${seconds} s`, trials, ({ greeting, trace }) => {
        return answerBy(trace, seconds * 1000 - 100)?.by === greeting.by;
      }),
    ),
    {
      suite: 'amd',
      name: `${set}: a person waits for the bot`,
      unit: 'ms',
      values: trials.flatMap((trial) =>
        trial.greeting.by === 'person' && isRight(trial) ? [trial.result.silentMs] : [],
      ),
      note: 'from their last word to its first',
    },
    ...kinds.flatMap((kind) => {
      const those = trials.filter(({ greeting }) => greeting.kind === kind);
      return [share(`${kind}: within 3 s`, those, inTime), share(`${kind}: when it stands`, those, isRight)];
    }),
    ...(human.length > 0 ? [share('human voice: when it stands', human, isRight)] : []),
    share('beeps found', beeps, ({ beep, result }) =>
      result.tones.some(({ hz }) => Math.abs(hz - beep!.hz) < HZ_APART),
    ),
    {
      suite: 'amd',
      name: `${set}: beeps that were none`,
      unit: 'count',
      values: [trials.reduce((sum, { beep, result }) => sum + Math.max(0, result.tones.length - (beep ? 1 : 0)), 0)],
    },
    {
      suite: 'amd',
      name: `${set}: first speech to decision`,
      unit: 'ms',
      values: trials.flatMap(({ result }) => result.presumed?.afterMs ?? []),
      limits: { max: 3000 },
      target: '<= 3000',
    },
  ];
}

const isRight = ({ greeting, result }: Tried): boolean => result.answerer?.by === greeting.by;
const inTime = ({ greeting, result }: Tried): boolean => result.presumed?.by === greeting.by;
