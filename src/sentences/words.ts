/** Short forms and what they stand for, so that "where's" and "where is" are one sentence to the matcher. */
const CONTRACTIONS: Readonly<Record<string, string>> = {
  "where's": 'where is',
  wheres: 'where is',
  "what's": 'what is',
  whats: 'what is',
  "who's": 'who is',
  "how's": 'how is',
  "when's": 'when is',
  "it's": 'it is',
  "that's": 'that is',
  thats: 'that is',
  "there's": 'there is',
  "here's": 'here is',
  "let's": 'let us',
  "i'm": 'i am',
  im: 'i am',
  "you're": 'you are',
  "we're": 'we are',
  "they're": 'they are',
  "i've": 'i have',
  ive: 'i have',
  "you've": 'you have',
  "we've": 'we have',
  "i'd": 'i would',
  "you'd": 'you would',
  "i'll": 'i will',
  "you'll": 'you will',
  "it'll": 'it will',
  gonna: 'going to',
  wanna: 'want to',
  gotta: 'have to',
  cannot: 'can not',
  "can't": 'can not',
  cant: 'can not',
  "won't": 'will not',
  "don't": 'do not',
  dont: 'do not',
  "doesn't": 'does not',
  doesnt: 'does not',
  "didn't": 'did not',
  didnt: 'did not',
  "isn't": 'is not',
  isnt: 'is not',
  "aren't": 'are not',
  "wasn't": 'was not',
  "haven't": 'have not',
  havent: 'have not',
  "hasn't": 'has not',
  hasnt: 'has not',
  "couldn't": 'could not',
  "wouldn't": 'would not',
  "shouldn't": 'should not',
};

/**
 * The words of a text: lower case, without punctuation. Apostrophes inside words stay ("don't"), hyphens part words,
 * separators inside numbers go ("1,204" is 1204).
 */
export function wordsOf(text: string): string[] {
  return (
    plainLetters(text)
      .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
      .match(/[\p{L}\p{N}\p{M}]+(?:'[\p{L}\p{N}\p{M}]+)*/gu) ?? []
  );
}

/** The words of a text with short forms written out, as the matcher compares them. */
export function plainWordsOf(text: string): string[] {
  return wordsOf(text).flatMap((word) => (Object.hasOwn(CONTRACTIONS, word) ? CONTRACTIONS[word]!.split(' ') : [word]));
}

/** One form for what is written in several: letters, capitals, apostrophes. */
export function plainLetters(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u2018\u2019\u02bc`]/g, "'");
}

/** The first of these phrases that begins at `words[at]`. */
export function firstPhraseAt(
  phrases: readonly (readonly string[])[],
  words: readonly string[],
  at: number,
): readonly string[] | undefined {
  return phrases.find((phrase) => phrase.every((word, offset) => words[at + offset] === word));
}
