import { isDeepStrictEqual } from 'node:util';
import type { HistoryItem } from '../models/language-model.ts';
import type { Prompts } from '../speaking/prompts.ts';
import type { ActionResult, Question } from './action-desk.ts';
import type { AskedFor } from './asides.ts';

/** What words that may have been misheard are shown by in a prompt. */
export const WORDS = '{words}';

/** Said around what is asked for, or heard in noise where nothing was said. */
const AROUND =
  /^(?:(?:um|uh|well|so|hello|hi|okay|yes|no|please|sorry) )+| (?:please|thanks|thank you|now|right now)$/g;

/** `prompt` with what was understood. */
export function saidBack(prompt: string, words: string): string {
  return prompt.replace(WORDS, words.replaceAll(AROUND, ''));
}

/** Asked before anything is done for words of which nobody is sure. */
export function meaningQuestion(words: string, prompts: Prompts): Question {
  const prompt = saidBack(prompts.didYouSay, words);
  return {
    slot: 'meaning',
    expects: { kind: 'yes-no' },
    secret: false,
    prompt,
    reprompt: prompt,
    mustBeHeard: false,
  };
}

/** What comes of a request that nobody made. */
export function misheard({ misheard: say }: Prompts): ActionResult {
  return { ok: false, code: MISHEARD, data: {}, say };
}

/** Is this what the caller was asked about? */
export function isMeant(asked: AskedFor, about: AskedFor): boolean {
  return asked.name === about.name && isDeepStrictEqual(asked.arguments, about.arguments);
}

/** Has the caller said that this was not what they said? */
export function wasDenied(history: readonly HistoryItem[], asked: AskedFor): boolean {
  return history.some((item) => item.role === 'action' && item.result.code === MISHEARD && isMeant(item, asked));
}

/** Code of what was asked about and is not what the caller said. */
export const MISHEARD = 'misheard';
