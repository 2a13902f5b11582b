import type { ActionResult, ActionStep, Question } from '../dialogue/questions/action-desk.ts';
import type { Data } from './data-paths.ts';
import type { ActionDeclaration } from './declaration.ts';

/**
 * Where one requested action stands. `preparing` and `checking` are reads on the way that may still be given up;
 * from `working` on the action has started and nothing in the call stops it.
 */
export type RunState =
  | 'preparing'
  | 'asking-number'
  | 'asking-pin'
  | 'checking'
  | 'asking-choice'
  | 'asking-confirmation'
  | 'working'
  | 'done';

const moves: Readonly<Record<RunState, readonly RunState[]>> = {
  preparing: ['asking-number', 'asking-pin', 'asking-choice', 'asking-confirmation', 'working', 'done'],
  'asking-number': ['asking-pin', 'preparing', 'done'],
  'asking-pin': ['checking', 'asking-number', 'preparing', 'done'],
  checking: ['preparing', 'done'],
  'asking-choice': ['preparing', 'done'],
  'asking-confirmation': ['preparing', 'done'],
  working: ['done'],
  done: [],
};

const ASKING: ReadonlySet<RunState> = new Set(['asking-number', 'asking-pin', 'asking-choice', 'asking-confirmation']);

/** One action that was asked for in a call. */
export class Run {
  readonly id: string;
  readonly action: ActionDeclaration;
  readonly args: Data;
  /** The step that whoever asks is given; settled when the run waits for an answer or is done. */
  step: Promise<ActionStep> | undefined;
  /** The caller does not want it any more, but a read on the way has not come back yet. */
  withdrawn = false;
  /** What was chosen, e.g. the card. */
  chosen: Data | undefined;
  choices: readonly Data[] = [];
  confirmed = false;
  /** Has a customer number among the arguments been used? It is tried once. */
  numberTaken = false;
  /** Of the request to the bank, once it is known; changes only. */
  fingerprint: string | undefined;
  /** How it ended; set when done. */
  result: ActionResult | undefined;
  question: Question | undefined;
  #state: RunState = 'preparing';

  constructor(id: string, action: ActionDeclaration, args: Data) {
    this.id = id;
    this.action = action;
    this.args = args;
  }

  get state(): RunState {
    return this.#state;
  }

  get asking(): boolean {
    return ASKING.has(this.#state);
  }

  get changes(): boolean {
    return this.action.policy.effect === 'change';
  }

  move(to: RunState): void {
    if (!moves[this.#state].includes(to))
      throw new Error(`action ${this.action.name} cannot go from ${this.#state} to ${to}`);
    this.#state = to;
  }

  ask(to: RunState, question: Question): ActionStep {
    if (to !== this.#state) this.move(to);
    this.question = question;
    return { kind: 'ask', question };
  }

  finish(result: ActionResult): ActionStep {
    if (this.#state !== 'done') this.move('done');
    this.question = undefined;
    this.result ??= result;
    return { kind: 'done', result: this.result };
  }
}
