import { asFailure } from '../core/errors.ts';
import { slotsFromSchema } from '../sentences/slots.ts';
import { sayFault } from '../sentences/spoken.ts';
import { parseTemplate } from '../sentences/template.ts';
import { placeholdersIn } from './data-paths.ts';
import type { ActionCatalogue, ActionDeclaration, HttpBinding } from './declaration.ts';

export interface Mistake {
  path: (string | number)[];
  message: string;
}

/** Names that the data of a `say` has besides the result's own. */
const GIVEN_NAMES = ['args', 'customer', 'caller'];

/** Mistakes that the form alone does not show: names that lead nowhere, policies that contradict each other. */
export function checkMeaning(
  catalogue: ActionCatalogue,
  compile: (schema: Record<string, unknown>) => void,
): Mistake[] {
  const mistakes: Mistake[] = [];
  const seen = new Set<string>();
  catalogue.actions.forEach((action, index) => {
    const note = (path: (string | number)[], message: string) =>
      mistakes.push({ path: ['actions', index, ...path], message });
    if (seen.has(action.name)) note(['name'], `there is another action "${action.name}"`);
    seen.add(action.name);
    try {
      compile(action.parameters);
    } catch (error) {
      note(['parameters'], asFailure(error).message);
    }
    checkPolicy(catalogue, action, note);
    checkExamples(action, note);
    const { required } = action.parameters;
    if (action.menu !== undefined && Array.isArray(required) && required.length > 0) {
      note(['menu'], 'a key tells no parameter, and this action requires one');
    }
    checkBindings(action, note);
    checkResult(action, note);
    checkSay(action, note);
  });
  checkVerification(catalogue, mistakes);
  return mistakes;
}

type Note = (path: (string | number)[], message: string) => void;

function checkPolicy(catalogue: ActionCatalogue, action: ActionDeclaration, note: Note): void {
  const { effect, verification, confirm } = action.policy;
  const verifies = verification === 'required' || effect === 'verify';
  if (verifies && catalogue.verification === undefined) {
    note(['policy'], 'the file has no "verification", so nobody can be verified');
  }
  if (effect === 'verify') {
    if (action.http !== undefined) note(['http'], 'an action with effect "verify" has no call of its own');
    return;
  }
  if (action.http === undefined) note([], 'the action has no "http"');
  if (effect === 'change' && confirm === undefined) {
    note(['policy'], 'a change needs "confirm": what is read back, or false when nothing of value moves');
  }
  if (effect === 'read' && action.http !== undefined && action.http.method !== 'GET') {
    note(['http', 'method'], `an action with effect "read" cannot be a ${action.http.method}`);
  }
  if (action.choose !== undefined && action.choose.http.method !== 'GET') {
    note(['choose', 'http', 'method'], 'what can be chosen is looked up with GET');
  }
}

function checkExamples(action: ActionDeclaration, note: Note): void {
  for (const [name, property] of Object.entries(action.parameters.properties)) {
    const values = Array.isArray(property.enum) ? property.enum.map(String) : [];
    for (const value of Object.keys((property['x-phrases'] as object | undefined) ?? {})) {
      if (!values.includes(value)) {
        note(['parameters', 'properties', name, 'x-phrases', value], `"${value}" is none of the values of "${name}"`);
      }
    }
  }
  const slots = slotsFromSchema(action.parameters);
  action.examples.forEach((example, index) => {
    try {
      for (const slot of parseTemplate(example).slots) {
        if (slots[slot] !== undefined) continue;
        note(['examples', index], `{${slot}} is no parameter with an enum, a range, or a pattern of digits`);
      }
    } catch (error) {
      note(['examples', index], asFailure(error).message);
    }
  });
}

function checkBindings(action: ActionDeclaration, note: Note): void {
  const names = new Set(['caller']);
  if (action.policy.verification === 'required') names.add('customer');
  const parameters = new Set(Object.keys(action.parameters.properties));
  const check = (path: (string | number)[], value: unknown, extra: readonly string[] = []) => {
    for (const placeholder of placeholdersIn(value)) {
      const [root = '', name = ''] = placeholder.split('.');
      if (root === 'args' ? parameters.has(name) : names.has(root) || extra.includes(root)) continue;
      note(path, `{${placeholder}} is not known here`);
    }
  };
  const checkBinding = (path: (string | number)[], binding: HttpBinding, extra: readonly string[] = []) => {
    for (const part of ['path', 'query', 'body'] as const) check([...path, part], binding[part], extra);
  };
  if (action.choose !== undefined) {
    checkBinding(['choose', 'http'], action.choose.http);
    check(['choose', 'where'], action.choose.where);
  }
  // A customer who is not verified is not in the data; a body may still name one for when there is.
  if (action.http !== undefined) checkBinding(['http'], action.http, [action.choose?.as ?? '', 'customer']);
}

