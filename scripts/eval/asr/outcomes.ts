import { summarize } from '../../../tests/support/phone/measures.ts';
import type { Heard } from './hearing.ts';
import { KINDS, type Trial } from './trials.ts';

/** right: understood, or rejected where it must be. */
export type Verdict = 'right' | 'rejected' | 'misheard' | 'accepted';

export interface Outcome {
  readonly kind: Trial['kind'];
  readonly awaited: Trial['awaited']['kind'];
  readonly voice: string;
  readonly condition: string;
  readonly said: string;
  readonly heard: string;
  readonly confidence: number;
  readonly noisy: boolean;
  readonly verdict: Verdict;
  readonly audioMs: number;
  readonly duringMs: number;
  readonly finalMs: number;
}

export function judged(
  trial: Trial,
  voice: string,
  condition: string,
  { result, duringMs, finalMs }: Heard,
  audioMs: number,
  meaningOf: (text: string) => string,
): Outcome {
  const rejected = result.rejected === true || result.text === '';
  const understood = trial.words !== undefined && meaningOf(result.text) === meaningOf(trial.words);
  return {
    kind: trial.kind,
    awaited: trial.awaited.kind,
    voice,
    condition,
    said: 'kind' in trial.said ? trial.said.kind : trial.said.join(' '),
    heard: result.text,
    confidence: result.confidence,
    noisy: result.noisy === true,
    verdict:
      trial.words === undefined
        ? rejected
          ? 'right'
          : 'accepted'
        : rejected
          ? 'rejected'
          : understood
            ? 'right'
            : 'misheard',
    audioMs,
    duringMs,
    finalMs,
  };
}

/** Shares right of what must be understood and of what must be rejected, by condition, kind and voice; and the time it took. */
export function tables(outcomes: readonly Outcome[], wrong: boolean): string {
  const lines = [
    table('condition', outcomes, ({ condition }) => condition),
    table('kind', outcomes, ({ kind }) => kind, KINDS),
    table('voice', outcomes, ({ voice }) => voice),
    times(outcomes),
  ];
  if (wrong) lines.push(...outcomes.filter(({ verdict }) => verdict !== 'right').map(wrongLine));
  return `${lines.join('\n')}\n`;
}

function table(
  title: string,
  outcomes: readonly Outcome[],
  of: (outcome: Outcome) => string,
  order: readonly string[] = [...new Set(outcomes.map(of))],
): string {
  const head = [title.padEnd(24), 'understood', 'rejected', 'misheard', '   n', ' kept out', 'accepted', '   n'].join(
    '  ',
  );
  const rows = [...order, 'all'].flatMap((name) => {
    const mine = name === 'all' ? outcomes : outcomes.filter((outcome) => of(outcome) === name);
    if (mine.length === 0) return [];
    const inside = mine.filter(({ kind }) => kind !== 'outside' && kind !== 'sound');
    const outside = mine.filter(({ kind }) => kind === 'outside' || kind === 'sound');
    const cells = [
      ...(['right', 'rejected', 'misheard'] as const).map((verdict) => share(inside, verdict)),
      String(inside.length).padStart(4),
      ...(['right', 'accepted'] as const).map((verdict) => share(outside, verdict)),
      String(outside.length).padStart(4),
    ];
    const widths = [10, 8, 8, 4, 9, 8, 4];
    return [[name.padEnd(24), ...cells.map((cell, i) => cell.padStart(widths[i]!))].join('  ')];
  });
  return `${[head, ...rows].join('\n')}\n`;
}

function share(outcomes: readonly Outcome[], verdict: Verdict): string {
  if (outcomes.length === 0) return '-';
  const count = outcomes.filter((outcome) => outcome.verdict === verdict).length;
  return `${((100 * count) / outcomes.length).toFixed(1)} %`;
}

function times(outcomes: readonly Outcome[]): string {
  const final = summarize(outcomes.map(({ finalMs }) => finalMs));
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const audio = sum(({ audioMs }) => audioMs);
  const share = (of: (outcome: Outcome) => number) => `${((100 * sum(of)) / audio).toFixed(1)} % of its length`;
  return (
    `final result  p50 ${final?.p50.toFixed(0)} ms, p95 ${final?.p95.toFixed(0)} ms, max ${final?.max.toFixed(0)} ms (n ${outcomes.length})\n` +
    `CPU           ${share(({ duringMs }) => duringMs)} while speech is heard, ${share(({ finalMs }) => finalMs)} behind it\n`
  );
}

function wrongLine({ verdict, condition, voice, kind, said, heard, confidence }: Outcome): string {
  return `${verdict.padEnd(8)}  ${condition}, ${voice}, ${kind}: "${said}" -> "${heard}" ${confidence.toFixed(2)}`;
}
