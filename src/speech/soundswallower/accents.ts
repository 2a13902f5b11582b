/** Vowels in ARPAbet, the consonants begin otherwise. */
const VOWEL = /^[AEIOU]/;

/**
 * A word of the dictionary, which is American, as others say it (lexical sets of Wells, Accents of English, 1982): "stop"
 * with a rounded vowel (LOT, as in nearly all of Britain), "cancel" and "last" with an open one (TRAP and BATH, as in the
 * north and in most of what is spoken today), "correct" without an "er", "verify" with the "i" of "it". The same where
 * nothing differs. Other differences are left out: an "oh" as in London made "no" of "hmm", and words without their "r"
 * fitted what was none of them.
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
