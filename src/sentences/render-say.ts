import { asFailure, Failure } from '../core/errors.ts';
import { spokenDate, spokenDigits, spokenList, spokenMoney, spokenNumber } from './spoken-values.ts';

type Data = Record<string, unknown>;

const FILTERS: ReadonlySet<string> = new Set(['money', 'number', 'digits', 'words', 'date', 'list', 'plural', 'each']);

/**
 * Fills a sentence with a result's data: `Your balance is {balance|money:USD}.` Filters: `money:CODE` or `money:key`
 * (the key of a currency code), `digits`, `number`, `date`, `list` (an array of strings), `words` (in_production is
 * "in production"), `plural:transaction` (the noun for a count), and `each:TEMPLATE` (an array of objects, each rendered
 * with a template of its own and joined as a list). Paths may be dotted: `{card.kind}`.
 * Throws Failure code missing-key naming the key, bad-say for a template or value that cannot be said.
 */
export function renderSay(template: string, data: Record<string, unknown>, now: Date): string {
  let said = '';
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{', at);
    if (open < 0) return said + template.slice(at);
    const close = closing(template, open);
    said += template.slice(at, open) + placeholder(template.slice(open + 1, close), data, now);
    at = close + 1;
  }
  return said;
}

/** What is wrong with a sentence whatever it is filled with: a brace that is not closed, a filter there is none of. */
export function sayFault(template: string): string | undefined {
  try {
    for (let open = template.indexOf('{'); open >= 0; ) {
      const close = closing(template, open);
      const { filter, argument = '' } = parted(template.slice(open + 1, close));
      if (filter !== undefined && !FILTERS.has(filter)) throw noFilter(filter);
      if (filter === 'money' && argument.trim() === '') throw bad('"money" needs a currency, or the name of one');
      const inner = filter === 'each' ? sayFault(argument) : undefined;
      if (inner !== undefined) return inner;
      open = template.indexOf('{', close);
    }
    return undefined;
  } catch (error) {
    return asFailure(error).message;
  }
}

function closing(template: string, open: number): number {
  let depth = 0;
  for (let at = open; at < template.length; at++) {
    if (template[at] === '{') depth++;
    else if (template[at] === '}' && --depth === 0) return at;
  }
  throw bad(`"{" at column ${open + 1} of "${template}" is not closed`);
}

function parted(content: string): { path: string; filter: string | undefined; argument: string | undefined } {
  const [, path, filter, argument] = /^\s*([\w.-]+)\s*(?:\|\s*(\w+)\s*(?::([\s\S]*))?)?$/.exec(content) ?? [];
  if (path === undefined) throw bad(`cannot read {${content}}`);
  return { path, filter, argument };
}

function placeholder(content: string, data: Data, now: Date): string {
  const { path, filter, argument } = parted(content);
  const value = lookUp(data, path);
  if (value === undefined || value === null) throw missing(path);
  return applyFilter(filter, argument, value, { path, data, now });
}

function applyFilter(
  filter: string | undefined,
  argument: string | undefined,
  value: unknown,
  at: { path: string; data: Data; now: Date },
): string {
  switch (filter) {
    case undefined:
      if (typeof value === 'object') throw bad(`{${at.path}} is no single value`);
      return String(value);
    case 'money':
      return spokenMoney(numeric(value, at.path), currencyOf(argument?.trim() ?? '', at.data));
    case 'number':
      return spokenNumber(numeric(value, at.path));
    case 'digits':
      return spokenDigits(String(value));
    case 'words':
      return String(value).replaceAll('_', ' ').toLowerCase();
    case 'date':
      return spokenDate(value instanceof Date ? value : new Date(String(value)), at.now);
    case 'list':
      return spokenList(items(value, at.path).map(String));
    case 'plural':
      return numeric(value, at.path) === 1 ? (argument ?? '') : `${argument ?? ''}s`;
    case 'each':
      return spokenList(
        items(value, at.path).map((item) => renderSay(argument ?? '', itemData(item, at.data), at.now)),
      );
    default:
      throw noFilter(filter);
  }
}

/** A literal code such as USD, or the path of a value that holds one. */
function currencyOf(argument: string, data: Data): string {
  if (/^[A-Z]{3}$/.test(argument)) return argument;
  const value = argument === '' ? undefined : lookUp(data, argument);
  if (typeof value !== 'string') throw missing(argument || 'currency');
  return value;
}

/** What stands around the list is seen by its items too, such as the account's currency. */
function itemData(item: unknown, around: Data): Data {
  return typeof item === 'object' && item !== null ? { ...around, ...item } : { ...around, item };
}

function lookUp(data: Data, path: string): unknown {
  let value: unknown = data;
  for (const key of path.split('.')) {
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Data)[key] : undefined;
  }
  return value;
}

/** Banks send amounts as numbers or as decimal strings. */
function numeric(value: unknown, path: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw bad(`{${path}} is no number`);
  return number;
}

function items(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw bad(`{${path}} is no list`);
  return value;
}

function missing(path: string): Failure {
  return new Failure(`nothing to say for {${path}}`, { code: 'missing-key', blame: 'us' });
}

function noFilter(name: string): Failure {
  return bad(`there is no filter "${name}"`);
}

function bad(problem: string): Failure {
  return new Failure(problem, { code: 'bad-say', blame: 'us' });
}
