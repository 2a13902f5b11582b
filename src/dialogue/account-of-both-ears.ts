import type { Question } from './questions/action-desk.ts';
import { holdsNumber } from './questions/spoken-secrets.ts';
import type { Utterance } from './turn-taking/listener.ts';

/**
 * What each ear made of the words, and what was made of both: for whoever wants to know why a caller was not understood.
 * Undefined where only one ear heard them, and where a number is waited for or heard by either, which may be secret. Pure.
 */
export function accountOf(
  first: Utterance,
  judged: Utterance,
  question: Question | undefined,
): Record<string, unknown> | undefined {
  const { otherwise } = first;
  const kind = question?.expects.kind;
  if (otherwise === undefined || question?.secret || (kind !== undefined && kind !== 'yes-no')) return undefined;
  if ([first.text, otherwise.text, judged.text].some(holdsNumber)) return undefined;
  const best = otherwise.fits?.toSorted((a, b) => b.fit - a.fit)[0];
  return {
    ...{ guess: first.text, confidence: rounded(first.confidence), rejected: first.rejected, noisy: first.noisy },
    ...{ otherwise: otherwise.text, certainty: rounded(otherwise.confidence) },
    fits: otherwise.fits?.length ?? otherwise.unfitted ?? 'not asked',
    ...(best && { fitsBest: best.text, fit: rounded(best.fit) }),
    ...{ taken: judged.text, believed: !judged.rejected, likelihood: rounded(judged.confidence) },
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
