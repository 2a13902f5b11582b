import type { Action } from '../dialogue/action-desk.ts';
import type { ActionCatalogue } from './declaration.ts';

/** The declared actions as dialogue and grammar see them. */
export function actionsOf(catalogue: ActionCatalogue): readonly Action[] {
  return catalogue.actions.map(({ name, description, parameters, examples }) => ({
    name,
    description,
    parameters,
    examples,
  }));
}
