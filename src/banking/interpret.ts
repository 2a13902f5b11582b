import { asFailure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { ActionResult } from '../dialogue/questions/action-desk.ts';
import { renderSay } from '../sentences/spoken.ts';
import type { BankAnswer } from './bank-call.ts';
import { type Data, holds, mapResult, valueAt } from './data-paths.ts';
import type { ActionDeclaration, Phrases } from './declaration.ts';
import type { LedgerCompletion } from './ledger.ts';
import { redact } from './redact.ts';

export interface Interpreted {
  outcome: LedgerCompletion['outcome'];
  responseData: Data;
  result: ActionResult;
}

interface Context {
  action: ActionDeclaration;
  /** args, customer, caller, what was chosen; for the words. */
  scope: Data;
  phrases: Phrases;
  now: Date;
  log: Logger;
}

/** What the bank's answer means: for the ledger, for the model, and in words for the caller. */
export function interpret(answer: BankAnswer, context: Context): Interpreted {
  const { action, phrases } = context;
  const change = action.policy.effect === 'change';
  if (answer.kind === 'no-answer') {
    const responseData = { reason: answer.reason, attempts: answer.attempts };
    if (change && answer.maybeDone) return unknown(phrases, responseData);
    return failed('bank-unavailable', phrases.bankUnavailable, responseData);
  }
  const responseData: Data = { status: answer.status, attempts: answer.attempts };
  if (answer.status >= 200 && answer.status < 300) return accepted(answer.data, responseData, context);

  const type = valueAt(answer.data, 'type');
  if (typeof type === 'string') responseData.problem = type;
  const problem = action.problems.find(
    (one) =>
      (one.type === undefined || one.type === type) && (one.status === undefined || one.status === answer.status),
  );
  if (problem !== undefined) {
    const say = said(problem.say, context.scope, context) ?? phrases.bankRefused;
    return { outcome: 'FAILED', responseData, result: { ok: problem.ok, code: problem.code, data: {}, say } };
  }
  // A refusal nobody foresaw, after an attempt that broke off, may be about the repetition.
  if (change && answer.uncertain) return unknown(phrases, responseData);
  return failed('bank-refused', phrases.bankRefused, responseData);
}

function accepted(response: unknown, facts: Data, context: Context): Interpreted {
  const { action, phrases } = context;
  const change = action.policy.effect === 'change';
  if (!change && response === undefined) return failed('bank-unavailable', phrases.bankUnavailable, facts);
  const data = redact(mapResult(action.result, { ...context.scope, response }));
  const scope = { ...context.scope, ...data };
  const responseData = { ...data, ...facts };
  const outcome = action.outcomes.find((one) => holds(one.when, scope));
  const say = outcome === undefined ? undefined : said(outcome.say, scope, context);
  if (outcome !== undefined && say !== undefined) {
    const { ok, code, mustBeHeard } = outcome;
    return {
      outcome: 'POSTED',
      responseData,
      result: { ok, code, data, say, ...(mustBeHeard && { mustBeHeard }) },
    };
  }
  // Done is done, even where the words for it fail; a read without words is of no use to the caller.
  if (change) return { outcome: 'POSTED', responseData, result: { ok: true, code: 'posted', data, say: phrases.done } };
  return { ...failed('bank-refused', phrases.bankRefused, responseData), outcome: 'FAILED' };
}

/** undefined when the data does not have what the words need. */
export function said(
  template: string,
  scope: Data,
  context: Pick<Context, 'action' | 'now' | 'log'>,
): string | undefined {
  try {
    return renderSay(template, scope, context.now).replace(/\s+/g, ' ').trim();
  } catch (error) {
    context.log.error({ action: context.action.name, problem: asFailure(error).message }, 'cannot say a result');
    return undefined;
  }
}

function failed(code: string, say: string, responseData: Data): Interpreted {
  return { outcome: 'FAILED', responseData, result: { ok: false, code, data: {}, say } };
}

function unknown(phrases: Phrases, responseData: Data): Interpreted {
  const result = { ok: false, code: 'unknown-outcome', data: {}, say: phrases.unknownOutcome };
  return { outcome: 'UNKNOWN', responseData, result };
}
