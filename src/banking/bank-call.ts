import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, Ms } from '../core/clock.ts';
import { asFailure } from '../core/errors.ts';
import type { BankClient, BankRequest } from './bank-client.ts';

/** What came of a call of the bank, after all attempts. */
export type BankAnswer =
  /** `uncertain`: an earlier attempt broke off, so this refusal may be about the repetition rather than the request. */
  | { kind: 'reply'; status: number; data: unknown; uncertain: boolean; attempts: number }
  /** `maybeDone`: some attempt may have been carried out. */
  | { kind: 'no-answer'; reason: string; maybeDone: boolean; attempts: number };

export interface CallPolicy {
  /** `change` is repeated only under its idempotency key. */
  effect: 'read' | 'change';
  /** For all attempts together. */
  totalMs: Ms;
}

const READ_ATTEMPTS = 2;
const CHANGE_ATTEMPTS = 3;
const PAUSE_MS: Ms = 100;
/** Less than this is not worth another attempt. */
const LEAST_MS: Ms = 20;

/**
 * Calls the bank within a total time. A read has all of it for its first attempt, and one more attempt after a 5xx or a
 * broken connection. A change that got no clear answer is sent again under the same idempotency key, at most three
 * times in all; its first attempt takes half of the time at most, so that there is some left to find out.
 */
export async function callBank(
  client: BankClient,
  request: Omit<BankRequest, 'timeoutMs'>,
  policy: CallPolicy,
  clock: Clock,
): Promise<BankAnswer> {
  const deadline = clock.now() + policy.totalMs;
  const most = policy.effect === 'read' ? READ_ATTEMPTS : CHANGE_ATTEMPTS;
  let maybeDone = false;
  let reason = 'no time left';
  let attempts = 0;
  while (attempts < most) {
    const left = deadline - clock.now();
    if (left < LEAST_MS) break;
    attempts++;
    let pauseMs = PAUSE_MS * attempts;
    const timeoutMs = Math.ceil(policy.effect === 'change' && attempts < most ? left / 2 : left);
    try {
      const { status, data, retryAfterMs = 0 } = await client.send({ ...request, timeoutMs });
      if (status < 500 && status !== 429) return { kind: 'reply', status, data, uncertain: maybeDone, attempts };
      reason = `the bank answered ${status}`;
      // 429 says that it was not done; a 5xx may come from a gateway behind which it was.
      maybeDone ||= status !== 429;
      const room = deadline - clock.now() - LEAST_MS;
      // Asked before its time a bank that counts requests says the same again. Behind a 5xx there is something to find out.
      if (status === 429 && retryAfterMs > room) break;
      if (retryAfterMs <= room) pauseMs = Math.max(pauseMs, retryAfterMs);
    } catch (error) {
      const failure = asFailure(error);
      reason = failure.code;
      maybeDone ||= failure.code !== 'bank-unreachable';
    }
    if (attempts < most) await delay(Math.max(0, Math.min(pauseMs, deadline - clock.now())));
  }
  return { kind: 'no-answer', reason, maybeDone, attempts };
}
