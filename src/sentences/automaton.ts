import { Failure } from '../core/errors.ts';
import type { Slot } from './slots.ts';
import { type Node, ordersOf, type Template } from './template.ts';
import { plainWordsOf } from './words.ts';

export type SpanSlot = Extract<Slot, { kind: 'digits' | 'number' }>;

/** A step through a template. States are numbered so that every edge leads to a higher one: there are no loops. */
export type Edge =
  | { to: number; kind: 'skip' }
  /** A firm word must be heard: a choice that was not said is not taken. */
  | { to: number; kind: 'word'; word: number; firm: boolean }
  /** Notes the value of a choice that was just spoken. */
  | { to: number; kind: 'note'; slot: string; value: string }
  | { to: number; kind: 'span'; slot: string; holds: SpanSlot }
  /** The slot was not said. */
  | { to: number; kind: 'missing' };

export interface Automaton {
  /** Outgoing edges by state; state 0 begins. */
  readonly edges: readonly (readonly Edge[])[];
  readonly end: number;
}

/** Words as numbers, so that a text is compared with each word once, whatever number of templates hold it. */
export class Vocabulary {
  readonly words: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(word: string): number {
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.words.push(word) - 1;
      this.#numbers.set(word, number);
    }
    return number;
  }
}

/** Throws Failure code unknown-slot when the template names a slot that `slots` does not describe. */
export function automatonOf(
  template: Template,
  slots: Readonly<Record<string, Slot>>,
  vocabulary: Vocabulary,
): Automaton {
  const edges: Edge[][] = [[]];
  const newState = () => edges.push([]) - 1;
  const words = (text: string, from: number, firm: boolean) => {
    for (const word of plainWordsOf(text)) {
      const to = newState();
      edges[from]!.push({ to, kind: 'word', word: vocabulary.numberOf(word), firm });
      from = to;
    }
    return from;
  };
  const join = (ends: readonly number[]) => {
    const to = newState();
    for (const end of ends) edges[end]!.push({ to, kind: 'skip' });
    return to;
  };
  const slotFrom = (name: string, from: number) => {
    const slot = Object.hasOwn(slots, name) ? slots[name] : undefined;
    if (slot === undefined) {
      const message = `template "${template.source}": nothing says what {${name}} may hold`;
      throw new Failure(message, { code: 'unknown-slot', blame: 'us' });
    }
    if (slot.kind !== 'choice') {
      const to = newState();
      edges[from]!.push({ to, kind: 'span', slot: name, holds: slot }, { to, kind: 'missing' });
      return to;
    }
    const ends = slot.options.flatMap(({ value, phrases }) =>
      phrases.map((phrase) => {
        const spoken = words(phrase, from, true);
        const to = newState();
        edges[spoken]!.push({ to, kind: 'note', slot: name, value });
        return to;
      }),
    );
    const to = join(ends);
    edges[from]!.push({ to, kind: 'missing' });
    return to;
  };
  const build = (node: Node, from: number): number => {
    switch (node.kind) {
      case 'word':
        return words(node.text, from, false);
      case 'slot':
        return slotFrom(node.name, from);
      case 'sequence':
        return node.items.reduce((at, item) => build(item, at), from);
      case 'alternatives':
        return join(node.items.map((item) => build(item, from)));
      case 'optional':
        return join([build(node.item, from), from]);
      case 'permutation':
        return join(ordersOf(node.items).map((order) => order.reduce((at, item) => build(item, at), from)));
    }
  };
  return { end: build(template.root, 0), edges };
}
