import { Failure } from '../../core/errors.ts';
import type { Action, ActionDesk, ActionStep } from '../../dialogue/questions/action-desk.ts';
import type { RequestedAction } from '../../dialogue/questions/errands.ts';

export interface RightPartyOptions {
  desk: ActionDesk;
  greeting: string;
  /** Asked behind the greeting; undefined: whoever answers is the right one. */
  question: string | undefined;
  /** Name of the action that verifies the customer, when the purpose is for nobody else, and what it is given. */
  verify: { action: string; arguments: Record<string, unknown> } | undefined;
  purpose: string | undefined;
  /** Somebody else answered; the right one could not be verified. The call is to end. */
  onWrongParty(): void;
  onNotVerified(): void;
  onEvent(event: { type: string; data: Record<string, unknown> }): void;
}

/** What a call of ours begins with. */
export const RIGHT_PARTY: RequestedAction = { id: 'right-party', name: 'right_party', arguments: {} };
const VERIFY_ID = 'right-party-verification';

/**
 * The counter of a call that we make: before anything else it is made sure who answers. The question, and verifying the
 * customer where that is wanted, are one action of the dialogue, so that asking, asking again, keys and interruptions
 * are as everywhere.
 *
 *     greeting -> asked -> (verifying ->) done      yes
 *                 asked -> done                      no, or withdrawn
 */
export class RightPartyDesk implements ActionDesk {
  readonly #o: RightPartyOptions;
  #state: 'greeting' | 'asked' | 'verifying' | 'done' = 'greeting';
  #last: Promise<ActionStep> | undefined;

  constructor(options: RightPartyOptions) {
    this.#o = options;
  }

  get actions(): readonly Action[] {
    return this.#o.desk.actions;
  }

  get customer(): ActionDesk['customer'] {
    return this.#o.desk.customer;
  }

  request(id: string, name: string, args: Record<string, unknown>): Promise<ActionStep> {
    if (id !== RIGHT_PARTY.id) return this.#o.desk.request(id, name, args);
    this.#last ??= this.#begin();
    return this.#last;
  }

  answer(id: string, value: string): Promise<ActionStep> {
    if (id !== RIGHT_PARTY.id) return this.#o.desk.answer(id, value);
    if (this.#state === 'verifying')
      this.#last = this.#o.desk.answer(VERIFY_ID, value).then((step) => this.#goOn(step));
    else if (this.#state === 'asked') this.#last = this.#answered(value === 'yes');
    else {
      const facts = { code: 'no-open-question', blame: 'us' } as const;
      this.#last = Promise.reject(new Failure('nothing has been asked', facts));
    }
    return this.#last;
  }

  async withdraw(id: string): Promise<void> {
    if (id !== RIGHT_PARTY.id) return this.#o.desk.withdraw(id);
    const verifying = this.#state === 'verifying';
    this.#state = 'done';
    // Asked for once more it is not asked again.
    this.#last = Promise.resolve(done(false, 'cancelled', ''));
    if (verifying) await this.#o.desk.withdraw(VERIFY_ID);
  }

  foresee(name: string, args: Record<string, unknown>): Promise<string | undefined> {
    return this.#o.desk.foresee(name, args);
  }

  forget(): void {
    this.#o.desk.forget();
  }

  close(): Promise<void> {
    return this.#o.desk.close();
  }

  async #begin(): Promise<ActionStep> {
    const { question, greeting } = this.#o;
    if (question === undefined) return this.#answered(true, greeting);
    this.#state = 'asked';
    return {
      kind: 'ask',
      question: {
        slot: 'right_party',
        expects: { kind: 'yes-no' },
        secret: false,
        prompt: `${greeting} ${question}`,
        reprompt: question,
        mustBeHeard: false,
      },
    };
  }

  async #answered(right: boolean, before = ''): Promise<ActionStep> {
    const { verify, desk, onEvent, onWrongParty } = this.#o;
    if (this.#o.question !== undefined) onEvent({ type: 'right-party', data: { right } });
    if (!right) {
      this.#state = 'done';
      // Behind the turn that waits for this answer: the last words are to cut it, not it the last words.
      queueMicrotask(onWrongParty);
      return done(false, 'wrong-party', '');
    }
    if (verify === undefined) return this.#tell(before);
    this.#state = 'verifying';
    const step = await this.#goOn(await desk.request(VERIFY_ID, verify.action, verify.arguments));
    if (step.kind === 'done' || before === '') return step;
    return { kind: 'ask', question: { ...step.question, prompt: `${before} ${step.question.prompt}` } };
  }

  #goOn(step: ActionStep): ActionStep {
    if (step.kind === 'ask') return step;
    if (step.result.ok) return this.#tell('');
    this.#state = 'done';
    queueMicrotask(this.#o.onNotVerified);
    return done(false, step.result.code, '');
  }

  #tell(before: string): ActionStep {
    this.#state = 'done';
    const say = [before, this.#o.purpose ?? ''].filter(Boolean).join(' ');
    const step = done(true, 'right-party', say);
    // Word for word: what the call is about is not left to a model.
    return say === '' || step.kind === 'ask' ? step : { ...step, result: { ...step.result, mustBeHeard: true } };
  }
}

function done(ok: boolean, code: string, say: string): ActionStep {
  return { kind: 'done', result: { ok, code, data: {}, say } };
}
