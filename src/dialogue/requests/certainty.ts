import type { Action } from '../questions/action-desk.ts';
import type { AskedFor } from '../questions/asides.ts';
import type { Utterance } from '../turn-taking/listener.ts';

/**
 * What is done about words that ask for something, by how far they are believed: done; done, and said what was understood;
 * asked whether it was that; nothing.
 */
export type Course = 'do' | 'do-and-say' | 'ask' | 'none';

/** A change that nobody reads back is done only for words that are surer than what else is believed. */
export const SURE = 0.8;
/**
 * What only reads does no harm when it was not wanted, as long as the caller hears what was understood. In noise, where of
 * the requests that the recogniser rejects with more than this 18 in 22 are right (white and babble of 15 dB); on a quiet
 * line what it rejects is mostly no request.
 */
export const LIKELY = 0.12;
/** Below this the guess is mostly wrong, and asking about it helps less than asking for other words. */
const POSSIBLE = 0.02;

/** How words were heard. */
export type Certainty = Pick<Utterance, 'confidence' | 'rejected' | 'noisy'>;

/** What is made of words that ask for `all`; `isPart`: of one of the things only, the likely one. Pure. */
export function decided(
  all: readonly AskedFor[],
  how: Certainty,
  actions: readonly Action[],
): { course: Course; asked: readonly AskedFor[]; isPart: boolean } {
  const asked = likelyOf(all, how, actions);
  const isPart = asked.length < all.length;
  return { course: courseFor(asked, { ...how, rejected: how.rejected || isPart }, actions), asked, isPart };
}

/** `asked`: what the words ask for. Several things in one breath are believed or not. */
function courseFor(
  asked: readonly AskedFor[],
  { confidence, rejected, noisy }: Certainty,
  actions: readonly Action[],
): Course {
  const named = asked.map(({ name }) => actions.find((action) => action.name === name));
  const [only] = named;
  if (named.length !== 1 || only === undefined) return rejected ? 'none' : 'do';
  if (!rejected) return changesUnasked(only) && confidence < SURE ? 'ask' : 'do';
  if (confidence < POSSIBLE) return 'none';
  const isLikely = noisy && confidence >= LIKELY;
  return isLikely && only.effect !== 'change' && !holdsNumber(asked[0]!) ? 'do-and-say' : 'ask';
}

/**
 * Of several things in one breath, on a noisy line, the one that was likely said: what noise adds to a request is "and an
 * agent" and the like.
 */
function likelyOf(
  asked: readonly AskedFor[],
  { confidence, rejected, noisy }: Certainty,
  actions: readonly Action[],
): readonly AskedFor[] {
  if (asked.length < 2 || !noisy || confidence >= SURE) return asked;
  const kept = asked.filter(({ name }) => !actions.some((action) => action.name === name && changesUnasked(action)));
  const clear = !rejected && kept.length === asked.length;
  return clear || kept.length === 0 ? asked : kept.slice(0, 1);
}

/** Numbers are mostly what was misheard. */
function holdsNumber({ arguments: args }: AskedFor): boolean {
  return Object.values(args).some((value) => /\d{3}/.test(String(value)));
}

/** Is something different afterwards of which the caller was not asked before? */
export function changesUnasked({ effect, readBack }: Action): boolean {
  return effect === 'change' && readBack !== true;
}
