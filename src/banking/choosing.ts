import type { Logger } from '../core/log.ts';
import type { Question } from '../dialogue/questions/action-desk.ts';
import { type Data, fillIn, holds, valueAt } from './data-paths.ts';
import type { ActionDeclaration, Choice, Conditions } from './declaration.ts';
import { said } from './interpret.ts';
import { redact } from './redact.ts';

/** The items of the bank's answer that the request can mean; undefined when the answer holds no list. */
export function candidates(choice: Choice, response: unknown, scope: Data): Data[] | undefined {
  const items = valueAt(response, choice.items);
  if (!Array.isArray(items)) return undefined;
  const conditions: Conditions = {};
  for (const [path, condition] of Object.entries(choice.where)) {
    const filled = fillIn(condition, scope);
    // An argument that was not given narrows nothing down.
    if (filled !== undefined) conditions[path] = filled as Conditions[string];
  }
  return items.filter((item): item is Data => typeof item === 'object' && item !== null && holds(conditions, item));
}

/**
 * Asks which of the items is meant. The values are positions from 1: the ids are the bank's business. A phrase that
 * several items share tells nothing and is left out.
 */
export function choiceQuestion(
  choice: Choice,
  items: readonly Data[],
  context: { action: ActionDeclaration; scope: Data; now: Date; log: Logger },
): Question {
  const shown = redact([...items]);
  const phrases = shown.map((item) =>
    choice.phrases
      .map((phrase) => said(phrase, { ...context.scope, ...item }, context))
      .filter((text) => text !== undefined),
  );
  const uses = new Map<string, number>();
  for (const phrase of phrases.flatMap((all) => [...new Set(all)])) uses.set(phrase, (uses.get(phrase) ?? 0) + 1);
  const reprompt = choice.reprompt ?? choice.prompt;
  return {
    slot: choice.as,
    expects: {
      kind: 'choice',
      options: phrases.map((all, index) => ({
        value: String(index + 1),
        phrases: [...new Set(all)].filter((phrase) => uses.get(phrase) === 1),
      })),
    },
    secret: false,
    prompt: said(choice.prompt, { ...context.scope, items: shown }, context) ?? reprompt,
    reprompt: said(reprompt, { ...context.scope, items: shown }, context) ?? reprompt,
    mustBeHeard: false,
  };
}
