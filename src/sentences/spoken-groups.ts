import { SMALL_NUMBERS } from './number-words.ts';

/** A written word, parted from the punctuation around it. */
export interface Written {
  lead: string;
  core: string;
  tail: string;
}

/** Country and check digits of an IBAN (ISO 13616), its groups of four, and what is left of it in the last one. */
const IBAN_HEAD = /^[A-Z]{2}\d{2}$/;
const IBAN_GROUP = /^[A-Z0-9]{4}$/;
const IBAN_REST = /^(?=.*\d)[A-Z0-9]{1,3}$/;
/** The shortest has fifteen signs: a head, two whole groups and more. */
const FEWEST_IBAN_GROUPS = 4;

const FIGURES = /^\d{2,6}(?:-\d{2,6})*$/;
const FIRST_FIGURES = /^\+?\d{1,6}(?:-\d{2,6})*$/;
/** A number to dial without the area's has this many figures. */
export const FEWEST_DIALLED = 7;

/**
 * What is written in groups with blanks between them and is one name for something: an IBAN, a telephone number, the
 * number of a card. Group by group, sign by sign, with a rest between the groups; undefined for every other word. Said
 * each for itself the groups would be years and quantities: "nineteen", "twenty twenty four", "four hundred fifty six".
 */
export function spokenGroups(written: readonly Written[]): (string | undefined)[] {
  const said = new Array<string | undefined>(written.length).fill(undefined);
  for (let at = 0; at < written.length; ) {
    const length = ibanAt(written, at) || numberAt(written, at);
    for (let i = at; i < at + length; i++) {
      const rest = i < at + length - 1 && written[i]!.tail === '' ? ',' : '';
      said[i] = signs(written[i]!.core) + rest;
    }
    at += Math.max(1, length);
  }
  return said;
}

/** How many words from here on are an IBAN; 0: none is. */
function ibanAt(written: readonly Written[], at: number): number {
  const goesOn = (i: number, form: RegExp) =>
    form.test(written[i]?.core ?? '') && written[i]!.lead === '' && written[i - 1]!.tail === '';
  if (!IBAN_HEAD.test(written[at]!.core)) return 0;
  let end = at + 1;
  while (goesOn(end, IBAN_GROUP)) end++;
  if (goesOn(end, IBAN_REST)) end++;
  return end - at >= FEWEST_IBAN_GROUPS ? end - at : 0;
}

/** How many words from here on are one number in groups; 0: none is. */
function numberAt(written: readonly Written[], at: number): number {
  const first = written[at]!;
  const inBrackets = first.lead.endsWith('(') && first.tail === ')';
  if (!FIRST_FIGURES.test(first.core) || (first.tail !== '' && !inBrackets)) return 0;
  let end = at + 1;
  let sameLength = true;
  for (; FIGURES.test(written[end]?.core ?? ''); end++) {
    const { lead, core, tail } = written[end]!;
    // "+44 (0)20 ...": what is in brackets is a group too.
    if (lead !== '' && lead !== '(') break;
    if (core.length < 3) sameLength = false;
    if (tail !== '' && tail !== ')') {
      end++;
      break;
    }
  }
  const groups = end - at;
  const figures = written.slice(at, end).reduce((sum, { core }) => sum + digitCount(core), 0);
  if (groups < 2 || figures < FEWEST_DIALLED) return 0;
  // As a telephone number begins, or as many groups of some length as nobody counts with.
  const dialled = /^[+0]/.test(first.core) || inBrackets;
  return dialled || (groups >= 3 && sameLength && first.core.length >= 3) ? groups : 0;
}

export function digitCount(core: string): number {
  return core.replaceAll(/\D/g, '').length;
}

/** Letters and figures one by one. */
export function signs(core: string): string {
  const spelled = core
    .replace(/^\+/, '')
    .split('-')
    .map((group) => [...group].map((sign) => SMALL_NUMBERS[Number(sign)] ?? sign).join(' '));
  return (core.startsWith('+') ? 'plus ' : '') + spelled.join(', ');
}
