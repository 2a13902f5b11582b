import { type HearingSource, partsHeard } from '../outbound/hearing.ts';
import type { SessionNumber } from './worker-protocol.ts';
import type { WorkerSession } from './worker-session.ts';

type Sessions = ReadonlyMap<SessionNumber, WorkerSession>;

/** Who hears whom in one worker: legs are told by number, also of legs that are still to come or have gone. */
export class HearingTable {
  readonly #sessions: Sessions;
  readonly #told = new Map<SessionNumber, readonly HearingSource<SessionNumber>[]>();
  #mixed: Map<SessionNumber, WorkerSession> = new Map();

  /** `sessions`: those of the worker, as they come and go. */
  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Those who hear or are heard. Another map whenever that changes: a tick goes on with the one it began with. */
  get mixed(): Sessions {
    return this.#mixed;
  }

  /** From now on this leg hears these, and nobody else. */
  tell(leg: SessionNumber, sources: readonly HearingSource<SessionNumber>[]): void {
    if (sources.length === 0) this.#told.delete(leg);
    else this.#told.set(leg, sources);
    this.#retune();
  }

  /** Somebody whom others were told to hear may be there now. */
  opened(): void {
    if (this.#told.size > 0) this.#retune();
  }

  removed(leg: SessionNumber): void {
    const heard = this.#mixed.has(leg);
    if (this.#told.delete(leg) || heard) this.#retune();
  }

  #retune(): void {
    const mixed = new Map<SessionNumber, WorkerSession>();
    for (const [number, session] of this.#sessions) {
      const parts = partsHeard(number, (leg) => this.#told.get(leg) ?? []).flatMap(({ of, what, gain }) => {
        const from = this.#sessions.get(of);
        if (from) mixed.set(of, from);
        return from ? [{ of: from, what, gain }] : [];
      });
      session.hear(parts);
      if (parts.length > 0 || session.hearing) mixed.set(number, session);
    }
    this.#mixed = mixed;
  }
}
