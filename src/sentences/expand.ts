import { cardinalWords } from './number-words.ts';
import type { Slot } from './slots.ts';
import { spokenDigits } from './spoken-values.ts';
import { type Node, ordersOf, type Template } from './template.ts';

/** A sentence that a template stands for, with what its slots hold in it. */
export interface Expansion {
  text: string;
  slots: Record<string, string>;
}

type Slots = Readonly<Record<string, Slot>>;

/**
 * The sentences of a template, lazily, since there may be very many. A number slot gives its lowest and highest
 * number, a digits slot one number, a choice all its phrases; a slot that `slots` does not know gives nothing.
 */
export function* sentencesOf(template: Template, slots: Slots = {}): Generator<Expansion, void, void> {
  for (const { words, values } of expand(template.root, slots)) yield { text: words.join(' '), slots: values };
}

/** The shortest way to put a template: first alternatives, nothing optional. What a caller is given as an example. */
export function plainExample(template: Template, slots: Slots = {}): string {
  return plain(template.root, slots);
}

interface Piece {
  words: readonly string[];
  values: Record<string, string>;
}

function* expand(node: Node, slots: Slots): Generator<Piece, void, void> {
  switch (node.kind) {
    case 'word':
      yield { words: [node.text], values: {} };
      return;
    case 'optional':
      yield* expand(node.item, slots);
      yield { words: [], values: {} };
      return;
    case 'alternatives':
      for (const item of node.items) yield* expand(item, slots);
      return;
    case 'permutation':
      for (const order of ordersOf(node.items)) yield* expandAll(order, slots);
      return;
    case 'sequence':
      yield* expandAll(node.items, slots);
      return;
    case 'slot':
      for (const { text, value } of sampleOf(slots[node.name])) {
        yield { words: text.split(' '), values: { [node.name]: value } };
      }
  }
}

function* expandAll(nodes: readonly Node[], slots: Slots): Generator<Piece, void, void> {
  const [first, ...rest] = nodes;
  if (first === undefined) {
    yield { words: [], values: {} };
    return;
  }
  for (const head of expand(first, slots)) {
    for (const tail of expandAll(rest, slots)) {
      yield { words: [...head.words, ...tail.words], values: { ...head.values, ...tail.values } };
    }
  }
}

function sampleOf(slot: Slot | undefined): { text: string; value: string }[] {
  if (slot === undefined) return [];
  if (slot.kind === 'choice') {
    return slot.options.flatMap(({ value, phrases }) => phrases.map((text) => ({ text, value })));
  }
  if (slot.kind === 'digits') {
    const value = Array.from({ length: slot.length }, (_, at) => (at + 1) % 10).join('');
    return [{ text: spokenDigits(value), value }];
  }
  return [...new Set([slot.min, slot.max])].map((value) => ({ text: cardinalWords(value), value: String(value) }));
}

function plain(node: Node, slots: Slots): string {
  switch (node.kind) {
    case 'word':
      return node.text;
    case 'optional':
      return '';
    case 'alternatives':
      return plain(node.items[0]!, slots);
    case 'slot':
      return sampleOf(slots[node.name])[0]?.text ?? '';
    default:
      return node.items
        .map((item) => plain(item, slots))
        .filter((text) => text !== '')
        .join(' ');
  }
}
