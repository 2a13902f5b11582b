import { compileGrammar, type Grammar } from '../../sentences/grammar.ts';
import { slotsFromSchema } from '../../sentences/slots.ts';
import type { Action } from '../action-desk.ts';
import { commonSentences } from './small-talk.ts';

/** What a caller may say to an open question: any action's examples, small talk, yes and no, with words around them. */
export function requestGrammar(actions: readonly Action[]): Grammar {
  return compileGrammar({
    sentences: [
      ...actions.map(({ examples, parameters }) => ({ templates: examples, slots: slotsFromSchema(parameters) })),
      ...commonSentences.map(({ templates }) => ({ templates })),
    ],
    yesNo: true,
    fillers: true,
  });
}
