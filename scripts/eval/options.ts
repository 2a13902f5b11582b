import { parseArgs } from 'node:util';
import { Failure } from '../../src/core/errors.ts';
import { SECTIONS, type Section } from './corpus/types.ts';

export const HELP = `npm run eval [-- options]     plays the corpus of conversations against this connector and measures it

  --quick             a subset, ten minutes instead of most of an hour
  --only SECTION      ${SECTIONS.join(', ')}; repeat or separate by commas
  --having TEXT       of those only the ones whose name, voice or room has one of these in it: outcomes-05, awb, babble
  --concurrency N     conversations at once where latency is not the point; default 4, quick 6
  --no-baseline       do not play the same pauses against fixed 300 ms and 700 ms endpointing
  --seed N            of the corpus, default 1
  --out FOLDER        default eval-results/<time>
  --against FILE      report.json to compare with; default the latest other one beside the output
  --cache FOLDER      audio made for the corpus, default data/eval-cache
  --audio all|failed|none   recordings kept beside the report; default failed
  --limit MINUTES     starts no conversation after that; default 90
  --help

Exit code 0: the evaluation was made, whatever the figures. 1: it broke. 2: wrong use.
`;

export interface EvalOptions {
  readonly quick: boolean;
  readonly sections: readonly Section[];
  /** Of the conversations only those with one of these in their name, voice or room; none: all. */
  readonly having: readonly string[];
  readonly concurrency: number;
  readonly baseline: boolean;
  readonly seed: number;
  readonly out: string | undefined;
  readonly against: string | undefined;
  readonly cache: string;
  readonly audio: 'all' | 'failed' | 'none';
  readonly limitMs: number;
}

/** Throws Failure code usage. 'help' when that was asked for. */
export function readOptions(args: readonly string[]): EvalOptions | 'help' {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return 'help';
  const asked = (values.only ?? []).flatMap((text) => text.split(',')).filter((text) => text !== '');
  const unknown = asked.find((name) => !SECTIONS.includes(name as Section));
  if (unknown !== undefined) throw usage(`no section ${unknown}; there are ${SECTIONS.join(', ')}`);
  const all = values.quick ? SECTIONS.filter((name) => name !== 'load') : SECTIONS;
  const audio = values.audio ?? 'failed';
  if (audio !== 'all' && audio !== 'failed' && audio !== 'none') throw usage('--audio: all, failed or none');
  return {
    quick: values.quick ?? false,
    sections: asked.length > 0 ? SECTIONS.filter((name) => asked.includes(name)) : all,
    having: (values.having ?? []).flatMap((text) => text.split(',')).filter((text) => text !== ''),
    concurrency: number(values.concurrency, 'concurrency', values.quick ? 6 : 4, 1, 100),
    baseline: !values['no-baseline'],
    seed: number(values.seed, 'seed', 1, 0, 2 ** 31),
    out: values.out,
    against: values.against,
    cache: values.cache ?? 'data/eval-cache',
    audio,
    limitMs: number(values.limit, 'limit', 90, 1, 24 * 60) * 60_000,
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      having: { type: 'string', multiple: true },
      concurrency: { type: 'string' },
      'no-baseline': { type: 'boolean' },
      seed: { type: 'string' },
      out: { type: 'string' },
      against: { type: 'string' },
      cache: { type: 'string' },
      audio: { type: 'string' },
      limit: { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
}

function number(text: string | undefined, name: string, otherwise: number, min: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw usage(`--${name}: a whole number, ${min} to ${max}`);
  return value;
}

function usage(message: string): Failure {
  return new Failure(message, { code: 'usage', blame: 'caller' });
}
