import type { Measure } from '../report.ts';
import type { PartSuite } from '../suites.ts';
import { type AmdTrial, amdTrials } from './run.ts';

const HZ_APART = 25;

/** How well a call out tells a person from a machine; offline, on a corpus that is synthetic throughout. */
export const amd: PartSuite = {
  name: 'amd',
  what: 'person or answering machine: decisions and beeps on a synthetic corpus, words and voices held out',
  environment: undefined,
  limitMs: 12 * 60_000,
  async run({ signal, progress, problems }) {
    const measures: Measure[] = [];
    for (const set of ['held', 'tuning'] as const) {
      const trials: AmdTrial[] = [];
      await amdTrials(set, signal, (trial) => {
        trials.push(trial);
        if (trials.length % 20 === 0) progress(`${set}: ${trials.length}`);
        if (isRight(trial)) return;
        const { greeting, voice, snrDb, result } = trial;
        const noise = snrDb === undefined ? 'quiet' : `${snrDb} dB`;
        problems.push(
          `amd ${set}: ${greeting.kind}, ${voice}, ${noise}: ${result.answerer?.by ?? 'nothing'} (${greeting.text})`,
        );
      });
      measures.push(...measured(set, trials));
    }
    return measures;
  },
};

function measured(set: string, trials: readonly AmdTrial[]): Measure[] {
  const share = (name: string, some: readonly AmdTrial[], right: (trial: AmdTrial) => boolean): Measure => ({
    suite: 'amd',
    name: `${set}: ${name}`,
    unit: '%',
    values: [some.length === 0 ? 0 : (100 * some.filter(right).length) / some.length],
    note: `n ${some.length}, synthetic voices`,
  });
  const kinds = [...new Set(trials.map(({ greeting }) => greeting.kind))];
  const beeps = trials.filter(({ beep }) => beep !== undefined);
  return [
    share('right within 3 s', trials, ({ greeting, result }) => result.presumed?.by === greeting.by),
    { ...share('right when it stands', trials, isRight), target: '>= 95' },
    ...kinds.map((kind) =>
      share(
        `right, ${kind}`,
        trials.filter(({ greeting }) => greeting.kind === kind),
        isRight,
      ),
    ),
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

const isRight = ({ greeting, result }: AmdTrial): boolean => result.answerer?.by === greeting.by;