function checkSay(action: ActionDeclaration, note: Note): void {
  const chosen = action.choose === undefined ? [] : [action.choose.as];
  const given = [...GIVEN_NAMES, ...chosen];
  const known = new Set([...given, ...Object.keys(action.result)]);
  for (const name of Object.keys(action.result)) {
    if (given.includes(name)) note(['result', name], `"${name}" has a meaning already`);
  }
  const checkForm = (path: (string | number)[], say: string | undefined) => {
    const fault = say === undefined ? undefined : sayFault(say);
    if (fault !== undefined) note(path, fault);
    return fault === undefined;
  };
  const check = (path: (string | number)[], say: string, names: ReadonlySet<string>) => {
    if (!checkForm(path, say)) return;
    for (const name of namesIn(say)) {
      if (!names.has(name)) note(path, `{${name}} is neither in "result" nor known otherwise`);
    }
  };
  action.outcomes.forEach((outcome, index) => {
    check(['outcomes', index, 'say'], outcome.say, known);
    for (const name of Object.keys(outcome.when)) {
      if (!known.has(name.split('.')[0]!)) note(['outcomes', index, 'when', name], `there is no "${name}" in "result"`);
    }
  });
  if (Object.keys(action.outcomes.at(-1)?.when ?? {}).length > 0) {
    note(
      ['outcomes', action.outcomes.length - 1],
      'the last outcome has no "when": something must be said in every case',
    );
  }
  action.problems.forEach((problem, index) => {
    check(['problems', index, 'say'], problem.say, new Set(given));
  });
  const { confirm } = action.policy;
  if (typeof confirm === 'object') {
    for (const part of ['prompt', 'reprompt', 'declined'] as const) {
      const say = confirm[part];
      if (say !== undefined) check(['policy', 'confirm', part], say, new Set(given));
    }
  }
  const { choose } = action;
  if (choose === undefined) return;
  checkForm(['choose', 'prompt'], choose.prompt);
  checkForm(['choose', 'reprompt'], choose.reprompt);
  // What they name besides stands in the bank's items, which nobody has declared.
  choose.phrases.forEach((phrase, index) => {
    checkForm(['choose', 'phrases', index], phrase);
  });
  checkForm(['choose', 'none', 'say'], choose.none.say);
}

/** Where the fields of a result are taken from. */
function checkResult(action: ActionDeclaration, note: Note): void {
  const roots = ['response', 'args', 'caller', 'customer', ...(action.choose ? [action.choose.as] : [])];
  for (const [name, field] of Object.entries(action.result)) {
    const path = typeof field === 'string' ? field : field.from;
    if (roots.includes(path.split('.')[0]!)) continue;
    note(['result', name], `"${path}" is not known here: a path begins with ${roots.join(', ')}`);
  }
}

/** First names of the placeholders of a `say`; those inside `each:` belong to the items and are not looked at. */
function namesIn(say: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (let at = 0; at < say.length; at++) {
    if (say[at] === '}') depth--;
    if (say[at] !== '{') continue;
    depth++;
    const name = /^\{\s*(\w+)/.exec(say.slice(at))?.[1];
    if (depth === 1 && name !== undefined) names.push(name);
  }
  return names;
}

function checkVerification(catalogue: ActionCatalogue, mistakes: Mistake[]): void {
  const { verification } = catalogue;
  if (verification === undefined) return;
  const note = (path: (string | number)[], message: string) =>
    mistakes.push({ path: ['verification', ...path], message });
  const known = new Set(['answers.customer_number', 'answers.pin', 'caller.phone']);
  for (const placeholder of placeholdersIn([verification.http.path, verification.http.query, verification.http.body])) {
    if (!known.has(placeholder)) note(['http'], `{${placeholder}} is not known here`);
  }
  if (placeholdersIn([verification.http.path, verification.http.query]).includes('answers.pin')) {
    note(['http'], 'the PIN belongs into the body: addresses end up in logs');
  }
  const { preselect, customerNumber } = verification;
  for (const placeholder of placeholdersIn(preselect && [preselect.http.path, preselect.http.query])) {
    if (placeholder !== 'caller.phone') note(['preselect', 'http'], `{${placeholder}} is not known here`);
  }
  if (preselect !== undefined && preselect.http.method !== 'GET') {
    note(['preselect', 'http', 'method'], 'customers are looked up with GET');
  }
  const { argument } = customerNumber;
  const verifying = catalogue.actions.filter(({ policy }) => policy.effect === 'verify');
  if (argument !== undefined && verifying.every(({ parameters }) => !Object.hasOwn(parameters.properties, argument))) {
    note(['customerNumber', 'argument'], `no action with effect "verify" has a parameter "${argument}"`);
  }
  if (verification.http.method === 'GET') note(['http', 'method'], 'a PIN is sent in a body, so not with GET');
}
