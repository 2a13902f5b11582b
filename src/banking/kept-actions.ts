import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeptValues } from '../core/kept-values.ts';
import { madeBy } from '../core/made-by.ts';
import type { ActionCatalogue } from './declaration.ts';
import { loadActions } from './load-actions.ts';

const LIMIT_BYTES = 4 << 20;
const OURS = ['.', '../sentences', '../core/checked-yaml.ts'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const require = createRequire(import.meta.url);
const PACKAGES = ['ajv', 'yaml', 'zod'].map((name) => require.resolve(`${name}/package.json`));

/**
 * As loadActions, whose reading and checking takes a fifth of a second: a file that has been found without mistakes by the same
 * checks is taken from `keepIn` as it was read then.
 */
export function loadActionsOnce(path: string, keepIn: string): ActionCatalogue {
  const kept = new KeptValues<ActionCatalogue>(keepIn, LIMIT_BYTES);
  const key = keyOf(path);
  const before = key && kept.get(key);
  if (before) return before;
  const catalogue = loadActions(path);
  if (key) kept.put(key, catalogue);
  return catalogue;
}

/** Undefined where something of it cannot be read: whoever goes on says so. */
function keyOf(path: string): string[] | undefined {
  try {
    return [resolve(path), readFileSync(path, 'utf8'), madeBy({ contents: [...OURS, ...PACKAGES] })];
  } catch {
    return undefined;
  }
}
