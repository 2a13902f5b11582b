import { compileGrammar, type Grammar, type GrammarSpec } from '../../sentences/grammar.ts';
import { slotsFromSchema } from '../../sentences/slots.ts';
import { parseTemplate } from '../../sentences/template.ts';
import type { Action } from '../questions/action-desk.ts';
import { commonSentences, QUESTIONS_TO_US } from './small-talk.ts';

/** What asks for any of the actions, also several in one breath. */
function requestSentences(actions: readonly Action[]): NonNullable<GrammarSpec['sentences']> {
  return actions.map(({ examples, parameters }) => ({
    templates: examples,
    slots: slotsFromSchema(parameters),
    joins: true,
  }));
}

/**
 * What callers say instead of an answer when they have a question themselves. Sentences with a number in them make a
 * grammar much larger, so they are in only where a number may be given in place of the answer (`numbers`).
 */
export function counterQuestions(actions: readonly Action[], numbers: boolean): NonNullable<GrammarSpec['sentences']> {
  const talk = commonSentences.filter(({ id }) => QUESTIONS_TO_US.has(id));
  const requests = requestSentences(actions).map(({ templates, slots = {}, ...rest }) => {
    const isNumber = (name: string) => slots[name]?.kind === 'digits';
    const plain = templates.filter((one) => !parseTemplate(one).slots.some(isNumber));
    return { ...rest, slots, templates: numbers ? templates : plain };
  });
  return [...talk.map(({ templates }) => ({ templates })), ...requests.filter(({ templates }) => templates.length > 0)];
}

/**
 * What a caller may say to an open question: any action's examples, small talk, yes and no, with words around them.
 * `besides`: other sentences, as templates.
 */
export function requestGrammar(actions: readonly Action[], besides: readonly string[] = []): Grammar {
  return compileGrammar({
    sentences: [
      ...requestSentences(actions),
      ...commonSentences.map(({ templates }) => ({ templates })),
      ...(besides.length > 0 ? [{ templates: besides }] : []),
    ],
    yesNo: true,
    fillers: 'all',
  });
}
