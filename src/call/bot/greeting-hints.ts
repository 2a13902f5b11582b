import { createHash } from 'node:crypto';
import { GREETING_PHRASES, GREETING_WORDS } from '../../dialogue/picking-up/greeting-words.ts';
import type { SpeechHints } from '../../speech/ports.ts';

/** What stands between the phrases: short and frequent words, which together sound like anything. */
const BACKGROUND =
  'a the to of and in is it for on at we you i me my your he she be are was not no so or if do go see now new one two three four five six seven eight nine oh uh um day time man men son sons john mary anna peter smith brown green miller city first national office home house line park street insurance company bank motors practice group';

/** A phrase counts for as much as so many words of the background. */
const PHRASE_WEIGHT = 4;

/**
 * In any words it is heard in time for both judgements (MachineDetection): these are of audio that begins a quarter of a
 * second before the speech, and a look takes 0.15 s on a machine with time, 0.35 s on a busy one.
 */
const BESIDES_AT_MS = [2600, 4900];

/** For the recogniser while it is not clear who has answered: the phrases of greetings, in any order, among anything. */
export const GREETING_HINTS: SpeechHints = (() => {
  const phrases = GREETING_PHRASES.map((phrase) => `/${PHRASE_WEIGHT}/ ${phrase}`);
  const words = [...GREETING_WORDS, ...BACKGROUND.split(' ')].map((word) => `/1/ ${word}`);
  const jsgf = `#JSGF V1.0;\ngrammar greeting;\npublic <s> = ( ${[...phrases, ...words].join(' | ')} )+ ;\n`;
  const key = createHash('sha256').update(jsgf).digest('hex').slice(0, 16);
  return { key, jsgf, secret: false, besidesAtMs: BESIDES_AT_MS };
})();
