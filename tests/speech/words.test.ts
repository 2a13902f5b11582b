import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { soundsOf } from '../../src/sentences/letter-to-sound.ts';
import { Dictionary } from '../../src/speech/soundswallower/dictionary.ts';
import { PHONES } from '../../src/speech/soundswallower/garbage.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';

let dictionary: Dictionary;

beforeAll(async () => {
  const library = dirname(createRequire(import.meta.url).resolve('soundswallower'));
  dictionary = await Dictionary.load(`${library}/model/en-us/dict.txt`);
});

describe('words for the recogniser', () => {
  it('come with every pronunciation the dictionary has', () => {
    expect(dictionary.lookup('card')).toEqual(['K AA R D']);
    expect(dictionary.lookup('the')).toEqual(['DH AH', 'DH IY']);
    expect(dictionary.lookup("can't")).toEqual(['K AE N T']);
    // the one place where the file is out of order
    expect(dictionary.lookup('stilted')).toEqual(['S T IH L T IH D']);
    expect(dictionary.lookup('stilton')).toHaveLength(1);
    expect(dictionary.lookup('zyzzyva')).toEqual([]);
    expect(dictionary.lookup('')).toEqual([]);
  });

  it('are sounded out when no dictionary has them', () => {
    for (const word of ['iban', 'klarna', 'paypass', 'b2b', '24', 'xk', 'café', 'e-mail', 'contactless']) {
      const sounds = soundsOf(word)!.split(' ');
      expect(sounds.length, word).toBeGreaterThan(1);
      for (const phone of sounds) expect(PHONES, word).toContain(phone);
    }
    expect(soundsOf('24')).toBe('T UW F AO R');
    expect(soundsOf('xk')).toBe('EH K S K EY');
    expect(soundsOf('日本')).toBeUndefined();
    expect(soundsOf("'")).toBeUndefined();
  });

  it('make a grammar fail by name when nobody can pronounce them', () => {
    const grammars = new GrammarCache(dictionary);
    const jsgf = '#JSGF V1.0;\ngrammar g;\npublic <s> = pay with 日本;\n';
    expect(() => grammars.get({ key: 'k', jsgf })).toThrow(/日本/);
  });
});
