import { abbreviated } from './abbreviations.ts';
import { cardinalWords, SMALL_NUMBERS } from './number-words.ts';
import { type Neighbours, spokenDay, spokenFigures } from './spoken-figures.ts';
import { signs, spokenGroups, type Written } from './spoken-groups.ts';

const SYMBOLS: Readonly<Record<string, string>> = {
  '&': 'and',
  '@': 'at',
  '%': 'percent',
  '+': 'plus',
  '=': 'equals',
  '#': 'number',
};
const DOMAIN = /^(?:https?:\/\/)?(?:[\w-]+\.)+(?:com|org|net|gov|edu|info|bank|io|eu|us|uk|de|ch|example)(?:\/\S*)?$/;
const MAIL = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/;

/**
 * The spoken form of a text, word by word: amounts, numbers, dates, times, card endings and abbreviations in words, as
 * people say them in American English; everything else as it is. One entry for each word given, so that what was heard
 * can be told in the words that were written; '' for a word that is said with the one before it ("20 EUR").
 * Punctuation stays, for the melody. Of a word without end the beginning is said. Pure; never throws; no figure is left.
 */
export function spokenForm(words: readonly string[]): string[] {
  const written = words.map(parse);
  const grouped = spokenGroups(written);
  const spoken: string[] = [];
  written.forEach((word, at) => {
    const near: Neighbours = {
      before: written[at - 1]?.core ?? '',
      before2: written[at - 2]?.core ?? '',
      after: written[at + 1]?.core ?? '',
      after2: written[at + 2]?.core ?? '',
    };
    const said = grouped[at] ?? spokenWord(word, near) ?? word.core;
    // The full stop of an abbreviation in mid-sentence is no rest.
    const last = at === words.length - 1;
    const tail = said !== word.core && !last ? word.tail.replace(/^\.+/, '') : word.tail;
    // What is said with the word before leaves its punctuation there.
    if (said === '' && at > 0) spoken[at - 1] += word.tail;
    spoken.push(said === '' ? '' : word.lead + withoutFigures(said) + tail);
  });
  return spoken;
}

/** The spoken form of a whole text. */
export function spokenText(text: string): string {
  return spokenForm(text.split(/\s+/).filter((word) => word !== ''))
    .filter((word) => word !== '')
    .join(' ');
}

/** Nobody follows a longer word; the longest in use have forty letters, an IBAN thirty-four signs. */
const LONGEST_WORD = 64;

function parse(given: string): Written {
  const word = given.length > LONGEST_WORD ? given.slice(0, LONGEST_WORD).toWellFormed() : given;
  // "2½" is "2 1⁄2" then: the blank says which figures are whole ones, the sign (U+2044) that it is no date.
  const whole = word.replaceAll(/(?<=\d)(?=[¼½¾⅐-⅞])/gu, ' ');
  const plain = whole.normalize('NFKC').replaceAll(/[’‘]/g, "'").replaceAll(/[−‐‑]/g, '-');
  // Asterisks and such in front of figures hide a card number; elsewhere they are markup.
  const [, lead = '', core = '', tail = ''] =
    /^((?:["'([{_`“„]|\*(?![*x•]*\d))*)(.*?)([*_`"')\]}”,;:.!?…]*)$/su.exec(plain) ?? [];
  if (core === '') return { lead: '', core: plain, tail: '' };
  return { lead: lead.replaceAll(/[*_`]/g, ''), core, tail: tail.replaceAll(/[*_`]/g, '') };
}

function spokenWord({ core, tail }: Written, near: Neighbours): string | undefined {
  if (Object.hasOwn(SYMBOLS, core)) return SYMBOLS[core];
  const stop = tail.startsWith('.');
  const day = spokenDay(core, stop, near);
  if (day !== undefined) return day;
  if (MAIL.test(core) || DOMAIN.test(core)) return spelledAddress(core);
  if (/^[\p{L}.'/]+$/u.test(core)) return title(core, stop, near) ?? abbreviated(core, stop) ?? alternatives(core);
  return spokenFigures(core, near) ?? spelledReference(core);
}

/** Short forms that only their neighbours explain. */
function title(core: string, stop: boolean, { before, after }: Neighbours): string | undefined {
  const named = /^\p{Lu}/u.test(after);
  switch (core.toLowerCase()) {
    case 'dr':
      return named || !/^\p{Lu}/u.test(before) ? 'Doctor' : 'drive';
    case 'st':
      if (!stop) return undefined;
      return named && !/^\p{Lu}/u.test(before) ? 'Saint' : 'street';
    case 'no':
      return stop && /^#?\d/.test(after) ? 'number' : undefined;
    case 'nos':
      return stop ? 'numbers' : undefined;
    case 'am':
      return /\d$/.test(before) ? 'A M' : undefined;
    case 'min':
      return /^\d+$/.test(before) ? 'minutes' : undefined;
    default:
      return undefined;
  }
}

/** "debit/credit" is "debit or credit", "and/or" is "and or". */
function alternatives(core: string): string | undefined {
  const parts = core.split('/');
  if (parts.length < 2 || parts.some((part) => part === '')) return undefined;
  return core.toLowerCase() === 'and/or' ? 'and or' : parts.join(' or ');
}

function spelledAddress(core: string): string {
  return core
    .replace(/^https?:\/\//, '')
    .replaceAll('@', ' at ')
    .replaceAll('.', ' dot ')
    .replaceAll('/', ' slash ')
    .replaceAll('-', ' dash ')
    .replaceAll('_', ' underscore ')
    .trim();
}

/** A reference such as AB1234: letters and figures one by one. */
function spelledReference(core: string): string | undefined {
  if (!/^(?=.*\d)(?=.*[A-Z])[A-Z\d-]+$/.test(core)) return undefined;
  return signs(core.replaceAll('-', ''));
}

/** Whatever figures are left, inside words and behind signs nobody foresaw. */
function withoutFigures(said: string): string {
  if (!/\d/.test(said)) return said;
  return said
    .replaceAll(/(?<=\d)\.(?=\d)/g, ' point ')
    .replaceAll(/\d+/g, (figures) => {
      const short = figures.length < 3 && !figures.startsWith('0');
      return ` ${short ? cardinalWords(Number(figures)) : [...figures].map((one) => SMALL_NUMBERS[Number(one)]).join(' ')} `;
    })
    .replaceAll(/\s+/g, ' ')
    .trim();
}
