import { firstPhraseAt } from './words.ts';

/** What people say between two requests in one breath. */

/** Before another one: "block my card and tell me my balance". Longer ones first, so that nothing of them is left. */
export const JOINS: readonly (readonly string[])[] = [
  ['and', 'then'],
  ['and', 'also'],
  ['and'],
  ['then'],
  ['also'],
  ['plus'],
];

/** Before another one instead: "my balance, no, my last transactions". */
export const CORRECTIONS: readonly (readonly string[])[] = [
  ['no', 'i', 'mean'],
  ['sorry', 'i', 'mean'],
  ['no', 'wait'],
  ['no', 'sorry'],
  ['no', 'actually'],
  ['i', 'mean'],
  ['or', 'rather'],
  ['actually'],
  ['rather'],
  ['sorry'],
  ['no'],
];

export interface Link {
  /** Does what follows come on top, or instead of what was before? */
  kind: 'and' | 'instead';
  /** Index of its first word, and of the first word behind it. */
  at: number;
  next: number;
}

/** Places in a text, in order, at which one request may end and another begin. */
export function linksIn(words: readonly string[]): Link[] {
  const links: Link[] = [];
  for (let at = 1; at < words.length - 1; at++) {
    const found = linkAt(words, at);
    if (found === undefined) continue;
    links.push(found);
    at = found.next - 1;
  }
  return links;
}

/** "Block my card and" without its last word; undefined where the text ends in no link. */
export function withoutTrailingLink(text: string): string | undefined {
  const words = text.split(' ');
  const link = [...JOINS, ...CORRECTIONS].find(
    (way) => way.length < words.length && way.every((word, i) => word === words[words.length - way.length + i]),
  );
  return link && words.slice(0, -link.length).join(' ');
}

function linkAt(words: readonly string[], at: number): Link | undefined {
  const correction = firstPhraseAt(CORRECTIONS, words, at);
  if (correction) return { kind: 'instead', at, next: at + correction.length };
  const join = firstPhraseAt(JOINS, words, at);
  if (join === undefined) return undefined;
  // "and no, rather …"
  const behind = at + join.length;
  const taken = firstPhraseAt(CORRECTIONS, words, behind);
  return taken ? { kind: 'instead', at, next: behind + taken.length } : { kind: 'and', at, next: behind };
}
