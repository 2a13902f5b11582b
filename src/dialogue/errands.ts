import type { ActionDesk, ActionResult, ActionStep, Question } from './action-desk.ts';
import type { HistoryItem } from './language-model.ts';
import type { Scribe } from './voice.ts';

/** A question that the desk waits for, on behalf of one action. */
export interface OpenQuestion {
  id: string;
  question: Question;
  /** Answers that were not understood. */
  misses: number;
  /** Digits given in an earlier breath. */
  digits: string;
  /** The question was heard to its end at least once. */
  heard: boolean;
}

interface Errand {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
}

/**
 * The actions that were asked for in this call. They belong to the call, not to the turn that asked: whatever happens
 * to the turn, the result enters the history, and a question the desk has is kept until it is put to the caller.
 */
export class Errands {
  readonly #desk: ActionDesk;
  readonly #scribe: Scribe;
  readonly #history: HistoryItem[];
  readonly #errands = new Map<string, Errand>();
  readonly #running = new Set<string>();
  #open: OpenQuestion | undefined;

  constructor(desk: ActionDesk, scribe: Scribe, history: HistoryItem[]) {
    this.#desk = desk;
    this.#scribe = scribe;
    this.#history = history;
  }

  get open(): OpenQuestion | undefined {
    return this.#open;
  }

  get running(): boolean {
    return this.#running.size > 0;
  }

  /** `question` was said to its end. */
  heard(question: Question): void {
    if (this.#open?.question === question) this.#open.heard = true;
  }

  request(name: string, id: string, args: Record<string, unknown>): Promise<ActionStep> {
    this.#errands.set(id, { id, name, arguments: args });
    this.#scribe.event('action-requested', { action: name, id });
    return this.#follow(id, this.#desk.request(id, name, args));
  }

  /** Answers the open question and closes it. */
  answer(open: OpenQuestion, value: string): Promise<ActionStep> {
    if (this.#open === open) this.#open = undefined;
    return this.#follow(open.id, this.#desk.answer(open.id, value));
  }

  /** The caller does not want to answer. */
  async withdraw(open: OpenQuestion): Promise<void> {
    if (this.#open === open) this.#open = undefined;
    this.#scribe.event('action-withdrawn', { action: this.#errands.get(open.id)?.name, id: open.id });
    this.#settle(open.id, {
      ok: false,
      code: 'cancelled',
      data: {},
      say: 'All right, I have left that.',
    });
    await this.#desk.withdraw(open.id);
  }

  async #follow(id: string, work: Promise<ActionStep>): Promise<ActionStep> {
    this.#running.add(id);
    try {
      const step = await work;
      if (step.kind === 'done') this.#settle(id, step.result);
      else this.#open = { id, question: step.question, misses: 0, digits: '', heard: false };
      return step;
    } finally {
      this.#running.delete(id);
    }
  }

  #settle(id: string, result: ActionResult): void {
    const errand = this.#errands.get(id);
    if (!errand) return;
    this.#history.push({ role: 'action', id, name: errand.name, arguments: errand.arguments, result });
    this.#scribe.event('action-done', { action: errand.name, id, ok: result.ok, code: result.code });
  }
}
