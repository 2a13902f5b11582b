/** The phones of the acoustic model (CMU's set, without stress). */
export const PHONES =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ');

const PREFIX = 'gbg_';
/** Share of the probability that what is said is no sentence of the grammar. */
export const GARBAGE_SHARE = 1e-4;

/** The words of the garbage branch: each is one phone. */
export const PHONE_WORDS: readonly (readonly [string, string])[] = PHONES.map((phone) => [
  PREFIX + phone.toLowerCase(),
  phone,
]);

/**
 * What people hum while they listen or think, whole: phone by phone it costs more than "an agent" does, which has the
 * same sounds but for its vowels.
 */
const HUMS: readonly (readonly [string, string])[] = [
  ['mm', 'M'],
  ['hmm', 'HH M'],
  ['mhm', 'M HH M'],
  ['mmm', 'AH M'],
  ['umhum', 'AH M HH AH M'],
  ['uhhum', 'AH HH AH M'],
  ['uhhuh', 'AH HH AH'],
].map(([name, sounds]) => [PREFIX + name, sounds!]);
export const HUM_WORDS = HUMS.map(([word]) => word);
/** How likely it is that a segment is just that. */
export const HUM_SHARE = 0.02;

/** All that the engine's dictionary must hold besides a grammar's words. */
export const GARBAGE_WORDS = [...PHONE_WORDS, ...HUMS];

/** Is there anything in it that the grammar's own words did not explain? */
export function hasGarbage(text: string): boolean {
  return text.includes(PREFIX);
}
