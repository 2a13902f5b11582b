import type { Action } from '../dialogue/questions/action-desk.ts';
import type { ActionCatalogue } from './declaration.ts';

const views = new WeakMap<ActionCatalogue, readonly Action[]>();

/**
 * The declared actions as dialogue and grammar see them. The same list every time: what is compiled from it, such as
 * matchers and grammars, is kept by its identity and serves all calls.
 */
export function actionsOf(catalogue: ActionCatalogue): readonly Action[] {
  let view = views.get(catalogue);
  if (view === undefined) {
    view = catalogue.actions.map(({ name, description, parameters, examples, menu, policy }) => ({
      name,
      description,
      parameters,
      examples,
      menu,
      effect: policy.effect === 'change' ? ('change' as const) : ('read' as const),
      readBack: policy.effect === 'change' && policy.confirm !== false,
    }));
    views.set(catalogue, view);
  }
  return view;
}
