import type { Overload } from './load-guard.ts';

/** Why a request was refused, or got no answer. A small closed set: they are labels in /metrics. */
export type RefusalReason =
  | 'blocked'
  | 'scanner'
  | 'source-rate'
  | 'malformed'
  | 'stranger'
  | 'challenge'
  | 'wrong-password'
  | 'mismatch'
  | 'no-such-call'
  | 'no-such-number'
  | 'number-closed'
  | 'not-allowed'
  | 'trunk-calls'
  | 'trunk-rate'
  | 'calls'
  | 'draining'
  | 'stopped'
  | Overload;

/** What became of requests that came to the gate, since the start. */
export class AdmissionCounters {
  readonly #refused = new Map<RefusalReason, number>();
  #accepted = 0;

  accepted(): void {
    this.#accepted++;
  }

  refused(reason: RefusalReason): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  read(): { accepted: number; refused: Record<string, number> } {
    return { accepted: this.#accepted, refused: Object.fromEntries(this.#refused) };
  }
}
