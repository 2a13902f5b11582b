import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitClauses } from '../../src/speech/flite/clauses.ts';
import { PromptCache } from '../../src/speech/flite/prompt-cache.ts';
import { respell, respellPiece } from '../../src/speech/flite/pronounceable.ts';
import { alignWords, parsePhones } from '../../src/speech/flite/word-timing.ts';

describe('a text to be spoken', () => {
  it('is divided at sentence ends, and long sentences at clause ends', () => {
    expect(splitClauses('Yes. Your new credit card was shipped yesterday, and the tracking number is 12345.')).toEqual([
      'Yes.',
      'Your new credit card was shipped yesterday,',
      'and the tracking number is 12345.',
    ]);
    expect(splitClauses('Mr. Smith, hello.')).toEqual(['Mr. Smith, hello.']);
    expect(splitClauses('Your balance is $1,204.50 today')).toEqual(['Your balance is $1,204.50 today']);
    expect(splitClauses('  ')).toEqual([]);
  });

  it('is divided also where nothing in it says so, so that nobody waits for half a minute of speech', () => {
    const pieces = splitClauses('word '.repeat(200));
    expect(pieces.join(' ')).toBe('word '.repeat(200).trim());
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(140);
    expect(splitClauses(`${'x'.repeat(500)} ${'y'.repeat(500)}`)).toEqual(['x'.repeat(500), 'y'.repeat(500)]);
  });

  it('loses no word by it', () => {
    const word = fc.constantFrom('hello', 'and', 'Mr.', 'end.', 'pause,', '—', '...', '12', 'why?', 'transactions');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        expect(splitClauses(words.join(' ')).join(' ')).toBe(words.join(' '));
      }),
    );
  });

  it('is respelled where the voice would read it wrongly', () => {
    expect(respell('(API)')).toBe('A P I');
    expect(respell('—')).toBe('');
    expect(respellPiece(['Hello', '—', 'you,', 'IBAN', 'me!'])).toBe('Hello you, eye ban me!');
  });
});

describe('word times', () => {
  it('survive sounds that change between words', () => {
    const spoken = parsePhones('pau:0.2 dh:0.3 iy:0.4 ae:0.5 p:0.6 pau:0.7 d:0.8 ax:0.9 n:1.0 pau:1.2');
    expect(alignWords(spoken, [['dh', 'ax'], ['ae', 'p', 'l'], [], ['d', 'ah', 'n']])).toEqual([
      [0.2, 0.4],
      [0.4, 0.6],
      [0.6, 0.6],
      [0.7, 1.0],
    ]);
  });

  it('never run backwards, whatever the voice said', () => {
    const phone = fc.constantFrom('a', 'b', 'aa', 'iy', 'pau', 't');
    fc.assert(
      fc.property(fc.array(phone), fc.array(fc.array(phone, { maxLength: 5 }), { maxLength: 8 }), (names, words) => {
        const spoken = names.map((name, i) => ({ name, start: i, end: i + 1 }));
        let last = 0;
        for (const [start, end] of alignWords(spoken, words)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(names.length);
      }),
    );
  });
});

describe('the prompt cache', () => {
  const piece = (samples: number) => ({ pcm: new Int16Array(samples), words: [] });

  it('stays within its bytes and lets fixed prompts go last', () => {
    const cache = new PromptCache(10_000);
    cache.put('welcome', piece(1500), true);
    cache.put('a', piece(1500), false);
    cache.put('b', piece(1500), false);
    expect(cache.get('a')).toBeDefined();
    cache.put('c', piece(1500), false);
    expect(cache.has('b')).toBe(false);
    expect(cache.has('a')).toBe(true);
    cache.put('d', piece(2500), false);
    expect(cache.has('welcome')).toBe(true);
    expect(cache.bytes).toBeLessThanOrEqual(10_000);
    cache.put('too large', piece(9000), false);
    expect(cache.has('too large')).toBe(false);
  });

  it('hands out copies, because playing takes the buffer away', () => {
    const cache = new PromptCache(10_000);
    cache.put('a', piece(100), true);
    const taken = cache.get('a')!;
    structuredClone(taken, { transfer: [taken.pcm.buffer as ArrayBuffer] });
    expect(taken.pcm.length).toBe(0);
    expect(cache.get('a')!.pcm.length).toBe(100);
  });
});
