import type { ActionResult, ActionStep } from '../dialogue/questions/action-desk.ts';
import type { BankAnswer } from './bank-call.ts';
import type { Changes } from './changes.ts';
import { candidates, choiceQuestion } from './choosing.ts';
import { type Data, type FilledRequest, fillBinding } from './data-paths.ts';
import type { ActionCatalogue, Choice } from './declaration.ts';
import { interpret, said } from './interpret.ts';
import { fingerprint, idempotencyKey } from './keys.ts';
import { type CallContext, ledgeredCall, type Reading, readAhead } from './ledgered-call.ts';
import { redact } from './redact.ts';
import type { Run } from './run.ts';
import type { Verifier } from './verifier.ts';

/** The stages an action goes through; each returns a step when there is something to ask or the action is done. */
export class Stages {
  readonly #catalogue: ActionCatalogue;
  readonly #context: CallContext;
  readonly #callerPhone: string | undefined;
  readonly #verifier: Verifier | undefined;
  readonly #changes: Changes;

  constructor(parts: {
    catalogue: ActionCatalogue;
    context: CallContext;
    callerPhone: string | undefined;
    verifier: Verifier | undefined;
    changes: Changes;
  }) {
    this.#catalogue = parts.catalogue;
    this.#context = parts.context;
    this.#callerPhone = parts.callerPhone;
    this.#verifier = parts.verifier;
    this.#changes = parts.changes;
  }

