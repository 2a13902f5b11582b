import type { CallJournal, JournalEntry, SessionRecord } from '../../call/record/records.ts';
import type { WriteBehind } from './write-behind.ts';

/** What calls write, over the write-behind. */
export class PostgresJournal implements CallJournal {
  readonly #writeBehind: WriteBehind;
  /** Sessions in progress: the ledger writes a call's session first when the journal's own row is still on its way. */
  readonly #open = new Map<string, SessionRecord>();

  constructor(writeBehind: WriteBehind) {
    this.#writeBehind = writeBehind;
  }

  append(entry: JournalEntry): void {
    if (entry.kind === 'session') {
      if (entry.row.status === 'ACTIVE') this.#open.set(entry.row.sessionId, { ...entry.row });
      else this.#open.delete(entry.row.sessionId);
    }
    this.#writeBehind.append(entry);
  }

  flush(): Promise<void> {
    return this.#writeBehind.durable();
  }

  /** The latest row of a call in progress. */
  openSession(sessionId: string): SessionRecord | undefined {
    return this.#open.get(sessionId);
  }
}
