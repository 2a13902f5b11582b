import { soundsOf } from './letter-to-sound.ts';

/** The sounds of words, as numbers. */
export type Sounds = Uint8Array;

/** ARPAbet, the vowels first. */
const ALL =
  'AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH'.split(' ');
const VOWELS = 15;
/** A sound too much, or too few. */
const SPARE = 0.7;
/** One vowel for another, one consonant for another, or one for the other. */
const OTHER = { vowel: 0.5, consonant: 0.8, kind: 1.2 };
/** Sounds that differ in their voice or a little in their place, and those that differ in the manner or the place. */
const ALIKE: readonly (readonly [number, string])[] = [
  [
    0.25,
    'P B|T D|K G|F V|TH DH|S Z|SH ZH|CH JH|M N|N NG|AH IH|AH EH|IH IY|AA AO|AA AH|UH UW|AE EH|AH AE|AH UH|ER AH|OW AO|EH IH|AO OW',
  ],
  [
    0.4,
    'TH F|TH S|TH T|DH D|DH V|V B|W L|L R|W R|T K|P T|P K|B D|D G|B G|CH SH|JH ZH|CH T|JH D|S SH|M NG|AY AA|AW AA|OY AO|EY EH|EY IY|ER R|Y IY|W UW|W OW|HH F|P F|B M|D N',
  ],
];

/** What it costs to take one sound for another, by both their numbers. */
const EXCHANGE = exchanges();

function exchanges(): Float32Array {
  const costs = new Float32Array(ALL.length ** 2);
  ALL.forEach((_, a) => {
    ALL.forEach((_, b) => {
      const [one, other] = [a < VOWELS, b < VOWELS];
      costs[a * ALL.length + b] = a === b ? 0 : one !== other ? OTHER.kind : one ? OTHER.vowel : OTHER.consonant;
    });
  });
  for (const [cost, pairs] of ALIKE) {
    for (const pair of pairs.split('|')) {
      const [a, b] = pair.split(' ').map((sound) => ALL.indexOf(sound)) as [number, number];
      costs[a * ALL.length + b] = cost;
      costs[b * ALL.length + a] = cost;
    }
  }
  return costs;
}

/** Roughly, by spelling: enough to compare what was heard with what may have been said. */
export function soundsIn(text: string): Sounds {
  return soundsOfAll([text])[0]!;
}

/** The same of many, which have most of their words in common: each word is read once. */
export function soundsOfAll(texts: readonly string[]): Sounds[] {
  const known = new Map<string, readonly number[]>();
  const of = (word: string): readonly number[] => {
    let numbers = known.get(word);
    if (numbers === undefined) {
      const sounds = (soundsOf(word) ?? '').split(' ');
      numbers = sounds.map((sound) => ALL.indexOf(sound)).filter((number) => number >= 0);
      known.set(word, numbers);
    }
    return numbers;
  };
  return texts.map((text) => Uint8Array.from(text.split(' ').flatMap((word) => (word === '' ? [] : of(word)))));
}

/**
 * How far each of `many` is from `heard`: 0 has the same sounds, above 0.4 has hardly anything in common. An edit distance
 * (Wagner and Fischer 1974) over the longer one's length, weighed by how easily sounds are taken for each other. What stands
 * next to each other in `many` with the same beginning shares the work: sort it. Pure.
 */
export function soundDistances(many: readonly Sounds[], heard: Sounds): Float32Array {
  const width = heard.length + 1;
  const longest = many.reduce((most, { length }) => Math.max(most, length), 0);
  const costs = new Float32Array((longest + 1) * width);
  for (let i = 1; i < width; i++) costs[i] = SPARE * i;
  let before: Sounds = new Uint8Array(0);
  return Float32Array.from(many, (one) => {
    let done = 0;
    while (done < before.length && before[done] === one[done]) done++;
    for (let k = done; k < one.length; k++) goOn(costs, k, one[k]!, heard);
    before = one;
    return costs[one.length * width + heard.length]! / Math.max(1, one.length, heard.length);
  });
}

/** Fills the row behind the sound at `k`. */
function goOn(costs: Float32Array, k: number, sound: number, heard: Sounds): void {
  const width = heard.length + 1;
  const [above, row, exchange] = [k * width, (k + 1) * width, sound * ALL.length];
  costs[row] = costs[above]! + SPARE;
  for (let i = 1; i < width; i++) {
    const spare = Math.min(costs[above + i]!, costs[row + i - 1]!) + SPARE;
    costs[row + i] = Math.min(spare, costs[above + i - 1]! + EXCHANGE[exchange + heard[i - 1]!]!);
  }
}
