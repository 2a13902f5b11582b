import { canonicalJson } from '../core/canonical-json.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { asFailure, Failure } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Action, ActionDesk, ActionStep } from '../dialogue/questions/action-desk.ts';
import { Ahead } from './ahead.ts';
import { checkArguments } from './arguments.ts';
import type { BankClient } from './bank-client.ts';
import { Changes } from './changes.ts';
import type { Data } from './data-paths.ts';
import type { ActionCatalogue } from './declaration.ts';
import type { Ledger } from './ledger.ts';
import type { CallContext, DeskEvent } from './ledgered-call.ts';
import { Run } from './run.ts';
import { Stages } from './stages.ts';
import { Verifier } from './verifier.ts';
import { actionsOf } from './view.ts';

export interface BankingDeskOptions {
  sessionId: CallId;
  /** E.164; undefined or '' for an anonymous caller. */
  callerPhone: string | undefined;
  correlationId: string;
  actions: ActionCatalogue;
  bank: BankClient;
  ledger: Ledger;
  log: Logger;
  clock?: Clock;
  /** For the timeline of the call; must not throw. */
  onEvent?: (event: DeskEvent) => void;
}

/**
 * The counter at which one call asks for actions. It decides who must be verified, what must be read back, and that
 * nothing is done twice; actions it has started belong to the call and are ended by the bank alone.
 */
export class BankingDesk implements ActionDesk {
  readonly actions: readonly Action[];
  readonly #catalogue: ActionCatalogue;
  readonly #log: Logger;
  readonly #verifier: Verifier | undefined;
  readonly #changes = new Changes();
  readonly #stages: Stages;
  /** By request id; several ids may ask for one and the same change. */
  readonly #runs = new Map<string, Run>();
  /** Requests that were refused as they came, by id. */
  readonly #refused = new Map<string, ActionStep>();
  readonly #onEvent: (event: DeskEvent) => void;
  readonly #ahead: Ahead;
  #closed = false;

  constructor(options: BankingDeskOptions) {
    const { actions: catalogue } = options;
    const callerPhone = options.callerPhone === '' ? undefined : options.callerPhone;
    this.actions = actionsOf(catalogue);
    this.#catalogue = catalogue;
    this.#log = options.log;
    this.#onEvent = options.onEvent ?? (() => undefined);
    const clock = options.clock ?? systemClock;
    this.#ahead = new Ahead(clock);
    const context: CallContext = {
      sessionId: options.sessionId,
      correlationId: options.correlationId,
      bank: options.bank,
      ledger: options.ledger,
      clock,
      ahead: this.#ahead,
      log: options.log,
      timeoutMs: catalogue.bank.timeoutMs,
      onEvent: this.#onEvent,
    };
    const { verification } = catalogue;
    this.#verifier = verification === undefined ? undefined : new Verifier(verification, context, callerPhone);
    const verifier = this.#verifier;
    this.#stages = new Stages({ catalogue, context, callerPhone, verifier, changes: this.#changes });
  }

  get customer(): { customerId: string; verified: boolean } | undefined {
    const state = this.#verifier?.state;
    if (state?.customer !== undefined) return { customerId: state.customer.id, verified: true };
    return state?.number === undefined ? undefined : { customerId: state.number, verified: false };
  }

