import { digitsIn, yesNo } from '../../sentences/understand.ts';
import { RATE_REQUESTS, rateRequestIn } from '../speaking/rate-requests.ts';
import type { RateChange } from '../speaking/speech-rate.ts';
import { interjectionOf } from '../turn-taking/interjections.ts';
import type { Question } from './action-desk.ts';

export type Answer =
  | { kind: 'value'; value: string }
  /** Some of the digits; more are awaited. */
  | { kind: 'partial'; digits: string }
  | { kind: 'cancel' }
  | { kind: 'repeat' }
  /** The question again, at another pace. */
  | { kind: 'rate'; rate: RateChange }
  /** "Okay", to a question for a number: it will be given. */
  | { kind: 'acknowledged' }
  /** The caller needs a moment, e.g. to find the card. */
  | { kind: 'wait' }
  /** Something else altogether, e.g. a person, or goodbye: the question is left for it. */
  | { kind: 'other' }
  | { kind: 'unclear' };

type Command = 'cancel' | 'repeat' | 'wait' | 'acknowledged' | 'other';

/** What a caller may say instead of answering; the grammar of every question contains these. */
export const COMMANDS: readonly { kind: Command | 'rate'; templates: readonly string[] }[] = [
  { kind: 'cancel', templates: ['cancel', 'never mind', 'forget it', 'stop', "[i] (do not|don't) want (that|to)"] },
  { kind: 'repeat', templates: ['repeat [that]', '(say|tell me) that again', 'what did you say', 'pardon', 'sorry'] },
  {
    kind: 'wait',
    templates: [
      '(one|just a|just one) (moment|minute|second) [please]',
      '[please] wait [a (moment|minute|second)]',
      '(hold|hang) on [a (moment|minute|second)] [please]',
      'let me (see|think|check|look) [for it]',
      '[wait] i have to (look|find it|look it up)',
    ],
  },
  { kind: 'acknowledged', templates: ['[yes] (okay|all right|sure)', 'okay (yes|sure)'] },
  { kind: 'other', templates: ['agent', '[speak to] (a person|an agent|a human|somebody)', 'operator'] },
  { kind: 'other', templates: ['[thank you] goodbye', 'bye'] },
  ...RATE_REQUESTS.map(({ templates }) => ({ kind: 'rate' as const, templates })),
];

const COMMAND_PATTERNS: readonly [Command, RegExp][] = [
  ['cancel', /\b(?:cancel|never mind|forget (?:it|that)|stop|(?:do not|don't) want)\b/],
  ['repeat', /\b(?:repeat|again|what did you say|pardon)\b|^sorry$/],
  [
    'wait',
    /\b(?:(?:one|a) (?:moment|minute|second)|(?:hold|hang) on|wait|let me (?:see|think|check|look)|have to (?:look|find))\b/,
  ],
  ['other', /\b(?:agent|operator|(?:a|to) (?:person|human)|somebody|goodbye|bye)\b/],
];

/**
 * Reads what was said or keyed as the answer to `question`. `before` are digits given in an earlier breath.
 */
export function readAnswer(question: Question, said: string, before = ''): Answer {
  const text = said.toLowerCase().trim();
  const { expects } = question;
  switch (expects.kind) {
    case 'digits':
      return readDigits(text, before, expects.length) ?? readCommand(text) ?? readAcknowledgement(text);
    case 'yes-no': {
      const answer = text === '1' ? 'yes' : text === '2' ? 'no' : yesNo(text);
      return answer ? { kind: 'value', value: answer } : (readCommand(text) ?? { kind: 'unclear' });
    }
    case 'choice':
      return readChoice(text, expects.options) ?? readCommand(text) ?? { kind: 'unclear' };
  }
}

function readDigits(text: string, before: string, length: number): Answer | undefined {
  const digits = digitsIn(text);
  if (digits === '') return undefined;
  // Somebody who starts over says all of it again.
  if (digits.length === length) return { kind: 'value', value: digits };
  // "One moment" is no digit.
  if (readCommand(text)?.kind === 'wait') return { kind: 'wait' };
  const joined = before + digits;
  if (joined.length === length) return { kind: 'value', value: joined };
  if (joined.length < length) return { kind: 'partial', digits: joined };
  return { kind: 'unclear' };
}

function readAcknowledgement(text: string): Answer {
  return { kind: interjectionOf(text) === 'backchannel' ? 'acknowledged' : 'unclear' };
}

function readChoice(
  text: string,
  options: readonly { value: string; phrases: readonly string[] }[],
): Answer | undefined {
  if (/^\d$/.test(text)) {
    const keyed = options[Number(text) - 1];
    if (keyed) return { kind: 'value', value: keyed.value };
  }
  const found = options.filter((option) =>
    option.phrases.some((phrase) => ` ${text} `.includes(` ${phrase.toLowerCase()} `)),
  );
  return found.length === 1 ? { kind: 'value', value: found[0]!.value } : undefined;
}

function readCommand(text: string): Answer | undefined {
  const rate = rateRequestIn(text);
  if (rate) return { kind: 'rate', rate };
  const found = COMMAND_PATTERNS.find(([, pattern]) => pattern.test(text));
  return found && { kind: found[0] };
}
