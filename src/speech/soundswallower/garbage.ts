import type { JsgfGrammar } from './jsgf.ts';

/** The phones of the acoustic model (CMU's set, without stress). */
export const PHONES =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ');

const PREFIX = 'gbg_';
/** Share of the probability that what is said is no sentence of the grammar. */
const SHARE = 0.01;

/** The words of the garbage branch: each is one phone. */
export const GARBAGE_WORDS: readonly (readonly [string, string])[] = PHONES.map((phone) => [
  PREFIX + phone.toLowerCase(),
  phone,
]);

/** Is there anything in it that the grammar's own words did not explain? */
export function hasGarbage(text: string): boolean {
  return text.includes(PREFIX);
}

/**
 * The grammar with a branch beside it that matches any speech, phone by phone. The grammar's sentences win where they
 * fit, because a phone out of 39 costs more than the next phone of a word; where they do not, garbage wins.
 */
export function withGarbage(jsgf: string, grammar: JsgfGrammar): string {
  const inner = jsgf.replace(/\bpublic(?=\s*<)/, '');
  return `${inner}
public <zz_any> = /${1 - SHARE}/ <${grammar.publicRule}> | /${SHARE}/ <zz_garbage>;
<zz_garbage> = <zz_phone>+;
<zz_phone> = ( ${GARBAGE_WORDS.map(([word]) => word).join(' | ')} );
`;
}
