/** Vowels in ARPAbet, the consonants begin otherwise. */
const VOWEL = /^[AEIOU]/;

/**
 * "No" is said alone, as an answer and to be heard over somebody, so it has to be known as it is said anywhere: with the
 * vowel of Britain's south (GOAT), opener, and as the one long vowel of the north; and with an "n" that begins as a stop,
 * as it does behind silence. In other words these vowels hurt, and before them a stop made "no" of "oh".
 */
const SAID_ALONE: Readonly<Record<string, readonly string[]>> = {
  no: ['N AH UW', 'N AA UW', 'N AO', 'D OW'],
};

/** All ways to say `word` that are expected, given those of the dictionary. */
export function pronunciationsOf(word: string, known: readonly string[]): string[] {
  return [...new Set([...known, ...known.map(accented), ...(SAID_ALONE[word] ?? [])])];
}

/**
 * A word of the dictionary, which is American, as others say it (lexical sets of Wells, Accents of English, 1982): "stop"
 * with a rounded vowel (LOT, as in nearly all of Britain), "cancel" and "last" with an open one (TRAP and BATH, as in the
 * north and in most of what is spoken today), "correct" without an "er", "verify" with the "i" of "it". The same where
 * nothing differs. Other differences are left out: words without their "r" fitted what was none of them.
 */
export function accented(sounds: string): string {
  const phones = sounds.split(' ');
  return phones
    .flatMap((phone, at) => {
      const next = phones[at + 1] ?? '';
      if (phone === 'AA' && next !== 'R') return ['AO'];
      if (phone === 'AE') return ['AA'];
      if (phone === 'ER' && VOWEL.test(next)) return ['AH', 'R'];
      if (phone === 'AH' && next === 'F' && phones[at + 2] === 'AY') return ['IH'];
      return [phone];
    })
    .join(' ');
}
