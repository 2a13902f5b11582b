import { plainWordsOf, wordsOf } from './words.ts';

/** Ways to say yes. The grammar of a yes-no question offers these very phrases. */
export const YES_PHRASES: readonly string[] = [
  'yes',
  'yeah',
  'yep',
  'yup',
  'yes please',
  'yes i do',
  'yes i am',
  'yes i would',
  'yes that is right',
  'yes do it',
  'yes go ahead',
  'sure',
  'sure thing',
  'of course',
  'okay',
  'all right',
  'alright',
  'correct',
  'that is correct',
  'right',
  'that is right',
  'that is it',
  'exactly',
  'absolutely',
  'definitely',
  'certainly',
  'indeed',
  'affirmative',
  'confirm',
  'confirmed',
  'i confirm',
  'i agree',
  'go ahead',
  'go on',
  'do it',
  'do that',
  'please',
  'please do',
  'please go ahead',
  'i do',
  'i am sure',
  'fine',
  'that is fine',
  'sounds good',
];

/** Ways to say no. */
export const NO_PHRASES: readonly string[] = [
  'no',
  'nope',
  'nah',
  'no no',
  'no no no',
  'not that',
  'no thanks',
  'no thank you',
  'no way',
  'no do not',
  'no i do not',
  'no that is wrong',
  'no that is not right',
  'not really',
  'not now',
  'not yet',
  'not at all',
  'of course not',
  'certainly not',
  'absolutely not',
  'definitely not',
  'i do not',
  'i do not think so',
  'i do not want that',
  'i would rather not',
  'do not',
  'please do not',
  'do not do it',
  'do not do that',
  'wrong',
  'that is wrong',
  'incorrect',
  'that is incorrect',
  'that is not right',
  'that is not correct',
  'not correct',
  'not right',
  'negative',
  'never',
  'never mind',
  'cancel',
  'cancel that',
  'cancel it',
  'stop',
  'stop that',
  'forget it',
  'leave it',
  'i changed my mind',
];

/** Other spellings, understood but not offered to the recogniser. */
const MORE_YES = [
  'ok',
  'okey',
  'yea',
  'ya',
  'yah',
  'aye',
  'uh huh',
  'mhm',
  'mm hmm',
  'positive',
  'very well',
  'carry on',
  'proceed',
  'true',
  'y',
];
const MORE_NO = ['nay', 'not', 'do not bother', 'abort', 'false', 'n', 'no no', 'not that one', 'not quite', 'wait no'];
/** These contain a yes or no word and are neither. */
const NEITHER = [
  'no problem',
  'not sure',
  'i am not sure',
  'i do not know',
  'do not know',
  'right now',
  'what do',
  'do i',
  'excuse me please',
  'no idea',
  'no one',
  'do not understand',
  'why not',
];
/** Politeness alone carries no decision when more is said. */
const WEAK = new Set([
  'right',
  'please',
  'fine',
  'okay',
  'ok',
  'sure',
  'all right',
  'alright',
  'do that',
  'go on',
  'of course',
  'i do',
  'do it',
  'stop',
  'true',
  'positive',
  'indeed',
  'exactly',
  'confirm',
]);

/** More unknown words than this, and a weak (strong) phrase is no answer but part of another sentence. */
const WEAK_LIMIT = 2;
const STRONG_LIMIT = 6;

type Meaning = 'yes' | 'no' | 'neither';
const PHRASES = new Map<string, Meaning>();
for (const phrase of [...YES_PHRASES, ...MORE_YES]) PHRASES.set(plainWordsOf(phrase).join(' '), 'yes');
for (const phrase of [...NO_PHRASES, ...MORE_NO]) PHRASES.set(plainWordsOf(phrase).join(' '), 'no');
for (const phrase of NEITHER) PHRASES.set(plainWordsOf(phrase).join(' '), 'neither');
const LONGEST = Math.max(...[...PHRASES.keys()].map((phrase) => phrase.split(' ').length));
const POLITE = new Set(wordsOf('um uh er erm hmm oh well so just thanks thank you then now it that this is i the a'));

/**
 * Is the text a yes or a no? Undefined when it is neither, when it says both, or when it is a longer sentence that
 * merely contains "right" or "please": whoever asked should ask again, because money may depend on it.
 */
export function yesNo(text: string): 'yes' | 'no' | undefined {
  const words = plainWordsOf(text);
  const strong = new Set<Meaning>();
  const weak = new Set<Meaning>();
  let unknown = 0;
  for (let at = 0; at < words.length; ) {
    const phrase = phraseAt(words, at);
    if (phrase === undefined) {
      if (!POLITE.has(words[at]!)) unknown++;
      at++;
      continue;
    }
    (WEAK.has(phrase) ? weak : strong).add(PHRASES.get(phrase)!);
    at += phrase.split(' ').length;
  }
  if (strong.has('yes') || strong.has('no')) {
    if (unknown > STRONG_LIMIT || (strong.has('yes') && strong.has('no'))) return undefined;
    // "no, please" and "no, sure" are noes; "yes … stop" is not a yes.
    if (strong.has('yes')) return weak.has('no') ? undefined : 'yes';
    return 'no';
  }
  if (unknown > WEAK_LIMIT || weak.size !== 1 || strong.size > 0) return undefined;
  return weak.has('yes') ? 'yes' : 'no';
}

/** The longest phrase that begins here. */
function phraseAt(words: readonly string[], at: number): string | undefined {
  for (let length = Math.min(LONGEST, words.length - at); length > 0; length--) {
    const phrase = words.slice(at, at + length).join(' ');
    if (PHRASES.has(phrase)) return phrase;
  }
  return undefined;
}
