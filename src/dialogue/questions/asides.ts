import { isDeepStrictEqual } from 'node:util';
import { digitsIn } from '../../sentences/understand.ts';
import { plainWordsOf } from '../../sentences/words.ts';
import type { Question } from './action-desk.ts';
import { readAnswer } from './answers.ts';

/** Something asked for, as understood from the caller's words. */
export interface AskedFor {
  name: string;
  arguments: Record<string, unknown>;
}

/** What words that ask for something mean while a question is open. */
export type Aside =
  /** What the question is about anyway: it is put again. */
  | { kind: 'same' }
  /** Something else, after which the question comes back. */
  | { kind: 'besides' }
  /** Something else instead: the question is left. */
  | { kind: 'instead' }
  /** The answer, and something else. */
  | { kind: 'answer-and-more'; answer: string };

/** "No, what is my balance", "actually my balance": whoever begins so has changed their mind. */
const INSTEAD = /^(?:no|actually|instead|rather|sorry|never mind|forget (?:it|that)|i mean)\b|\binstead$/;

/**
 * Does the caller ask for something while `question` is open? Undefined when the words are an answer, a command, or
 * nothing: an answer that is whole stays one, and digits of a secret that no request accounts for are never taken
 * for part of one. `before` are digits given in an earlier breath, `read` understands requests.
 */
export function asideIn(
  question: Question,
  said: string,
  before: string,
  about: AskedFor,
  read: (text: string) => readonly AskedFor[],
): Aside | undefined {
  const { expects } = question;
  const answer = readAnswer(question, said, before);
  // A whole number is an answer; a person or goodbye has a way of its own.
  if ((expects.kind === 'digits' && answer.kind === 'value') || answer.kind === 'other') return undefined;
  const asked = read(said);
  if (asked.length === 0 || (question.secret && holdsOtherDigits(said, asked))) return undefined;
  const others = asked.filter((one) => one.name !== about.name || narrowsDifferently(one, about));
  if (others.length === 0) return answer.kind === 'value' ? undefined : { kind: 'same' };
  if (expects.kind === 'yes-no' && answer.kind === 'value') {
    return answer.value === 'no' ? { kind: 'instead' } : { kind: 'answer-and-more', answer: answer.value };
  }
  // "The debit card" said in a whole sentence about the same action.
  if (answer.kind === 'value' && others.every((one) => one.name === about.name)) return undefined;
  const switched = INSTEAD.test(plainWordsOf(said).join(' ')) || others.some((one) => one.name === about.name);
  return { kind: switched ? 'instead' : 'besides' };
}

/** The same action with another argument than was given: that is a change of mind. */
function narrowsDifferently(one: AskedFor, about: AskedFor): boolean {
  return Object.entries(one.arguments).some(
    ([name, value]) => about.arguments[name] !== undefined && !isDeepStrictEqual(about.arguments[name], value),
  );
}

function holdsOtherDigits(said: string, asked: readonly AskedFor[]): boolean {
  const explained = asked.flatMap((one) => Object.values(one.arguments)).filter((value) => /^\d+$/.test(String(value)));
  return digitsIn(said) !== explained.join('');
}
