import { type Document, isMap, isNode, isPair, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { asFailure } from './errors.ts';

export type YamlPath = readonly PropertyKey[];

export type CheckedYaml<T> =
  | {
      data: T;
      /** `source:line:column` of what stands at a path; of the nearest thing around it when nothing does. */
      at(path: YamlPath): string;
    }
  | { problems: string[] };

/**
 * Reads YAML and checks its form. Every mistake found becomes one line `source:line:column: what is wrong`; `source`
 * names the text in them. The schema's messages must not repeat values: a file may hold secrets.
 */
export function checkedYaml<S extends z.ZodType>(text: string, source: string, schema: S): CheckedYaml<z.output<S>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${source}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => `${place(error.pos[0])}: ${error.message.split('\n')[0]}`) };
  }
  const at = (path: YamlPath) => place(offsetOf(document, path));
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // An alias without its anchor, or aliases that multiply beyond measure.
    return { problems: [`${place(firstAlias(document))}: ${asFailure(error).message}`] };
  }
  // Without code made for it: a file is read once, and making that takes longer.
  const parsed = schema.safeParse(value, { jitless: true });
  if (parsed.success) return { data: parsed.data, at };
  return {
    problems: parsed.error.issues.map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
      return `${at(path)}: ${path.join('.') || 'the file'}: ${issue.message}`;
    }),
  };
}

function firstAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      offset = startOf(alias) ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

/** Where in the text a path stands; the nearest thing around it when it is missing there. */
function offsetOf(document: Document, path: YamlPath): number {
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
