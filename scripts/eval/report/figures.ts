import { summarize } from '../../../tests/support/phone/measures.ts';
import { SECTIONS } from '../corpus/types.ts';
import { BASELINES, OURS } from '../play/variants.ts';
import type { ScoredCall, ScoredMoment } from '../score/score-call.ts';
import { groupBy, type Latency, latencyOf, type Share, shareOf } from '../score/statistics.ts';

/** A figure with its target; `id` stays the same from run to run, so that runs can be compared. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  /** Undefined: nothing was played that tells it. */
  readonly value: number | undefined;
  readonly unit: 'ms' | '%' | '';
  readonly n: number;
  readonly target?: { readonly atMost?: number; readonly atLeast?: number };
  readonly reached?: boolean;
  /** 95 % interval of a share, where there is one. */
  readonly interval?: readonly [number, number];
}

export interface NamedLatency extends Latency {
  readonly name: string;
}
export interface NamedShare extends Share {
  readonly name: string;
}

export interface CutOffRow {
  readonly variant: string;
  readonly site: string;
  readonly pauseMs: number;
  readonly cut: Share;
}

export interface Aggregate {
  readonly figures: readonly Figure[];
  readonly latencies: readonly NamedLatency[];
  readonly cutOffs: readonly CutOffRow[];
  /** Per variant: answers to paused turns that were not cut off, and cut-offs on pauses up to 700 ms. */
  readonly tradeOff: readonly { readonly variant: string; readonly latency: Latency; readonly cut: Share }[];
  readonly sounds: readonly (NamedShare & { readonly pausedP50: number | undefined })[];
  readonly interruptions: readonly (NamedShare & { readonly silenceP50: number | undefined })[];
  readonly outcomes: readonly NamedShare[];
  readonly listening: readonly {
    readonly name: string;
    readonly whole: boolean;
    readonly ghosts: number;
    readonly falsePauses: number;
  }[];
}

const spoken = (row: ScoredMoment) => row.kind === 'turn';
const clean = (row: ScoredMoment) =>
  row.tags.noise === undefined && row.tags.loss === undefined && row.tags.echo === undefined;

export function aggregate(calls: readonly ScoredCall[]): Aggregate {
  const all = calls.flatMap((call) => call.moments);
  const ours = all.filter((row) => row.variant === OURS);
  const trials = all.flatMap((row) => row.pauses.map((pause) => ({ ...pause, variant: row.variant })));
  const cutOf = (rows: typeof trials): Share => shareOf(rows.filter((row) => row.cut).length, rows.length);
  const upTo700 = (variant: string) => trials.filter((t) => t.variant === variant && t.ms <= 700 && t.site !== 'whole');

  const plain = ours.filter((row) => row.section === 'latency' && spoken(row));
  const loaded = ours.filter((row) => row.section === 'load' && spoken(row));
  const sounds = ours.filter((row) => row.sound?.tried);
  const interruptions = ours.filter((row) => row.interruption?.tried && row.tags.echo === undefined);
  const silences = interruptions.map((row) => row.interruption?.silenceMs).filter((ms) => ms !== undefined);
  const silence = summarize(silences);
  const judged = ours.filter((row) => row.right !== undefined);
  const outcomeOf = (rows: readonly ScoredMoment[]) => shareOf(rows.filter((row) => row.right).length, rows.length);
  const ordinary = judged.filter((row) => row.section === 'outcomes' || row.section === 'latency');
  const noisy = ordinary.filter((row) => !clean(row));
  const resumed = shareOf(sounds.filter((row) => row.sound!.resumed).length, sounds.length);
  const honoured = shareOf(interruptions.filter((row) => row.interruption!.honoured).length, interruptions.length);
  const second = trials.filter((t) => t.variant === OURS && t.site === 'number' && t.ms === 1000);
  const v2v = latencyOf(plain);
  const busy = latencyOf(loaded);
  const misses = ours.filter((row) => row.missed !== undefined);

  const figures = [
    figure('v2v-p50', 'Voice-to-voice p50, one call', v2v.p50, 'ms', v2v.n, { atMost: 300 }),
    figure('v2v-p95', 'Voice-to-voice p95, one call', v2v.p95, 'ms', v2v.n, { atMost: 550 }),
    share('cutoffs-700', 'False cut-offs, pauses up to 700 ms', cutOf(upTo700(OURS)), { atMost: 5 }),
    share('cutoffs-number-1000', 'False cut-offs, numbers with pauses of 1 s', cutOf(second), { atMost: 0 }),
    share('split', 'Turns taken in pieces, though nobody was cut off', splitOf(ours)),
    figure('missed', 'Missed turns, all conditions', misses.filter((row) => row.missed).length, '', misses.length, {
      atMost: 0,
    }),
    figure('barge-in-p50', 'Barge-in to silence p50', silence?.p50, 'ms', silences.length, { atMost: 80 }),
    figure('barge-in-p95', 'Barge-in to silence p95', silence?.p95, 'ms', silences.length, { atMost: 120 }),
    share('backchannels', 'Backchannels and noises: the bot went on', resumed, { atLeast: 95 }),
    share('interruptions', 'Interruptions honoured', honoured, { atLeast: 98 }),
    share('outcome-clean', 'Turn outcome right, clean voices', outcomeOf(ordinary.filter(clean)), { atLeast: 95 }),
    share('outcome-noise', 'Turn outcome right, noise and 3 % loss', outcomeOf(noisy), {
      atLeast: 85,
    }),
    share(
      'outcome-noise-unasked',
      'The same, without being asked what was said',
      shareOf(noisy.filter((row) => row.right && !row.asked).length, noisy.length),
    ),
    share('outcome-odd', 'Turn outcome right, odd callers', outcomeOf(judged.filter((row) => row.section === 'odd'))),
    figure('load-p95', 'Voice-to-voice p95, 20 calls', busy.p95, 'ms', busy.n, { atMost: 800 }),
    figure('load-missed', 'Missed turns, 20 calls', loaded.length > 0 ? busy.missed : undefined, '', loaded.length, {
      atMost: 0,
    }),
    ...BASELINES.map((variant) =>
      share(`cutoffs-700 ${variant}`, `False cut-offs, pauses up to 700 ms, ${variant} ms`, cutOf(upTo700(variant))),
    ),
  ];

  return {
    figures,
    latencies: latenciesOf(all, ours),
    cutOffs: [...groupBy(trials, (t) => `${t.variant}|${t.site}|${t.ms}`).values()]
      .map((rows) => ({ variant: rows[0]!.variant, site: rows[0]!.site, pauseMs: rows[0]!.ms, cut: cutOf(rows) }))
      .sort((a, b) => a.site.localeCompare(b.site) || a.variant.localeCompare(b.variant) || a.pauseMs - b.pauseMs),
    tradeOff: [OURS, ...BASELINES]
      .map((variant) => ({
        variant,
        latency: latencyOf(all.filter((row) => row.variant === variant && spoken(row) && row.pauses.length > 0)),
        cut: cutOf(upTo700(variant)),
      }))
      .filter((row) => row.cut.n > 0),
    sounds: [...groupBy(sounds, (row) => String(row.tags.what))].map(([name, rows]) => ({
      name,
      ...shareOf(rows.filter((row) => row.sound!.resumed).length, rows.length),
      pausedP50: summarize(rows.map((row) => row.sound!.pausedMs))?.p50,
    })),
    interruptions: [...groupBy(interruptions, (row) => String(row.tags.what))].map(([name, rows]) => ({
      name,
      ...shareOf(rows.filter((row) => row.interruption!.honoured).length, rows.length),
      silenceP50: summarize(rows.map((row) => row.interruption!.silenceMs ?? 0))?.p50,
    })),
    outcomes: [
      ...SECTIONS.map((section) => [section, judged.filter((row) => row.section === section)] as const),
      ...groupBy(ordinary, (row) => conditionOf(row)),
      ...groupBy(
        judged.filter((row) => row.section === 'odd' && row.tags.what !== undefined),
        (row) => `odd: ${row.tags.what}`,
      ),
      ...groupBy(judged, (row) => `voice ${row.tags.voice}`),
    ]
      .filter(([, rows]) => rows.length > 0)
      .map(([name, rows]) => ({ name, ...outcomeOf(rows) })),
    listening: ours
      .filter((row) => row.listening)
      .map((row) => ({
        name: `${row.conversation}: ${row.text}, echo ${row.tags.echo ?? 'none'}`,
        whole: row.listening!.whole,
        ghosts: row.listening!.ghosts.length,
        falsePauses: row.listening!.falsePauses,
      })),
  };
}

