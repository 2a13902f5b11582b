import { wordsOf } from './words.ts';

/** What a `{slot}` of a template may hold. */
export type Slot =
  | { kind: 'digits'; length: number }
  /** Whole numbers, both ends included. */
  | { kind: 'number'; min: number; max: number }
  | { kind: 'choice'; options: { value: string; phrases: string[] }[] };

interface SchemaLike {
  readonly [keyword: string]: unknown;
}

/**
 * Slots of an action's parameters. From a JSON Schema object: a string with pattern `^\d{6}$` (or `^[0-9]{6}$`) holds
 * 6 digits; an integer with minimum and maximum a number; a string enum a choice, spoken as the value with
 * underscores as spaces and as the keyword `x-phrases: { value: [phrase, …] }` says. Other properties give no slot.
 */
export function slotsFromSchema(schema: SchemaLike): Record<string, Slot> {
  const slots: Record<string, Slot> = {};
  for (const [name, property] of Object.entries(isRecord(schema.properties) ? schema.properties : {})) {
    const slot = isRecord(property) ? slotOf(property) : undefined;
    if (slot !== undefined) slots[name] = slot;
  }
  return slots;
}

/** What slots hold in a sentence, as the action takes it: numbers as numbers. */
export function argumentsIn(
  held: Readonly<Record<string, string>>,
  slots: Readonly<Record<string, Slot>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(held).map(([name, value]) => [name, slots[name]?.kind === 'number' ? Number(value) : value]),
  );
}

function slotOf(property: SchemaLike): Slot | undefined {
  if (Array.isArray(property.enum) && property.enum.every((value) => typeof value === 'string')) {
    const extra = isRecord(property['x-phrases']) ? property['x-phrases'] : {};
    const options = property.enum.map((value) => ({ value, phrases: phrasesOf(value, extra[value]) }));
    return { kind: 'choice', options };
  }
  if (property.type === 'integer' && typeof property.minimum === 'number' && typeof property.maximum === 'number') {
    return { kind: 'number', min: Math.ceil(property.minimum), max: Math.floor(property.maximum) };
  }
  const length = typeof property.pattern === 'string' && /^\^(?:\\d|\[0-9\])\{(\d+)\}\$$/.exec(property.pattern)?.[1];
  return length ? { kind: 'digits', length: Number(length) } : undefined;
}

function phrasesOf(value: string, extra: unknown): string[] {
  const phrases = [value.replaceAll('_', ' '), ...(Array.isArray(extra) ? extra.map(String) : [])];
  return [...new Set(phrases.map((phrase) => wordsOf(phrase).join(' ')))].filter((phrase) => phrase !== '');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
