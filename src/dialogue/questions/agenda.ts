import type { OpenQuestion } from './errands.ts';

/** What the conversation comes back to when the caller has been served with something else. */
export type AgendaItem =
  /** A question that the caller left open to ask for something else. */
  | { kind: 'question'; open: OpenQuestion }
  /** Something the caller asked for while answering. */
  | { kind: 'request'; text: string };

/** Nobody keeps more in mind on the phone. */
const LIMIT = 3;

/** Things put off in one call, first come first served. Bounded: when full, the oldest is let go. Pure. */
export class Agenda {
  #items: AgendaItem[] = [];

  get empty(): boolean {
    return this.#items.length === 0;
  }

  /** Returns what had to go for it, if anything. */
  putOff(item: AgendaItem): AgendaItem | undefined {
    this.#items.push(item);
    return this.#items.length > LIMIT ? this.#items.shift() : undefined;
  }

  next(): AgendaItem | undefined {
    return this.#items.shift();
  }
}
