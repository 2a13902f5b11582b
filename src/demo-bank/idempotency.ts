import { createHmac, randomBytes } from 'node:crypto';
import { type Answer, problemAnswer } from './problems.ts';

interface Kept {
  fingerprint: string;
  answer: Answer;
  at: number;
}

const KEEP_MS = 24 * 3_600_000;
const KEEP_COUNT = 20_000;

/**
 * Answers of changing requests by their Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header): the same key
 * gets the same answer and nothing happens twice; the same key with another request gets 422. Kept for a day, the
 * oldest dropped first when there are too many.
 */
export class IdempotentAnswers {
  #kept = new Map<string, Kept>();
  // Request bodies hold PINs; a keyed hash of them cannot be tried out by whoever sees it.
  readonly #secret = randomBytes(32);

  /** `work` must be synchronous: no other request with the key can come between. */
  answer(
    key: string | undefined,
    request: unknown,
    now: number,
    work: () => Answer,
  ): { answer: Answer; replayed: boolean } {
    if (key === undefined) return { answer: work(), replayed: false };
    const fingerprint = createHmac('sha256', this.#secret).update(JSON.stringify(request)).digest('base64');
    const kept = this.#kept.get(key);
    if (kept !== undefined && now - kept.at < KEEP_MS) {
      if (kept.fingerprint !== fingerprint) return { answer: problemAnswer('idempotency-key-reused'), replayed: false };
      return { answer: kept.answer, replayed: true };
    }
    const answer = work();
    this.#kept.delete(key);
    this.#kept.set(key, { fingerprint, answer, at: now });
    if (this.#kept.size > KEEP_COUNT) {
      const oldest = this.#kept.keys().next().value;
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return { answer, replayed: false };
  }

  reset(): void {
    this.#kept.clear();
  }
}
