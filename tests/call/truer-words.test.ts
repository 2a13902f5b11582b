import { expect, it } from 'vitest';
import { truerWords } from '../../src/call/record/truer-words.ts';

const free = (text: string, confidence: number) => ({ text, confidence });

it.each([
  [
    'free talk of which the grammar made nothing',
    free('there is somebody at the door', 0.94),
    free('', 0.2),
    'there is somebody at the door',
  ],
  [
    'free talk of which the grammar made a request',
    free('let me look that up for you', 0.86),
    free('let me look thank you', 0.82),
    'let me look that up for you',
  ],
  [
    'a request the grammar is sure of',
    free('what is my talent', 0.96),
    free('what is my balance', 0.94),
    'what is my balance',
  ],
  ['a request in noise', free('my car was full', 0.38), free('my card was stolen', 0.7), 'my card was stolen'],
  ['talk in noise that may have been this', free('you know thank you', 0.58), free('', 0.2), 'you know thank you'],
  ['noise alone', free('you', 0.2), free('', 0), ''],
  ['what nobody heard', free('', 1), undefined, ''],
  ['what only the grammar heard', free('', 1), free('yes', 0.6), 'yes'],
] as const)('%s', (_, heard, known, words) => {
  expect(truerWords(heard, known).text).toBe(words);
});
