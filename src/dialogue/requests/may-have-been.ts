import type { Action } from '../questions/action-desk.ts';
import type { Reading } from './request-reader.ts';
import { bySound, type SoundsLike } from './sentences-by-sound.ts';

/**
 * Of the things to ask for that sound like what the second ear wrote so many wordings each, the nearest first: only the very
 * wording fits well. And of small talk, yes and no.
 */
const WORDINGS = [4, 3, 2, 2, 1];
const OTHERS = 2;
/** Of those that sound like the guess. */
const BY_GUESS = 2;
/** Further down nothing is near. */
const FAR = 300;
const FAR_FROM_GUESS = 60;

/**
 * What may have been said to an open question, where one ear guesses this and the other wrote that
 * ('' for nothing): the guess and what it is put together of, since what a room adds to a request is "and an agent" and the
 * like; and the sentences that sound most like either, some fifteen in all. Pure.
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
  for (const text of byOtherEar(otherwise, actions)) found.add(text);
  const meanings = new Set<string>();
  for (const near of nearest(guess, actions, FAR_FROM_GUESS)) {
    if (meanings.size === BY_GUESS) break;
    if (meanings.has(keyOf(near))) continue;
    meanings.add(keyOf(near));
    found.add(near.text);
  }
  return [...found];
}

function* byOtherEar(otherwise: string, actions: readonly Action[]): Generator<string, void, void> {
  /** How many more of each thing to ask for. */
  const more = new Map<string, number>();
  const others = new Set<string>();
  for (const near of nearest(otherwise, actions, FAR)) {
    const { reading, text } = near;
    if (reading.kind === 'requests') {
      const asked = reading.requests.map(({ name }) => name).join();
      const left = more.get(asked) ?? WORDINGS[more.size] ?? 0;
      if (left === 0) continue;
      more.set(asked, left - 1);
      yield text;
    } else if (others.size < OTHERS && !others.has(keyOf(near))) {
      others.add(keyOf(near));
      yield text;
    }
  }
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
