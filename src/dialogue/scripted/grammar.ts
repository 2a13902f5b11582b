import { compileGrammar, type Grammar, type GrammarSpec } from '../../sentences/grammar.ts';
import { slotsFromSchema } from '../../sentences/slots.ts';
import type { Action } from '../action-desk.ts';
import { commonSentences } from './small-talk.ts';

/** What asks for any of the actions, also several in one breath. */
export function requestSentences(actions: readonly Action[]): NonNullable<GrammarSpec['sentences']> {
  return actions.map(({ examples, parameters }) => ({
    templates: examples,
    slots: slotsFromSchema(parameters),
    joins: true,
  }));
}

/** What a caller may say to an open question: any action's examples, small talk, yes and no, with words around them. */
export function requestGrammar(actions: readonly Action[]): Grammar {
  return compileGrammar({
    sentences: [...requestSentences(actions), ...commonSentences.map(({ templates }) => ({ templates }))],
    yesNo: true,
    fillers: true,
  });
}
