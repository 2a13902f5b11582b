import { describe, expect, it } from 'vitest';
import { buildCorpus } from '../../scripts/eval/corpus/build.ts';
import { PAUSES_MS } from '../../scripts/eval/corpus/turn-taking.ts';
import { type Conversation, SECTIONS, type Step } from '../../scripts/eval/corpus/types.ts';
import { readOptions } from '../../scripts/eval/options.ts';
import { jobsOf } from '../../scripts/eval/run.ts';

const sources = { espeak: false, human: false };
const corpus = (options: Partial<Parameters<typeof buildCorpus>[0]> = {}) =>
  buildCorpus({ quick: false, seed: 1, sections: SECTIONS, sources, ...options });

const says = (all: readonly Conversation[], site: string) =>
  all
    .flatMap((each) => each.steps)
    .filter((step): step is Extract<Step, { do: 'say' }> => step.do === 'say' && step.site === site);

describe('the corpus', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(corpus()).toEqual(corpus());
    expect(corpus({ seed: 2 })).not.toEqual(corpus());
  });

  it('has the same section whichever others are played', () => {
    const alone = corpus({ sections: ['backchannels'] });
    expect(corpus().filter((each) => each.section === 'backchannels')).toEqual(alone);
  });

  it('has every section, and each conversation its own name', () => {
    expect(new Set(corpus().map((each) => each.section))).toEqual(new Set(SECTIONS));
    expect(new Set(corpus().map((each) => each.id)).size).toBe(corpus().length);
  });

  it.each(['open', 'number', 'pin'])('has every length of pause inside %s', (site) => {
    for (const quick of [true, false]) {
      const lengths = says(corpus({ quick }), site).flatMap((step) =>
        step.pieces.filter((piece) => typeof piece === 'number'),
      );
      expect(new Set(lengths)).toEqual(new Set(PAUSES_MS));
    }
  });

  it('has voices of other engines only where they are installed', () => {
    const engines = (all: readonly Conversation[]) => new Set(all.map((each) => each.caller.engine));
    expect(engines(corpus())).toEqual(new Set(['flite']));
    const rich = corpus({ sources: { espeak: true, human: true } });
    expect(engines(rich)).toEqual(new Set(['flite', 'espeak', 'human']));
  });

  it('plays the baselines beside the connector, conversation by conversation', () => {
    const jobs = jobsOf(corpus({ sections: ['pauses'], quick: true }), true);
    expect(jobs.slice(0, 3).map((job) => job.variant)).toEqual(['adaptive', 'fixed 300', 'fixed 700']);
    expect(new Set(jobs.slice(0, 3).map((job) => job.conversation.id)).size).toBe(1);
    expect(jobsOf(corpus({ sections: ['pauses'] }), false).every((job) => job.variant === 'adaptive')).toBe(true);
  });
});

describe('the options', () => {
  it('choose sections, and refuse what there is not', () => {
    expect(readOptions(['--only', 'pauses,numbers', '--quick'])).toMatchObject({
      sections: ['pauses', 'numbers'],
      quick: true,
    });
    expect(readOptions([])).toMatchObject({ sections: SECTIONS, baseline: true, concurrency: 4, seed: 1 });
    expect(readOptions(['--having', 'babble,awb'])).toMatchObject({ having: ['babble', 'awb'] });
    expect(() => readOptions(['--only', 'weather'])).toThrow(/weather/);
    expect(() => readOptions(['--concurrency', 'many'])).toThrow(/concurrency/);
    expect(() => readOptions(['--nonsense'])).toThrow();
  });
});
