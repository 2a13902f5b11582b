import type { Action } from '../questions/action-desk.ts';
import { readAnswer } from '../questions/answers.ts';
import type { OpenQuestion } from '../questions/errands.ts';
import { requestsIn } from '../requests/request-reader.ts';
import type { Transcript } from '../speaking/voice.ts';

/** "Eight three" sounds like "agent please", a longer sentence like no number. */
const BESIDES_WORDS = 2;

/** A number is asked for, and this is something else in a word or two: perhaps the first digits, misheard. Pure. */
export function isBesides(
  { text }: Pick<Transcript, 'text'>,
  open: Pick<OpenQuestion, 'question' | 'digits'> | undefined,
): boolean {
  if (open?.question.expects.kind !== 'digits' || text.split(' ').length > BESIDES_WORDS) return false;
  return readAnswer(open.question, text, open.digits).kind !== 'value';
}

/**
 * Do the words make a whole of what is expected? Undefined when nobody can tell. Of a number that is better known here
 * than in a grammar: all the digits are there. But "yes and what is my" goes on. Pure.
 */
export function isWhole(
  { text, complete }: Pick<Transcript, 'text' | 'complete'>,
  open: OpenQuestion | undefined,
  actions: readonly Action[],
): boolean | undefined {
  const expects = open?.question.expects.kind;
  if (open && (expects === 'digits' || complete === undefined)) {
    return readAnswer(open.question, text, open.digits).kind === 'value' || complete;
  }
  if (open) return complete;
  // An engine without a grammar cannot tell; the actions' examples can, when the words are among them.
  return complete ?? (requestsIn(text, actions).length > 0 || undefined);
}
