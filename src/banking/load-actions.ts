import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checkedYaml } from '../core/checked-yaml.ts';
import { asFailure, Failure } from '../core/errors.ts';
import { checkMeaning } from './check-actions.ts';
import { type ActionCatalogue, fileSchema } from './declaration.ts';

/**
 * Reads and checks an actions file. Throws Failure code bad-actions-file whose message has a line `file:line:column:
 * what is wrong` for every mistake found.
 */
export function loadActions(path: string): ActionCatalogue {
  const source = resolve(path);
  let text: string;
  try {
    text = readFileSync(source, 'utf8');
  } catch (error) {
    throw bad([`${source}: ${asFailure(error).message}`]);
  }
  return parseActions(text, source);
}

/** As loadActions, from text; `source` names it in messages. */
export function parseActions(text: string, source: string): ActionCatalogue {
  const parsed = checkedYaml(text, source, fileSchema);
  if ('problems' in parsed) throw bad(parsed.problems);
  const { data, at } = parsed;
  const catalogue: ActionCatalogue = { ...data, source };
  // One for all: each would compile the meta-schema anew. Schemas of two actions may have the same `$id`.
  const ajv = new Ajv2020({ strict: false });
  const problems = checkMeaning(catalogue, (schema) => {
    ajv.compile(schema);
    ajv.removeSchema(schema);
  });
  if (problems.length > 0) throw bad(problems.map((p) => `${at(p.path)}: ${p.path.join('.')}: ${p.message}`));
  return catalogue;
}

function bad(problems: readonly string[]): Failure {
  return new Failure(problems.join('\n'), { code: 'bad-actions-file', blame: 'us' });
}
