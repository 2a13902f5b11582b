import type { HistoryItem } from '../models/language-model.ts';
import type { Prompts } from '../speaking/prompts.ts';
import type { Scribe } from '../speaking/voice.ts';
import { Doubt } from '../turn-taking/doubt.ts';
import type { ActionDesk, ActionResult, ActionStep, Question } from './action-desk.ts';
import { meaningQuestion, misheard } from './meaning.ts';

/** A question that the desk waits for, on behalf of one action. */
export interface OpenQuestion {
  id: string;
  question: Question;
  /** What it is asked for. */
  about: Omit<RequestedAction, 'id'>;
  /** Other actions that were asked for together with this one, and come after it. */
  then: readonly RequestedAction[];
  /** Answers that were not understood. */
  misses: number;
  /** Digits given in an earlier breath. */
  digits: string;
  /** What was understood last time, but not for sure. */
  doubt: Doubt;
  /** The question was heard to its end at least once. */
  heard: boolean;
}

/** The desk's next step; undefined when the action was taken back meanwhile. */
export type Step = ActionStep | undefined;

/** An action as it was asked for; `id` is unique within the call. */
export interface RequestedAction {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
  /** Nobody is sure that the caller wants it: the words that were understood, which the caller is asked about first. */
  unsure?: string | undefined;
}

/**
 * The actions that were asked for in this call. They belong to the call, not to the turn that asked: whatever happens
 * to the turn, the result enters the history, and a question the desk has is kept until it is put to the caller.
 */
export class Errands {
  readonly #desk: ActionDesk;
  readonly #scribe: Scribe;
  readonly #history: HistoryItem[];
  readonly #prompts: Prompts;
  readonly #errands = new Map<string, RequestedAction>();
  readonly #running = new Set<string>();
  /** Reads under way whose answer nobody wants any more. */
  readonly #takenBack = new Set<string>();
  #open: OpenQuestion | undefined;

  constructor(desk: ActionDesk, scribe: Scribe, history: HistoryItem[], prompts: Prompts) {
    this.#desk = desk;
    this.#scribe = scribe;
    this.#history = history;
    this.#prompts = prompts;
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

  /** `then`: what was asked for together with it and comes after it. */
  request(action: RequestedAction, then: readonly RequestedAction[] = []): Promise<Step> {
    const { id, name, unsure } = action;
    this.#errands.set(id, action);
    this.#scribe.event(unsure === undefined ? 'action-requested' : 'action-in-doubt', { action: name, id });
    return this.#follow(id, this.#begin(id), then);
  }

  /** Answers the open question and closes it. */
  answer(open: OpenQuestion, value: string): Promise<Step> {
    if (this.#open === open) this.#open = undefined;
    const errand = this.#errands.get(open.id)!;
    if (errand.unsure === undefined) return this.#follow(open.id, this.#desk.answer(open.id, value), open.then);
    if (value !== 'yes')
      return this.#follow(open.id, Promise.resolve({ kind: 'done', result: misheard(this.#prompts) }), []);
    return this.request({ ...errand, unsure: undefined }, open.then);
  }

  /**
   * The caller had not finished when they were taken to: what was read for the first half is for nothing. Takes results
   * from `from` on out of the history, and keeps those under way from entering it. False, and nothing is done, when
   * something was changed. A change under way stays: asked for again it is the same one.
   */
  takeBack(from: number): boolean {
    const results = this.#history.slice(from).filter((item) => item.role === 'action');
    if (!results.every(({ id }) => this.#onlyReads(id))) return false;
    const running = [...this.#running].filter((id) => this.#onlyReads(id));
    for (const id of running) this.#takenBack.add(id);
    this.#history.splice(from);
    for (const id of [...results.map((item) => item.id), ...running]) {
      this.#scribe.event('action-taken-back', { action: this.#errands.get(id)?.name, id });
    }
    return true;
  }

  /** The caller asks for something else first: the question is closed, its action waits. */
  putOff(open: OpenQuestion): void {
    if (this.#open === open) this.#open = undefined;
  }

  /** Comes back to a question that was put off, or to what its action has come to meanwhile. */
  resume({ id, then }: OpenQuestion): Promise<Step> {
    return this.#follow(id, this.#begin(id), then);
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

  /** Asks the desk, or, where nobody is sure, the caller before it. */
  #begin(id: string): Promise<ActionStep> {
    const { name, arguments: args, unsure } = this.#errands.get(id)!;
    if (unsure === undefined) return this.#desk.request(id, name, args);
    return Promise.resolve({ kind: 'ask', question: meaningQuestion(unsure, this.#prompts) });
  }

  async #follow(id: string, work: Promise<ActionStep>, then: readonly RequestedAction[]): Promise<Step> {
    this.#running.add(id);
    try {
      const step = await work;
      if (this.#takenBack.delete(id)) {
        if (step.kind === 'ask') await this.#desk.withdraw(id);
        return undefined;
      }
      if (step.kind === 'done') this.#settle(id, step.result);
      else {
        const about = this.#errands.get(id)!;
        this.#open = {
          id,
          question: step.question,
          about,
          then,
          misses: 0,
          digits: '',
          doubt: new Doubt(),
          heard: false,
        };
      }
      return step;
    } finally {
      this.#running.delete(id);
    }
  }

  #onlyReads(id: string): boolean {
    const name = this.#errands.get(id)?.name;
    return this.#desk.actions.find((action) => action.name === name)?.effect !== 'change';
  }

  #settle(id: string, result: ActionResult): void {
    const errand = this.#errands.get(id);
    if (!errand) return;
    this.#history.push({ role: 'action', id, name: errand.name, arguments: errand.arguments, result });
    this.#scribe.event('action-done', { action: errand.name, id, ok: result.ok, code: result.code });
  }
}
