import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { asFailure, Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Ahead } from './ahead.ts';
import { type BankAnswer, callBank } from './bank-call.ts';
import type { BankClient } from './bank-client.ts';
import { type Data, type FilledRequest, fillBinding } from './data-paths.ts';
import type { HttpBinding } from './declaration.ts';
import { idempotencyKey } from './keys.ts';
import type { Ledger, LedgerCompletion, LedgerRow } from './ledger.ts';
import { redact } from './redact.ts';

/** What happens at the desk, for the timeline of the call; holds no secrets. */
export interface DeskEvent {
  type: string;
  data: Data;
}

export interface CallContext {
  sessionId: string;
  correlationId: string;
  bank: BankClient;
  ledger: Ledger;
  clock: Clock;
  log: Logger;
  /** Longest time for one call of the bank where its binding names none, ms. */
  timeoutMs: number;
  onEvent: (event: DeskEvent) => void;
  /** Reads that were fetched before they were asked for. */
  ahead: Ahead;
}

export interface LedgeredRequest {
  requestId: string;
  /** Which step of the action: two steps of one action have two keys. */
  step: string;
  action: string;
  transactionType: string;
  customerId: string | undefined;
  authenticationStatus: LedgerRow['authenticationStatus'];
  queryParameters: Data;
  binding: HttpBinding;
  /** For the placeholders of the binding; may hold secrets, which go to the bank alone. */
  scope: Data;
  effect: 'read' | 'change';
  /** May the row go to the spool when the database is away? */
  spool: boolean;
  /** Key of an earlier, unclear attempt at the same change. */
  bankKey?: string;
}

export interface Reading<T> {
  outcome: LedgerCompletion['outcome'];
  authenticationStatus: LedgerCompletion['authenticationStatus'];
  customerId: string | undefined;
  responseData: Data;
  value: T;
}

/** Fetches what a read will ask for, if it is asked for. No row: the ledger shows what was used. */
export function readAhead(context: CallContext, binding: HttpBinding, scope: Data): Promise<BankAnswer> {
  const filled = fillBinding(binding, scope);
  return context.ahead.fetch(filled, () => sendTo(context, binding, filled, 'read'));
}

/**
 * The one way to the bank: the row is committed, then the bank is called, then the row is completed. What a read wants
 * may have been fetched already; its row is the same. Once the bank has
 * been called nothing here gives up before the row says how it ended.
 * Rejects with the ledger's Failure when the row cannot be begun; the bank has not been called then.
 */
export async function ledgeredCall<T>(
  context: CallContext,
  request: LedgeredRequest,
  read: (answer: BankAnswer) => Reading<T>,
): Promise<T> {
  const { clock, ledger } = context;
  // First of all: a binding that cannot be filled must not leave a row behind.
  const filled = fillBinding(request.binding, request.scope);
  const key = idempotencyKey(context.sessionId, request.requestId, request.step);
  const bankKey = request.bankKey ?? key;
  const row: LedgerRow = {
    transactionId: randomUUID(),
    sessionId: context.sessionId,
    customerId: request.customerId,
    transactionType: request.transactionType,
    authenticationStatus: request.authenticationStatus,
    idempotencyKey: key,
    queryParameters: redact({ ...request.queryParameters, ...(bankKey === key ? {} : { repeats: bankKey }) }),
    createdAt: clock.wall(),
  };
  try {
    await ledger.begin(row, request.spool ? 'read' : 'change');
  } catch (error) {
    const failure = asFailure(error);
    context.log.error(
      { action: request.action, code: failure.code },
      'the ledger took no row, so the bank is not called',
    );
    throw failure.code === 'duplicate-transaction' || failure.code === 'ledger-unavailable'
      ? failure
      : new Failure('the ledger took no row', { code: 'ledger-unavailable', blame: 'us', cause: error });
  }
  const started = clock.now();
  const known = request.effect === 'read' ? await context.ahead.take(filled) : undefined;
  const answer = known ?? (await sendTo(context, request.binding, filled, request.effect, bankKey));
  const reading = readSafely(answer, row, read);
  const ms = Math.round(clock.now() - started);
  await complete(context, row.transactionId, reading);
  const facts = { action: request.action, transactionType: row.transactionType, outcome: reading.outcome, ms };
  context.log.info({ ...facts, transaction_id: row.transactionId, attempts: answer.attempts }, 'bank call done');
  context.onEvent({
    type: 'bank-call',
    data: {
      ...facts,
      transactionId: row.transactionId,
      attempts: answer.attempts,
      ...(known && { fetchedAhead: true }),
    },
  });
  if (reading.value instanceof Error) throw reading.value;
  return reading.value;
}

function sendTo(
  context: CallContext,
  binding: HttpBinding,
  filled: FilledRequest,
  effect: 'read' | 'change',
  bankKey?: string,
): Promise<BankAnswer> {
  return callBank(
    context.bank,
    {
      ...filled,
      route: binding.path,
      correlationId: context.correlationId,
      idempotencyKey: filled.method === 'GET' ? undefined : bankKey,
    },
    { effect, totalMs: binding.timeoutMs ?? context.timeoutMs },
    context.clock,
  );
}

/** A mistake in reading the answer must not leave the row open: how it ended is then not known. */
function readSafely<T>(
  answer: BankAnswer,
  row: LedgerRow,
  read: (answer: BankAnswer) => Reading<T>,
): Reading<T | Error> {
  try {
    return read(answer);
  } catch (error) {
    const { customerId, authenticationStatus } = row;
    const value = error instanceof Error ? error : new Error(String(error));
    return { outcome: 'UNKNOWN', authenticationStatus, customerId, responseData: { reason: 'unreadable' }, value };
  }
}

/** What the bank did stands, whatever the ledger does: the caller is told, and the log keeps what the row lacks. */
async function complete(context: CallContext, transactionId: string, reading: Reading<unknown>): Promise<void> {
  const { outcome, authenticationStatus, customerId, responseData } = reading;
  try {
    await context.ledger.complete(transactionId, {
      outcome,
      authenticationStatus,
      customerId,
      responseData: redact(responseData),
      completedAt: context.clock.wall(),
    });
  } catch (error) {
    const { code } = asFailure(error);
    context.log.error(
      { transaction_id: transactionId, outcome, code },
      'the ledger did not take the completion of a row',
    );
  }
}
