import { withoutTrailingLink } from '../../sentences/joined.ts';
import type { Action } from '../questions/action-desk.ts';
import { readAnswer } from '../questions/answers.ts';
import type { OpenQuestion } from '../questions/errands.ts';
import { requestsIn } from '../requests/request-reader.ts';
import type { Transcript } from '../speaking/voice.ts';

/** "Eight three" sounds like "agent please", a longer sentence like no number. */
const BESIDES_WORDS = 2;

/** Nothing is asked for yet. */
const BEGINS_WITH_PLEASE = /^(?:(?:hello|hi|hey|so|well|um|uh) )*please$/;

type Open = Pick<OpenQuestion, 'question' | 'digits'> | undefined;

/** The recogniser's result with what this moment of the conversation makes of it: is it a whole of what is expected? Pure. */
export function weighed(result: Transcript, open: Open, actions: readonly Action[]): Transcript {
  return {
    ...result,
    complete: isWhole(result, open, actions),
    besides: isBesides(result, open),
    linked: !open && isLinked(result, actions),
  };
}

/** A number is asked for, and this is something else in a word or two: perhaps the first digits, misheard. Pure. */
export function isBesides({ text }: Pick<Transcript, 'text'>, open: Open): boolean {
  if (open?.question.expects.kind !== 'digits' || text.split(' ').length > BESIDES_WORDS) return false;
  return readAnswer(open.question, text, open.digits).kind !== 'value';
}

/**
 * Do the words make a whole of what is expected? Undefined when nobody can tell. Of a number that is better known here
 * than in a grammar: all the digits are there. But "yes and what is my" goes on. Pure.
 */
function isWhole(
  { text, complete }: Pick<Transcript, 'text' | 'complete'>,
  open: Open,
  actions: readonly Action[],
): boolean | undefined {
  const expects = open?.question.expects.kind;
  if (open && (expects === 'digits' || complete === undefined)) {
    const { kind } = readAnswer(open.question, text, open.digits);
    // A beginning is in the grammar too, for who says no more.
    return kind === 'partial' ? false : kind === 'value' || complete;
  }
  if (open) return complete;
  // "Yes" to what nobody has asked; it is how a request begins.
  if (BEGINS_WITH_PLEASE.test(text)) return false;
  // An engine without a grammar cannot tell; the actions' examples can, when the words are among them.
  return complete ?? (requestsIn(text, actions).length > 0 || undefined);
}

/**
 * "Please verify me and": a request, and the word before another one. People say so before a pause, but a breath at the
 * end of a request is heard as "and" too.
 */
function isLinked({ text }: Pick<Transcript, 'text'>, actions: readonly Action[]): boolean {
  const before = withoutTrailingLink(text);
  return before !== undefined && requestsIn(before, actions).length > 0;
}