  /** Makes sure of who the caller is, where the action needs it. */
  async verify(run: Run): Promise<ActionStep | undefined> {
    const { policy } = run.action;
    const verifier = this.#verifier;
    if (verifier === undefined || (policy.verification === 'none' && policy.effect !== 'verify')) return undefined;
    const { state } = verifier;
    const given = this.#numberIn(run);
    if (given !== undefined && !run.numberTaken) {
      run.numberTaken = true;
      state.giveNumber(given);
    }
    if (state.state === 'open') await verifier.preselect(run.id);
    if (state.customer !== undefined) {
      if (given === undefined || given === state.customer.number) return undefined;
      return run.finish(this.#notVerified(this.#catalogue.verification!.say.otherCustomer));
    }
    if (state.state === 'refused') {
      const { locked, refused } = this.#catalogue.verification!.say;
      return run.finish(this.#notVerified(state.locked ? locked : refused));
    }
    if (run.withdrawn) return undefined;
    if (state.number === undefined) return run.ask('asking-number', verifier.numberQuestion(false));
    return run.ask('asking-pin', verifier.pinQuestion(false));
  }

  /** Finds out which card or the like is meant. */
  async choose(run: Run): Promise<ActionStep | undefined> {
    const { choose } = run.action;
    if (choose === undefined || run.chosen !== undefined) return undefined;
    const found = await ledgeredCall(
      this.#context,
      {
        requestId: run.id,
        step: 'choose',
        action: run.action.name,
        transactionType: choose.transactionType,
        customerId: this.#verifier?.state.customer?.id,
        authenticationStatus: this.#authentication,
        queryParameters: run.args,
        binding: choose.http,
        scope: this.#scope(run),
        effect: 'read',
        spool: true,
      },
      (answer): Reading<Data[] | 'bank-unavailable' | 'bank-refused'> => {
        const ok = answer.kind === 'reply' && answer.status === 200;
        const items = ok ? candidates(choose, answer.data, this.#scope(run)) : undefined;
        return {
          outcome: items === undefined ? 'FAILED' : 'POSTED',
          authenticationStatus: this.#authentication,
          customerId: this.#verifier?.state.customer?.id,
          responseData: items === undefined ? {} : { found: items.length },
          value: items ?? (answer.kind === 'reply' ? 'bank-refused' : 'bank-unavailable'),
        };
      },
    );
    return typeof found === 'string' ? run.finish(this.trouble(found)) : this.#pick(run, choose, found);
  }

  /**
   * Fetches what the action will read, when nothing has to be asked first; whatever goes wrong with it is found out when
   * the action is really asked for. What the customer will be told, where it went well.
   */
  async foresee(run: Run): Promise<string | undefined> {
    const { action } = run;
    if (run.changes || action.http === undefined || !action.policy.ahead) return undefined;
    if (action.policy.verification === 'required' && this.#verifier?.state.customer === undefined) return undefined;
    if (action.choose !== undefined) {
      const list = await readAhead(this.#context, action.choose.http, this.#scope(run));
      const items = list.kind === 'reply' ? candidates(action.choose, list.data, this.#scope(run)) : undefined;
      if (items?.length !== 1) return undefined;
      run.chosen = items[0];
    }
    const { result } = this.#interpret(run, await readAhead(this.#context, action.http, this.#scope(run)));
    return result.ok ? result.say : undefined;
  }

  /**
   * Claims the change for this run, so that it is made once. Returns the run that has it already, when there is one.
   */
  claim(run: Run): Run | undefined {
    const print = fingerprint(run.action.name, this.#request(run));
    const twin = this.#changes.sameAs(run, print);
    if (twin === undefined) this.#changes.claim(run, print);
    return twin;
  }

  /** Reads a change back; it is made only when that was heard to its end and affirmed. */
  readBack(run: Run): ActionStep | undefined {
    const { confirm } = run.action.policy;
    if (!confirm || run.confirmed) return undefined;
    const prompt = this.#say(run, confirm.prompt);
    // Nobody can agree to what could not be read to them.
    if (prompt === undefined) return run.finish(this.trouble('bank-refused'));
    return run.ask('asking-confirmation', {
      slot: 'confirmation',
      expects: { kind: 'yes-no' },
      secret: false,
      prompt,
      reprompt: (confirm.reprompt && this.#say(run, confirm.reprompt)) || prompt,
      mustBeHeard: true,
    });
  }

  declined(run: Run): ActionResult {
    const { confirm } = run.action.policy;
    const say = confirm ? confirm.declined && this.#say(run, confirm.declined) : undefined;
    return { ok: false, code: 'cancelled', data: {}, say: say || this.#catalogue.phrases.cancelled };
  }

  /** The action itself. From here on nothing in the call stops it. */
  async work(run: Run): Promise<ActionStep> {
    const { action } = run;
    run.move('working');
    if (action.http === undefined) return run.finish(this.#welcome(run));
    const customerId = this.#verifier?.state.customer?.id;
    const bankKey = run.changes ? this.#changes.earlierKey(run) : undefined;
    const key = bankKey ?? idempotencyKey(this.#context.sessionId, run.id, 'act');
    const { result, outcome } = await ledgeredCall(
      this.#context,
      {
        requestId: run.id,
        step: 'act',
        action: action.name,
        transactionType: action.transactionType,
        customerId,
        authenticationStatus: this.#authentication,
        queryParameters: { ...run.args, ...this.#target(run) },
        binding: action.http,
        scope: this.#scope(run),
        effect: run.changes ? 'change' : 'read',
        spool: !run.changes || action.policy.whenLedgerIsAway === 'spool',
        bankKey,
      },
      (answer) => {
        const { outcome, responseData, result } = this.#interpret(run, answer);
        const value = { outcome, result };
        return { outcome, authenticationStatus: this.#authentication, customerId, responseData, value };
      },
    );
    this.#changes.settle(run, outcome, key);
    return run.finish(result);
  }

  #interpret(run: Run, answer: BankAnswer): ReturnType<typeof interpret> {
    const { clock, log } = this.#context;
    const { phrases } = this.#catalogue;
    return interpret(answer, { action: run.action, scope: redact(this.#scope(run)), phrases, now: clock.wall(), log });
  }

  trouble(code: 'bank-unavailable' | 'bank-refused' | 'ledger-unavailable' | 'unknown-outcome'): ActionResult {
    const { phrases } = this.#catalogue;
    const say = {
      'bank-unavailable': phrases.bankUnavailable,
      'bank-refused': phrases.bankRefused,
      'ledger-unavailable': phrases.ledgerUnavailable,
      'unknown-outcome': phrases.unknownOutcome,
    }[code];
    return { ok: false, code, data: {}, say };
  }

  #pick(run: Run, choose: Choice, items: readonly Data[]): ActionStep | undefined {
    const { action } = run;
    if (items.length === 0) {
      const say = this.#say(run, choose.none.say) ?? this.#catalogue.phrases.bankRefused;
      return run.finish({ ok: false, code: choose.none.code, data: {}, say });
    }
    run.choices = items;
    if (items.length === 1) {
      run.chosen = items[0];
      return undefined;
    }
    if (run.withdrawn) return undefined;
    const { clock, log } = this.#context;
    const scope = redact(this.#scope(run));
    return run.ask('asking-choice', choiceQuestion(choose, items, { action, scope, now: clock.wall(), log }));
  }

  #welcome(run: Run): ActionResult {
    const outcome = run.action.outcomes.at(-1)!;
    const say = this.#say(run, outcome.say) ?? this.#catalogue.phrases.done;
    return { ok: outcome.ok, code: outcome.code, data: { verified: true }, say };
  }

  #notVerified(say: string): ActionResult {
    return { ok: false, code: 'not-verified', data: {}, say };
  }

  #numberIn(run: Run): string | undefined {
    const argument = this.#catalogue.verification?.customerNumber.argument;
    const value = argument === undefined ? undefined : run.args[argument];
    return typeof value === 'string' ? value : undefined;
  }

  #request(run: Run): FilledRequest {
    return fillBinding(run.action.http!, this.#scope(run));
  }

  /** The chosen thing as the ledger keeps it. */
  #target(run: Run): Data {
    const { choose } = run.action;
    return choose === undefined ? {} : { [`${choose.as}_id`]: run.chosen?.[choose.id] };
  }

  /** What placeholders see. Raw: for the bank; words and records take it redacted. */
  #scope(run: Run): Data {
    const chosen = run.action.choose === undefined ? {} : { [run.action.choose.as]: run.chosen };
    const caller = this.#callerPhone === undefined ? {} : { phone: this.#callerPhone };
    return { args: run.args, caller, customer: this.#verifier?.state.customer, ...chosen };
  }

  #say(run: Run, template: string): string | undefined {
    const { clock, log } = this.#context;
    return said(template, redact(this.#scope(run)), { action: run.action, now: clock.wall(), log });
  }

  get #authentication(): 'PENDING' | 'VERIFIED' | 'FAILED' {
    const state = this.#verifier?.state.state;
    if (state === 'verified') return 'VERIFIED';
    return state === 'refused' ? 'FAILED' : 'PENDING';
  }
}