  request(id: string, name: string, args: Record<string, unknown>): Promise<ActionStep> {
    const known = this.#runs.get(id);
    if (known !== undefined) return this.#resume(known);
    const refused = this.#refused.get(id);
    if (refused !== undefined) return Promise.resolve(refused);
    const action = this.#catalogue.actions.find((one) => one.name === name);
    if (this.#closed) return this.#refuse(id, 'call-ended', {});
    if (action === undefined) return this.#refuse(id, 'unknown-action', {});
    const checked = checkArguments(action, args);
    if (!checked.ok) return this.#refuse(id, 'invalid-arguments', { problem: checked.problem });

    const run = new Run(id, action, checked.args);
    const twin = run.changes ? this.#pendingTwin(run) : undefined;
    this.#runs.set(id, twin ?? run);
    return twin === undefined ? this.#follow(run, this.#advance(run)) : this.#resume(twin);
  }

  async foresee(name: string, args: Record<string, unknown>): Promise<string | undefined> {
    const action = this.#catalogue.actions.find((one) => one.name === name);
    if (this.#closed || action === undefined) return undefined;
    const checked = checkArguments(action, args);
    if (!checked.ok) return undefined;
    try {
      return await this.#stages.foresee(new Run('ahead', action, checked.args));
    } catch (error) {
      this.#log.debug({ action: name, code: asFailure(error).code }, 'nothing fetched ahead');
      return undefined;
    }
  }

  forget(): void {
    const dropped = this.#ahead.drop();
    if (dropped > 0) this.#onEvent({ type: 'fetched-for-nothing', data: { answers: dropped } });
  }

  answer(id: string, value: string): Promise<ActionStep> {
    const run = this.#runs.get(id);
    if (run === undefined || !run.asking) {
      return Promise.reject(new Failure('there is no open question', { code: 'no-open-question', blame: 'us' }));
    }
    return this.#follow(run, this.#take(run, value.trim()));
  }

  async withdraw(id: string): Promise<void> {
    const run = this.#runs.get(id);
    if (run === undefined || run.state === 'working' || run.state === 'done') return;
    run.withdrawn = true;
    // What waits for a read on its way ends when that is back.
    if (run.asking) run.step = Promise.resolve(this.#cancel(run));
  }

  /**
   * The call is over: open questions are given up and no new actions are taken. Resolves when the row of everything
   * that was started is completed. Idempotent.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#runs.keys()].map((id) => this.withdraw(id)));
    await Promise.all([...this.#runs.values()].map((run) => run.step));
  }

  /** The same id again: the same step. One that waits for a verification made meanwhile goes on. */
  #resume(run: Run): Promise<ActionStep> {
    const waits = run.state === 'asking-number' || run.state === 'asking-pin';
    if (waits && this.#verifier?.state.state !== 'open') {
      run.move('preparing');
      return this.#follow(run, this.#advance(run));
    }
    return run.step!;
  }

  #pendingTwin(run: Run): Run | undefined {
    const args = canonicalJson(run.args);
    return [...this.#runs.values()].find(
      (other) =>
        other.action === run.action && other.state !== 'done' && !other.withdrawn && canonicalJson(other.args) === args,
    );
  }

  #follow(run: Run, step: Promise<ActionStep>): Promise<ActionStep> {
    run.step = step.catch((error: unknown) => this.#fail(run, error));
    return run.step;
  }

  /** Takes an answer. The state moves before anything is waited for, so that one answer counts once. */
  #take(run: Run, value: string): Promise<ActionStep> {
    switch (run.state) {
      case 'asking-number':
        return this.#takeNumber(run, value.replace(/\D/g, ''));
      case 'asking-pin':
        return this.#takePin(run, value.replace(/\D/g, ''));
      case 'asking-choice':
        run.chosen = run.choices[Number(value) - 1];
        if (run.chosen === undefined) return this.#askAgain(run);
        break;
      default:
        if (value === 'no') return Promise.resolve(this.#cancel(run));
        if (value !== 'yes') return this.#askAgain(run);
        run.confirmed = true;
        this.#onEvent({ type: 'change-confirmed', data: { action: run.action.name, id: run.id } });
    }
    run.move('preparing');
    return this.#advance(run);
  }

  #takeNumber(run: Run, digits: string): Promise<ActionStep> {
    if (digits.length !== this.#catalogue.verification!.customerNumber.length) return this.#askAgain(run);
    this.#verifier!.state.giveNumber(digits);
    run.move('preparing');
    return this.#advance(run);
  }

  async #takePin(run: Run, digits: string): Promise<ActionStep> {
    const verifier = this.#verifier!;
    const { pin, customerNumber } = this.#catalogue.verification!;
    const { state } = verifier;
    if (state.state === 'open' && state.number !== undefined && verifier.checking === undefined) {
      // Somebody who is not the customer whose telephone this is may give a customer number instead.
      const isNumber = digits.length === customerNumber.length && digits.length !== pin.length;
      if (!isNumber && digits.length !== pin.length) return this.#askAgain(run);
      run.move('checking');
      const outcome = isNumber ? state.giveNumber(digits) : await verifier.check(run.id, digits);
      if (outcome === 'bank-unavailable' || outcome === 'bank-refused')
        return run.finish(this.#stages.trouble(outcome));
    } else {
      // Another action's PIN is being checked, or was: that counts for this one as well.
      run.move('checking');
      await verifier.checking?.catch(() => undefined);
    }
    run.move('preparing');
    return this.#advance(run);
  }

  /** The same question in other words; the question that is open stays. */
  #askAgain(run: Run): Promise<ActionStep> {
    const question = { ...run.question!, prompt: run.question!.reprompt };
    return Promise.resolve({ kind: 'ask', question });
  }

  /** Goes on until there is something to ask or the action is done. */
  async #advance(run: Run): Promise<ActionStep> {
    const stages = this.#stages;
    const asked = (await stages.verify(run)) ?? (run.withdrawn ? undefined : await stages.choose(run));
    if (asked !== undefined) return asked;
    if (run.withdrawn) return this.#cancel(run);
    const twin = run.changes ? stages.claim(run) : undefined;
    if (twin !== undefined) return this.#join(run, twin);
    return stages.readBack(run) ?? (await stages.work(run));
  }

  /** Another request has made this very change, or is about to: there is one step for both. */
  #join(run: Run, twin: Run): Promise<ActionStep> {
    for (const [id, one] of this.#runs) if (one === run) this.#runs.set(id, twin);
    run.move('done');
    return this.#resume(twin);
  }

  #cancel(run: Run): ActionStep {
    this.#changes.release(run);
    return run.finish(this.#stages.declined(run));
  }

  #refuse(id: string, code: string, data: Data): Promise<ActionStep> {
    const say = this.#catalogue.phrases.invalidArguments;
    const step: ActionStep = { kind: 'done', result: { ok: false, code, data, say } };
    this.#refused.set(id, step);
    return Promise.resolve(step);
  }

  #fail(run: Run, error: unknown): ActionStep {
    const failure = asFailure(error);
    const neverAsked = failure.code === 'ledger-unavailable' || failure.code === 'bad-binding';
    if (neverAsked) this.#changes.release(run);
    if (failure.code === 'ledger-unavailable') {
      this.#onEvent({ type: 'ledger-unavailable', data: { action: run.action.name, id: run.id } });
      return run.finish(this.#stages.trouble('ledger-unavailable'));
    }
    this.#log.error({ action: run.action.name, code: failure.code, error: failure.message }, 'an action failed');
    return run.finish(
      this.#stages.trouble(run.changes && run.state === 'working' && !neverAsked ? 'unknown-outcome' : 'bank-refused'),
    );
  }
}
