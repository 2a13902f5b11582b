/** The phones of the acoustic model (CMU's set, without stress). */
export const PHONES =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ');

const PREFIX = 'gbg_';
/** Share of the probability that what is said is no sentence of the grammar. */
export const GARBAGE_SHARE = 1e-4;

/** The words of the garbage branch: each is one phone. */
export const GARBAGE_WORDS: readonly (readonly [string, string])[] = PHONES.map((phone) => [
  PREFIX + phone.toLowerCase(),
  phone,
]);

/** Is there anything in it that the grammar's own words did not explain? */
export function hasGarbage(text: string): boolean {
  return text.includes(PREFIX);
}
