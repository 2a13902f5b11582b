import type { LedgerCompletion } from './ledger.ts';
import type { Run } from './run.ts';

interface Change {
  run: Run;
  /** What the bank knows this change by; repetitions of an unclear one use it again. */
  bankKey: string | undefined;
  outcome: LedgerCompletion['outcome'] | 'PENDING';
}

/**
 * The changes of one call, by what they ask of the bank, so that the same change is made once however often it is asked
 * for. A failed or given-up one may be asked for again; one whose outcome is unknown too, under its first key.
 */
export class Changes {
  readonly #changes = new Map<string, Change>();

  /** Another request for the same change that is under way or done. */
  sameAs(run: Run, fingerprint: string): Run | undefined {
    const change = this.#changes.get(fingerprint);
    if (change === undefined || change.run === run) return undefined;
    return change.outcome === 'PENDING' || change.outcome === 'POSTED' ? change.run : undefined;
  }

  claim(run: Run, fingerprint: string): void {
    const earlier = this.#changes.get(fingerprint);
    if (earlier?.run === run) return;
    this.#changes.set(fingerprint, { run, bankKey: earlier?.bankKey, outcome: 'PENDING' });
    run.fingerprint = fingerprint;
  }

  /** The key of an earlier attempt at this change that may have reached the bank. */
  earlierKey(run: Run): string | undefined {
    return this.#own(run)?.bankKey;
  }

  settle(run: Run, outcome: LedgerCompletion['outcome'], bankKey: string): void {
    const change = this.#own(run);
    if (change === undefined) return;
    if (outcome === 'FAILED') this.#changes.delete(run.fingerprint!);
    else Object.assign(change, { outcome, bankKey: change.bankKey ?? bankKey });
  }

  /** Given up before the bank was asked; an earlier unclear attempt stays one. */
  release(run: Run): void {
    const change = this.#own(run);
    if (change === undefined || change.outcome !== 'PENDING') return;
    if (change.bankKey === undefined) this.#changes.delete(run.fingerprint!);
    else change.outcome = 'UNKNOWN';
  }

  #own(run: Run): Change | undefined {
    const change = run.fingerprint === undefined ? undefined : this.#changes.get(run.fingerprint);
    return change?.run === run ? change : undefined;
  }
}
