import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Data } from './data-paths.ts';
import type { ActionDeclaration } from './declaration.ts';
import { redact } from './redact.ts';

// Words become numbers where the schema wants them, and what it does not know is dropped: both come from a model. That
// the schema is one was checked when the actions were loaded: a call does not wait for the meta-schema.
const ajv = new Ajv2020({
  strict: false,
  validateSchema: false,
  coerceTypes: true,
  useDefaults: true,
  removeAdditional: 'all',
});
const validators = new WeakMap<ActionDeclaration, ValidateFunction>();

export type CheckedArguments = { ok: true; args: Data } | { ok: false; problem: string };

/** Arguments as the action's parameters want them, defaults filled in; a problem never repeats a value. */
export function checkArguments(action: ActionDeclaration, args: Data): CheckedArguments {
  let validate = validators.get(action);
  if (validate === undefined) {
    validate = ajv.compile(action.parameters);
    validators.set(action, validate);
  }
  // Models send null for what they leave out.
  const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const checked: Data = redact(structuredClone(Object.fromEntries(given)));
  if (validate(checked)) return { ok: true, args: checked };
  return { ok: false, problem: ajv.errorsText(validate.errors, { dataVar: action.name }) };
}
