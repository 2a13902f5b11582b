import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Document, isMap, isNode, isPair, LineCounter, type Node, parseDocument } from 'yaml';
import { asFailure, Failure } from '../core/errors.ts';
import { checkMeaning } from './check-actions.ts';
import { type ActionCatalogue, fileSchema } from './declaration.ts';

type Path = readonly PropertyKey[];

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
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${source}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw bad(document.errors.map((error) => `${place(error.pos[0])}: ${error.message.split('\n')[0]}`));
  }
  const at = (path: Path) => place(offsetOf(document, path));
  const parsed = fileSchema.safeParse(document.toJS());
  if (!parsed.success) {
    throw bad(
      parsed.error.issues.map((issue) => {
        const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
        return `${at(path)}: ${path.join('.') || 'the file'}: ${issue.message}`;
      }),
    );
  }
  const catalogue: ActionCatalogue = { ...parsed.data, source };
  const problems = checkMeaning(catalogue, (schema) => {
    new Ajv2020({ strict: false }).compile(schema);
  });
  if (problems.length > 0) throw bad(problems.map((p) => `${at(p.path)}: ${p.path.join('.')}: ${p.message}`));
  return catalogue;
}

function bad(problems: readonly string[]): Failure {
  return new Failure(problems.join('\n'), { code: 'bad-actions-file', blame: 'us' });
}

/** Where in the text a path stands; the nearest thing around it when it is missing there. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(key));
      if (pair === undefined) break;
      // The key when there is nothing behind it.
      offset = startOf(pair.value) ?? startOf(pair.key) ?? offset;
      if (!isNode(pair.value)) break;
      if (isMap(pair.value)) offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else {
      const item = (node as { items?: unknown[] } | null)?.items?.[Number(key)];
      if (item === undefined) break;
      offset = startOf(item) ?? offset;
      node = item;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? ((node as Node).range?.[0] ?? undefined) : undefined;
}
