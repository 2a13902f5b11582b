import type { Question } from '../dialogue/questions/action-desk.ts';
import type { BankAnswer } from './bank-call.ts';
import { type Data, holds, mapResult, valueAt } from './data-paths.ts';
import type { VerificationDeclaration } from './declaration.ts';
import { type CallContext, ledgeredCall, type Reading } from './ledgered-call.ts';
import { redact } from './redact.ts';
import { type Customer, Verification } from './verification.ts';

export type CheckOutcome = 'verified' | 'wrong' | 'locked' | 'bank-unavailable' | 'bank-refused';

/** Finds out at the bank who the caller is; the one place that holds a PIN, and only while it sends it. */
export class Verifier {
  readonly state: Verification;
  readonly #declared: VerificationDeclaration;
  readonly #context: CallContext;
  readonly #callerPhone: string | undefined;
  #lookup: Promise<void> | undefined;
  #checking: Promise<CheckOutcome> | undefined;
  #attempts = 0;

  constructor(declared: VerificationDeclaration, context: CallContext, callerPhone: string | undefined) {
    this.#declared = declared;
    this.#context = context;
    this.#callerPhone = callerPhone;
    this.state = new Verification(declared.maxAttempts);
  }

  /** The check that is under way, if any: there is one at a time in a call. */
  get checking(): Promise<CheckOutcome> | undefined {
    return this.#checking;
  }

  numberQuestion(again: boolean): Question {
    const { customerNumber } = this.#declared;
    const first = this.state.failures > 0 ? customerNumber.again : customerNumber.prompt;
    return {
      slot: 'customer_number',
      expects: { kind: 'digits', length: customerNumber.length },
      secret: false,
      prompt: again ? customerNumber.reprompt : first,
      reprompt: customerNumber.reprompt,
      mustBeHeard: false,
    };
  }

  pinQuestion(again: boolean): Question {
    const { pin } = this.#declared;
    const first = this.state.preselected ? (pin.promptPreselected ?? pin.prompt) : pin.prompt;
    return {
      slot: 'pin',
      expects: { kind: 'digits', length: pin.length },
      secret: true,
      prompt: again ? pin.reprompt : first,
      reprompt: pin.reprompt,
      mustBeHeard: false,
    };
  }

  /** Looks the caller's number up, once in a call; whatever goes wrong with it only means that more is asked. */
  preselect(requestId: string): Promise<void> {
    this.#lookup ??= this.#preselect(requestId).catch((error: unknown) => {
      this.#context.log.warn({ code: codeOf(error) }, 'the caller could not be looked up');
    });
    return this.#lookup;
  }

  /** One attempt. Rejects with the ledger's Failure when there can be no row for it. */
  check(requestId: string, pin: string): Promise<CheckOutcome> {
    this.#checking ??= this.#check(requestId, pin).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #preselect(requestId: string): Promise<void> {
    const { preselect } = this.#declared;
    const phone = this.#callerPhone;
    if (preselect === undefined || phone === undefined || this.state.number !== undefined) return;
    const number = await ledgeredCall(
      this.#context,
      {
        requestId,
        step: 'preselect',
        action: 'preselect',
        transactionType: preselect.transactionType,
        customerId: undefined,
        authenticationStatus: 'PENDING',
        queryParameters: { callerPhone: phone },
        binding: preselect.http,
        scope: { caller: { phone } },
        effect: 'read',
        spool: true,
      },
      (answer): Reading<string | undefined> => {
        const found =
          answer.kind === 'reply' && answer.status === 200 ? valueAt(answer.data, preselect.customers) : undefined;
        const customers = Array.isArray(found) ? found : [];
        // Of two customers with one number neither is preselected.
        const customer = customers.length === 1 ? customerFrom(preselect.customer, customers[0]) : undefined;
        return {
          outcome: Array.isArray(found) ? 'POSTED' : 'FAILED',
          authenticationStatus: 'PENDING',
          customerId: customer?.id,
          responseData: { found: customers.length },
          value: customer?.number,
        };
      },
    );
    if (number === undefined) return;
    this.state.preselect(number);
    this.#context.onEvent({ type: 'customer-preselected', data: { customerNumber: number } });
  }

  async #check(requestId: string, pin: string): Promise<CheckOutcome> {
    const { number, preselected } = this.state;
    if (number === undefined) throw new Error('no customer number to check a PIN for');
    const attempt = ++this.#attempts;
    const { outcome, customer } = await ledgeredCall(
      this.#context,
      {
        requestId,
        step: `verify-${attempt}`,
        action: 'verification',
        transactionType: this.#declared.transactionType,
        customerId: number,
        authenticationStatus: 'PENDING',
        queryParameters: { customerNumber: number, preselected, attempt },
        binding: this.#declared.http,
        scope: { answers: { customer_number: number, pin }, caller: { phone: this.#callerPhone } },
        // A wrong PIN counts at the bank: repeated only under its key, like a change.
        effect: 'change',
        spool: true,
      },
      (answer) => this.#read(answer, number),
    );
    if (outcome === 'verified' && customer !== undefined) this.state.succeed(customer);
    else if (outcome === 'wrong') this.state.fail();
    else if (outcome === 'locked') this.state.lock();
    this.#context.onEvent({ type: 'verification-attempt', data: { attempt, preselected, outcome } });
    return outcome;
  }

  #read(answer: BankAnswer, number: string): Reading<{ outcome: CheckOutcome; customer: Customer | undefined }> {
    const outcome = this.#outcomeOf(answer);
    const customer =
      outcome === 'verified' && answer.kind === 'reply'
        ? customerFrom(this.#declared.customer, answer.data)
        : undefined;
    const verified = outcome === 'verified' && customer !== undefined;
    const facts = answer.kind === 'reply' ? { status: answer.status } : { reason: answer.reason };
    const ledgerOutcome = answer.kind === 'no-answer' && answer.maybeDone ? 'UNKNOWN' : verified ? 'POSTED' : 'FAILED';
    return {
      outcome: ledgerOutcome,
      authenticationStatus: verified ? 'VERIFIED' : 'FAILED',
      customerId: customer?.id ?? number,
      responseData: { ...facts, result: outcome, attempts: answer.attempts },
      value: { outcome: outcome === 'verified' && !verified ? 'bank-refused' : outcome, customer },
    };
  }

  #outcomeOf(answer: BankAnswer): CheckOutcome {
    if (answer.kind === 'no-answer') return 'bank-unavailable';
    if (answer.status >= 200 && answer.status < 300) {
      return holds(this.#declared.accepted, answer.data) ? 'verified' : 'wrong';
    }
    const type = valueAt(answer.data, 'type');
    const problem = this.#declared.problems.find(
      (one) =>
        (one.type === undefined || one.type === type) && (one.status === undefined || one.status === answer.status),
    );
    // Anything else, such as a refused API key, is no wrong PIN of the caller's.
    return problem?.means ?? 'bank-refused';
  }
}

function customerFrom(fields: Readonly<Record<string, string>>, data: unknown): Customer | undefined {
  const customer: Data = redact(mapResult(fields, data));
  const { id, number } = customer;
  return id === undefined || number === undefined ? undefined : { ...customer, id: String(id), number: String(number) };
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'internal';
}