/** Decided too early, and silenced by the caller's going on: heard by nobody, but half a sentence was understood alone. */
function splitOf(ours: readonly ScoredMoment[]): Share {
  const paused = ours.filter((row) => spoken(row) && row.pauses.length > 0 && row.cutOff === undefined);
  return shareOf(paused.filter((row) => row.understood.length > 1).length, paused.length);
}

function latenciesOf(all: readonly ScoredMoment[], ours: readonly ScoredMoment[]): NamedLatency[] {
  const answered = ours.filter(spoken);
  const groups: (readonly [string, readonly ScoredMoment[]])[] = [
    ...SECTIONS.map((section) => [`section ${section}`, answered.filter((row) => row.section === section)] as const),
    ...groupBy(answered, (row) => `voice ${row.tags.voice}${row.tags.rate === 1 ? '' : ` at ${row.tags.rate}`}`),
    ...groupBy(answered, conditionOf),
    ['after keys', ours.filter((row) => row.kind === 'keys')],
    ['after an interruption', ours.filter((row) => row.kind === 'interruption' && row.missed !== undefined)],
    ...BASELINES.map(
      (variant) =>
        [
          `${variant} ms, latency`,
          all.filter((row) => row.variant === variant && row.section === 'latency' && spoken(row)),
        ] as const,
    ),
  ];
  return groups.filter(([, rows]) => rows.length > 0).map(([name, rows]) => ({ name, ...latencyOf(rows) }));
}

function conditionOf({ tags }: ScoredMoment): string {
  const named = [
    tags.noise === undefined ? '' : `noise ${tags.noise}`,
    tags.loss === undefined ? '' : `loss ${tags.loss}`,
    tags.echo === undefined ? '' : `echo ${tags.echo}`,
  ].filter((text) => text !== '');
  return named.length === 0 ? 'clean' : named.join(', ');
}

function share(id: string, title: string, of: Share, target?: Figure['target']): Figure {
  const interval = of.low === undefined ? undefined : ([of.low, of.high!] as const);
  return { ...figure(id, title, of.percent, '%', of.n, target), interval };
}

function figure(
  id: string,
  title: string,
  value: number | undefined,
  unit: Figure['unit'],
  n: number,
  target?: Figure['target'],
): Figure {
  const reached =
    value === undefined || target === undefined
      ? undefined
      : value <= (target.atMost ?? Number.POSITIVE_INFINITY) && value >= (target.atLeast ?? Number.NEGATIVE_INFINITY);
  return { id, title, value, unit, n, target, reached };
}
