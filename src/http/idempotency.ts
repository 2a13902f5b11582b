import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { HttpProblem } from './problems.ts';

/** Of a request's contents: a repeat under the same key must have the same. */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}

/** `take` refuses (HttpProblem) what cannot be asked for now; `earlier`: what the key stands for already, if anything. */
export interface Asked<T> {
  take(): Promise<T>;
  earlier(): Promise<T | undefined>;
}

/**
 * What was taken down under a key, or 409 when the key stands for something else. A repeat gets the truth about the
 * first request also when the same could not be asked for any more: its time has passed, its bot is gone.
 */
export async function underItsKey<T>(what: 'an order' | 'a campaign', asked: Asked<T>): Promise<T> {
  try {
    return await asked.take().catch(async (refusal) => {
      const earlier = refusal instanceof HttpProblem ? await asked.earlier() : undefined;
      if (earlier === undefined) throw refusal;
      return earlier;
    });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'idempotency-key-reused')) throw error;
    const detail = `This Idempotency-Key stands for ${what} with other contents. Send a new key for what is new, the same contents for what is repeated.`;
    const errors = [{ field: 'idempotency-key', in: 'headers', message: `stands for ${what} with other contents` }];
    throw new HttpProblem(409, 'Key in use', detail, {}, errors);
  }
}
