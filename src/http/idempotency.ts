import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { HttpProblem } from './problems.ts';

/** Of a request's contents: a repeat under the same key must have the same. */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}

/** What was taken down under a key, or 409 when the key stands for something else. */
export async function underItsKey<T>(what: 'an order' | 'a campaign', taken: Promise<T>): Promise<T> {
  try {
    return await taken;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'idempotency-key-reused')) throw error;
    const detail = `This Idempotency-Key stands for ${what} with other contents. Send a new key for what is new, the same contents for what is repeated.`;
    const errors = [{ field: 'idempotency-key', in: 'headers', message: `stands for ${what} with other contents` }];
    throw new HttpProblem(409, 'Key in use', detail, {}, errors);
  }
}
