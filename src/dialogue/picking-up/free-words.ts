/**
 * What is said in any words, by name: each word, each pair of words that follow each other, `^` before the first, and each
 * pair by its sound (`=`), since a model that has not heard well writes words that sound alike ("voice mail", "voice
 * mila"). Pure; each once. What they are worth is in free-word-weights.ts.
 */
export function wordFeatures(text: string): string[] {
  const words = text.split(' ').filter((word) => word !== '');
  const sounds = words.map(consonants);
  return [...new Set([...words, ...pairs(words), ...pairs(sounds).map((pair) => `=${pair}`)])];
}

function pairs(words: readonly string[]): string[] {
  return words.map((word, i) => `${i === 0 ? '^' : words[i - 1]} ${word}`);
}

/** Voiced or not is one: it is the first that is lost on the telephone. */
const CLASSES: Readonly<Record<string, string>> = {
  ...{ b: 'p', p: 'p', v: 'f', f: 'f', d: 't', t: 't', g: 'k', k: 'k', c: 'k', q: 'k', x: 'k', z: 's', s: 's', j: 's' },
  ...{ m: 'm', n: 'n', l: 'l', r: 'r', w: 'w' },
};

/** A word's consonants by class, as English spells them; `a` for a vowel in front, or alone. */
function consonants(word: string): string {
  const spelt = word
    .replaceAll("'", '')
    .replaceAll(/ph|gh/g, 'f')
    .replaceAll('ck', 'k')
    .replaceAll(/c(?=[eiy])/g, 's')
    .replaceAll(/[cst]h|sch/g, 's')
    .replace(/^[kg]n/, 'n')
    .replace(/^wr/, 'r')
    // as in "are" and "your": heard in some accents only
    .replaceAll(/(?<=[aeiou])r(?![aeiou])/g, '')
    .replace(/^h/, '');
  let sound = /^[aeiouy]/.test(spelt) ? 'a' : '';
  for (const letter of spelt) {
    const one = CLASSES[letter];
    if (one !== undefined && !sound.endsWith(one)) sound += one;
  }
  return sound || 'a';
}
