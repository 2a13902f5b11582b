/** What flite reads wrongly, and a spelling that it reads rightly. Keys are lower case. */
const RESPELLED: Record<string, string> = {
  '&': 'and',
  '@': 'at',
  '+': 'plus',
  '=': 'equals',
  '#': 'number',
  api: 'A P I',
  iban: 'eye ban',
  url: 'U R L',
  bic: 'B I C',
  faq: 'F A Q',
};

const CURRENCY: Record<string, [one: string, many: string, hundredths: string]> = {
  '€': ['euro', 'euros', 'cents'],
  '£': ['pound', 'pounds', 'pence'],
};

/** After these words four figures are read one by one: "the card ending in 4321" names no quantity. */
const BEFORE_FIGURES = /^(?:ending|in|with|number|code|digits|card|account|extension|pin)$/i;

/**
 * The spelling of one word of a text for flite, without the punctuation around it; '' when there is nothing to say.
 * `before` is the word in front of it.
 */
export function respell(word: string, before = ''): string {
  const plain = word.normalize('NFKC').replaceAll(/[’‘]/g, "'");
  const known = RESPELLED[plain.toLowerCase()];
  if (known !== undefined) return known;
  const core = plain
    .replace(/^[^\p{L}\p{N}$€£]+/u, '')
    .replace(/[^\p{L}\p{N}%']+$/u, '')
    .replace(/'$/, '');
  const spelled = RESPELLED[core.toLowerCase()];
  if (spelled !== undefined) return spelled;
  const money = /^([€£])([\d,]+)(?:\.(\d\d))?$/.exec(core);
  if (money !== null) return readMoney(money[1]!, money[2]!.replaceAll(',', ''), money[3]);
  if (/^\d{4}$/.test(core) && BEFORE_FIGURES.test(before)) return [...core].join(' ');
  return /[\p{L}\p{N}]/u.test(core) ? core : '';
}

function readMoney(sign: string, whole: string, part: string | undefined): string {
  const [one, many, hundredths] = CURRENCY[sign]!;
  const unit = `${whole} ${Number(whole) === 1 ? one : many}`;
  return part === undefined || part === '00' ? unit : `${unit} ${Number(part)} ${hundredths}`;
}

/** A whole piece for flite: every word respelled, with the marks that shape its melody kept. */
export function respellPiece(words: readonly string[]): string {
  return words
    .map((word, index) => {
      const spoken = respell(word, words[index - 1]);
      const mark = /[,;:.!?…–—][^\p{L}\p{N}]*$/u.exec(word)?.[0][0] ?? '';
      return spoken + (/[…–—]/.test(mark) ? ',' : mark);
    })
    .filter((spoken) => /[\p{L}\p{N}]/u.test(spoken))
    .join(' ');
}
