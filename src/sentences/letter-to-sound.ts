/**
 * Pronunciations (ARPAbet) for words that no dictionary has: names of products, spelled letters and figures. Rough by
 * design: one longest-match pass over spelling patterns of English. What is said often belongs into the dictionary.
 */

const LETTERS = new Map(
  table(`
  a EY | b B IY | c S IY | d D IY | e IY | f EH F | g JH IY | h EY CH | i AY | j JH EY | k K EY | l EH L |
  m EH M | n EH N | o OW | p P IY | q K Y UW | r AA R | s EH S | t T IY | u Y UW | v V IY | w D AH B AH L Y UW |
  x EH K S | y W AY | z Z IY
`),
);

const FIGURES = 'Z IH R OW|W AH N|T UW|TH R IY|F AO R|F AY V|S IH K S|S EH V AH N|EY T|N AY N'.split('|');

/** Spelling and sound, parted by bars; `^` only at the start of a word, `$` only at its end, the longest spelling wins. */
const PATTERNS = table(`
  ^kn N | ^gn N | ^wr R | ^ps S | ^x Z | ^y Y | ^rh R | tion SH AH N | sion ZH AH N | cious SH AH S |
  tious SH AH S | ture CH ER | ough AO | augh AO | eigh EY | igh AY | tch CH | dge JH | sch SH | que$ K |
  gue$ G | ious IY AH S | eous IY AH S | ous$ AH S | ful$ F AH L | all AO L | alk AO K | oor AO R | our AO R |
  ear IH R | eer IH R | air EH R | are$ EH R | ore AO R | ire$ AY ER | ure$ Y UH R | ing$ IH NG | ck K | ch CH |
  sh SH | th TH | ph F | wh W | gh G | ng NG | nk NG K | qu K W | ss S | ll L | tt T | pp P | bb B | dd D |
  ff F | gg G | mm M | nn N | rr R | zz Z | cc K | mb$ M | ee IY | ea IY | oo UW | oa OW | ow OW | ou AW |
  oi OY | oy OY | ai EY | ay EY | au AO | aw AO | ei EY | ey$ IY | ey EY | ie$ IY | ie IY | ew UW | ue$ UW |
  ui UW | ia IY AH | io IY OW | eo IY OW | ar AA R | er ER | ir ER | or AO R | ur ER | le$ AH L | es$ Z | ed$ D |
  ce S | ci S IH | cy S IY | ge$ JH | gi JH IH | gy JH IY | y$ IY | e$ | o$ OW | i$ IY | a$ AH | u$ UW | a AE |
  b B | c K | d D | e EH | f F | g G | h HH | i IH | j JH | k K | l L | m M | n N | o AA | p P | q K | r R |
  s S | t T | u AH | v V | w W | x K S | y IH | z Z
`)
  .sort(([a], [b]) => b.length - a.length)
  .map(([pattern, sound]) => ({
    spelling: pattern.replaceAll(/[\^$]/g, ''),
    sound,
    atStart: pattern.startsWith('^'),
    atEnd: pattern.endsWith('$'),
  }));

const LONG_VOWEL: Record<string, string> = { a: 'EY', e: 'IY', i: 'AY', o: 'OW', u: 'UW', y: 'AY' };

/** One pronunciation, or undefined when there is nothing in the word that has a sound in English. */
export function soundsOf(word: string): string | undefined {
  const plain = word
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/\p{M}|'/gu, '');
  if (!/^[a-z0-9._-]+$/.test(plain) || !/[a-z0-9]/.test(plain)) return undefined;
  return plain
    .split(/[._-]+|(?<=\d)|(?=\d)/)
    .filter((part) => part !== '')
    .map((part) => {
      if (/\d/.test(part)) return FIGURES[Number(part)]!;
      return isSpelled(part) ? [...part].map((letter) => LETTERS.get(letter)!).join(' ') : read(part);
    })
    .join(' ');
}

/** Without a vowel nobody can read it: it is an abbreviation. */
function isSpelled(part: string): boolean {
  return part.length === 1 || !/[aeiouy]/.test(part);
}

function read(part: string): string {
  const sounds: string[] = [];
  for (let at = 0; at < part.length; ) {
    const magic = /^([aeiouy])([bcdfgklmnpstvz])e$/.exec(part.slice(at));
    if (magic !== null && at > 0) {
      // "mate", "site", "code": the final e lengthens the vowel
      sounds.push(LONG_VOWEL[magic[1]!]!);
      at += 1;
      continue;
    }
    const { spelling, sound } = PATTERNS.find((pattern) => fits(part, at, pattern))!;
    if (sound !== '') sounds.push(sound);
    at += spelling.length;
  }
  return sounds.join(' ');
}

function fits(part: string, at: number, { spelling, atStart, atEnd }: (typeof PATTERNS)[number]): boolean {
  if (!part.startsWith(spelling, at)) return false;
  if (atStart && at !== 0) return false;
  // a pattern tied to the end needs something before it: "ed" alone is no ending
  return !atEnd || (at > 0 && at + spelling.length === part.length);
}

function table(text: string): [string, string][] {
  return text.split('|').map((entry) => {
    const [spelling = '', ...sounds] = entry.trim().split(/\s+/);
    return [spelling, sounds.join(' ')];
  });
}
