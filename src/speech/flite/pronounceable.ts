/** What flite reads wrongly though it is in spoken form, and a spelling that it reads rightly. Keys are lower case. */
const RESPELLED: Record<string, string> = {
  api: 'A P I',
  iban: 'eye ban',
  url: 'U R L',
  bic: 'B I C',
  faq: 'F A Q',
};

/** The spelling of one spoken word for flite, without the punctuation around it; '' when there is nothing to say. */
export function respell(word: string): string {
  const plain = word.normalize('NFKC').replaceAll(/[’‘]/g, "'");
  const core = plain
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .replace(/[^\p{L}\p{N}']+$/u, '')
    .replace(/'$/, '');
  const key = core.toLowerCase();
  return Object.hasOwn(RESPELLED, key) ? RESPELLED[key]! : core;
}

/** A whole piece for flite: every word respelled, with the marks that shape its melody kept. */
export function respellPiece(words: readonly string[]): string {
  return words
    .map((word) => {
      const spoken = respell(word);
      const mark = /[,;:.!?…–—][^\p{L}\p{N}]*$/u.exec(word)?.[0][0] ?? '';
      return spoken + (/[…–—]/.test(mark) ? ',' : mark);
    })
    .filter((spoken) => /[\p{L}\p{N}]/u.test(spoken))
    .join(' ');
}
