import { expect, it } from 'vitest';
import { accented, pronunciationsOf } from '../../src/speech/soundswallower/accents.ts';

it.each([
  ['stop', 'S T AA P', 'S T AO P'],
  ['cancel', 'K AE N S AH L', 'K AA N S AH L'],
  ['correct', 'K ER EH K T', 'K AH R EH K T'],
  ['verify', 'V EH R AH F AY', 'V EH R IH F AY'],
])('knows how "%s" is said elsewhere', (_, american, elsewhere) => {
  expect(accented(american)).toBe(elsewhere);
});

it.each([
  ['card', 'K AA R D'],
  ['transfer', 'T R EH N S F ER'],
  ['no', 'N OW'],
  ['one', 'W AH N'],
])('leaves "%s" as it is', (_, sounds) => {
  expect(accented(sounds)).toBe(sounds);
});

it('knows a "no" that stands alone with British vowels, and what only sounds like it as it is', () => {
  expect(pronunciationsOf('no', ['N OW'])).toEqual(['N OW', 'N AH UW', 'N AA UW', 'N AO', 'D OW']);
  expect(pronunciationsOf('know', ['N OW'])).toEqual(['N OW']);
  expect(pronunciationsOf('stop', ['S T AA P'])).toEqual(['S T AA P', 'S T AO P']);
});
