import type { Action } from '../questions/action-desk.ts';
import type { Reading } from './request-reader.ts';
import { bySound, type SoundsLike } from './sentences-by-sound.ts';

/** So many meanings that sound like what the second ear wrote, two wordings of each; and of those that sound like the guess. */
const MEANINGS = 5;
const WORDINGS = 2;
const BY_GUESS = 2;
/** Further down nothing is near. */
const FAR = 300;
const FAR_FROM_GUESS = 60;

/**
 * What may have been said to an open question, where one ear guesses this and the other wrote that
 * ('' for nothing): the guess and what it is put together of, since what a room adds to a request is "and an agent" and the
 * like; and the sentences that sound most like either, some eleven in all. Pure.
 */
export function mayHaveBeen(guess: string, otherwise: string, actions: readonly Action[]): readonly string[] {
  const found = new Set<string>();
  if (guess !== '') found.add(guess);
  const parts = new Set<string>();
  for (const part of guess === '' ? [] : bySound(actions).within(guess)) {
    if (parts.size === BY_GUESS) break;
    if (parts.has(keyOf(part))) continue;
    parts.add(keyOf(part));
    found.add(part.text);
  }
  const wordings = new Map<string, number>();
  for (const near of nearest(otherwise, actions, FAR)) {
    const meaning = keyOf(near);
    const known = wordings.get(meaning) ?? 0;
    if (known === WORDINGS || (known === 0 && wordings.size === MEANINGS)) continue;
    wordings.set(meaning, known + 1);
    found.add(near.text);
  }
  const meanings = new Set<string>();
  for (const near of nearest(guess, actions, FAR_FROM_GUESS)) {
    if (meanings.size === BY_GUESS) break;
    if (meanings.has(keyOf(near))) continue;
    meanings.add(keyOf(near));
    found.add(near.text);
  }
  return [...found];
}

function* nearest(text: string, actions: readonly Action[], most: number): Generator<SoundsLike, void, void> {
  if (text === '') return;
  let count = 0;
  for (const near of bySound(actions).nearest(text)) {
    if (++count > most) return;
    yield near;
  }
}

function keyOf({ text, reading }: { text: string; reading: Reading }): string {
  return reading.kind === 'unclear' ? text : JSON.stringify(reading);
}
