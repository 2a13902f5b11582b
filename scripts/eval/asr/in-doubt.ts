import type { Action } from '../../../src/dialogue/questions/action-desk.ts';
import { decided, LIKELY } from '../../../src/dialogue/requests/certainty.ts';
import { askedIn, isHarmless } from '../../../src/dialogue/requests/request-reader.ts';
import { groupBy } from '../score/statistics.ts';
import type { Outcome } from './outcomes.ts';

type Fate = 'at once' | 'told' | 'asked' | 'lost' | 'wrong' | 'wrongly told' | 'wrongly asked';
const FATES: readonly Fate[] = ['at once', 'told', 'asked', 'lost', 'wrong', 'wrongly told', 'wrongly asked'];

/**
 * What the dialogue makes of requests, and of what is none, that were heard to an open question (docs/actions.md, In
 * doubt): served at once; served with a word of what was understood; asked about; lost, which is right for what is none.
 */
export function doubtTable(outcomes: readonly Outcome[], actions: readonly Action[]): string {
  const open = outcomes.filter(({ awaited, kind }) => awaited === 'request' && kind !== 'short');
  const head = `${'what becomes of it'.padEnd(34)}${FATES.map((fate) => fate.padStart(15)).join('')}      n`;
  const rows = [...groupBy(open, ({ condition }) => condition)].flatMap(([condition, all]) =>
    (['request', 'none'] as const).flatMap((what) => {
      const mine = all.filter(({ kind }) => (kind === 'request') === (what === 'request'));
      if (mine.length === 0) return [];
      const fates = mine.map((one) => fateOf(one, actions));
      const counts = FATES.map((fate) => String(fates.filter((each) => each === fate).length).padStart(15));
      return [`${`${condition}, ${what}`.padEnd(34)}${counts.join('')}${String(mine.length).padStart(7)}`];
    }),
  );
  return rows.length === 0 ? '' : `${[head, ...rows].join('\n')}\n`;
}

function fateOf({ kind, said, heard, verdict, confidence, noisy }: Outcome, actions: readonly Action[]): Fate {
  const rejected = verdict === 'rejected' || heard === '' || (kind !== 'request' && verdict === 'right');
  const wanted = kind === 'request' ? JSON.stringify(askedIn(said, actions)) : undefined;
  const { course, asked } = decided(askedIn(heard, actions), { confidence, rejected, noisy }, actions);
  const right = wanted === JSON.stringify(asked);
  if (course === 'ask') return right ? 'asked' : 'wrongly asked';
  if (course === 'do-and-say') return right ? 'told' : 'wrongly told';
  if (!rejected) return verdict === 'right' ? 'at once' : 'wrong';
  // talk, of which the words tell as much as their meaning
  const served = noisy && confidence >= LIKELY && isHarmless(heard, actions);
  return served ? (kind === 'request' && isHarmless(said, actions) ? 'at once' : 'wrong') : 'lost';
}
