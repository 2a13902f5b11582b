import { Failure } from '../core/errors.ts';
import type { Condition, Conditions, HttpBinding, ResultField } from './declaration.ts';

export type Data = Record<string, unknown>;

/** The value at a dotted path; array positions are numbers, `$` is all of it. undefined where the path leads nowhere. */
export function valueAt(data: unknown, path: string): unknown {
  if (path === '$') return data;
  let value = data;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Data)[key];
  }
  return value;
}

const PLACEHOLDER = /\{([A-Za-z_][\w.]*)\}/g;

/** Paths of all `{placeholders}` in strings of the value, at any depth. */
export function placeholdersIn(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(PLACEHOLDER)].map((match) => match[1]!);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(placeholdersIn);
  return [];
}

/**
 * Fills in a value: a string that is one placeholder becomes the value itself with its type, others get it as text.
 * undefined when a placeholder leads nowhere; keys of objects with such a value are left out.
 */
export function fillIn(template: unknown, scope: Data): unknown {
  if (typeof template === 'string') {
    const whole = /^\{([A-Za-z_][\w.]*)\}$/.exec(template);
    if (whole) return valueAt(scope, whole[1]!);
    let missing = false;
    const text = template.replace(PLACEHOLDER, (_match, path: string) => {
      const value = valueAt(scope, path);
      missing ||= value === undefined || value === null;
      return String(value);
    });
    return missing ? undefined : text;
  }
  if (Array.isArray(template)) return template.map((item) => fillIn(item, scope)).filter((item) => item !== undefined);
  if (typeof template === 'object' && template !== null) {
    const filled = Object.entries(template).map(([key, value]) => [key, fillIn(value, scope)] as const);
    return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
  }
  return template;
}

export interface FilledRequest {
  method: HttpBinding['method'];
  path: string;
  query: Record<string, string>;
  body: Data | undefined;
}

/**
 * The request that a binding means in this scope. Throws Failure code bad-binding when a part of the path is missing
 * or would lead elsewhere.
 */
export function fillBinding(binding: HttpBinding, scope: Data): FilledRequest {
  const path = binding.path.replace(PLACEHOLDER, (_match, name: string) => {
    const value = valueAt(scope, name);
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    // A segment of dots would climb to another resource.
    if (text === '' || /^\.+$/.test(text)) {
      throw new Failure(`nothing usable for {${name}} in ${binding.path}`, { code: 'bad-binding', blame: 'us' });
    }
    return encodeURIComponent(text);
  });
  const query: Record<string, string> = {};
  for (const [key, template] of Object.entries(binding.query)) {
    const value = fillIn(template, scope);
    if (value !== undefined && value !== null) query[key] = String(value);
  }
  const body = binding.body === undefined ? undefined : (fillIn(binding.body, scope) as Data);
  return { method: binding.method, path, query, body };
}

/** Do all conditions hold? `{exists}` means neither missing nor empty. */
export function holds(conditions: Conditions, data: unknown): boolean {
  return Object.entries(conditions).every(([path, condition]) => holdsFor(condition, valueAt(data, path)));
}

function holdsFor(condition: Condition, value: unknown): boolean {
  if (Array.isArray(condition)) return condition.some((one) => one === value);
  if (typeof condition !== 'object') return condition === value;
  if ('exists' in condition) return condition.exists !== isEmpty(value);
  if ('not' in condition) return !holdsFor(condition.not, value);
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  const number = Number(value);
  return 'atLeast' in condition ? number >= condition.atLeast : number <= condition.atMost;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Takes from the scope what a result declares and nothing else; what is missing is left out. */
export function mapResult(fields: Readonly<Record<string, ResultField>>, scope: unknown): Data {
  const entries = Object.entries(fields).map(([name, field]) => [name, mapField(field, scope)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null));
}

function mapField(field: ResultField, scope: unknown): unknown {
  if (typeof field === 'string') return valueAt(scope, field);
  const value = valueAt(scope, field.from);
  const { each, values } = field;
  if (each !== undefined) return Array.isArray(value) ? value.map((item) => mapResult(each, item)) : undefined;
  if (values !== undefined && value !== undefined) return values[String(value)] ?? value;
  return value;
}
