import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import type { FilledRequest } from './data-paths.ts';

/**
 * The key under which one step of one action of one call is known to the ledger and the bank: the same parts always
 * give the same key, so that whoever repeats the step repeats the key.
 */
export function idempotencyKey(sessionId: string, requestId: string, step: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([sessionId, requestId, step]))
    .digest('hex');
  return `${step}-${digest.slice(0, 40)}`;
}

/** Equal for two requests exactly when they ask the bank for the same thing. */
export function fingerprint(action: string, request: FilledRequest): string {
  return canonicalJson([action, request.method, request.path, request.query, request.body ?? null]);
}
