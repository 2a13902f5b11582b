import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordFeatures } from '../../src/dialogue/picking-up/free-words.ts';

const soundsOf = (text: string) => wordFeatures(text).filter((name) => name.startsWith('='));

describe('what is said in any words', () => {
  it('is words and pairs, the first one behind the beginning', () => {
    const names = wordFeatures("hello you've reached");
    expect(names).toEqual(expect.arrayContaining(['hello', "you've", '^ hello', "hello you've", "you've reached"]));
    expect(wordFeatures('')).toEqual([]);
  });

  it.each([
    ['voice mail', 'voice mila'],
    ['calling us', 'cauling as'],
    ['leave a', 'leaf a'],
    ['your call', 'you cull'],
  ])('sounds alike where it is misheard: %s, %s', (said, heard) => {
    expect(soundsOf(heard)).toEqual(soundsOf(said));
  });

  it.each([
    ['leave a', 'love me'],
    ['press one', 'please hold'],
  ])('does not sound like everything: %s, %s', (one, other) => {
    expect(soundsOf(one)).not.toEqual(soundsOf(other));
  });

  it('names each once, whatever is said', () => {
    const word = fc.stringMatching(/^[a-z']{1,12}$/);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const names = wordFeatures(words.join(' '));
        expect(new Set(names).size).toBe(names.length);
        expect(names.length).toBeLessThanOrEqual(3 * words.length);
        for (const one of words) expect(names).toContain(one);
      }),
    );
  });
});
