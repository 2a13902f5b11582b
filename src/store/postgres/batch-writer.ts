import type { Clock, Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from './database.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type PackedEntry, toLine } from './entries.ts';
import { sendRows, writeRows } from './row-writer.ts';
import { describeSqlError, isCollision, troubleOf } from './sql-errors.ts';

export interface BatchWriterOptions {
  database: Database;
  instanceId: string;
  deadLetters: DeadLetters;
  timeoutMs: Ms;
  log: Logger;
  clock: Clock;
}

export interface Written {
  written: number;
  dead: number;
}

/**
 * Writes a batch in one transaction. Should a row be refused for its own sake, the batch is written again entry by
 * entry, in order, and the refused ones are set aside, so that no entry blocks the rest. Rejects when the database (or,
 * for a refused entry, the disk) is away: then nothing of the batch may be taken for written, and it is to come again.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  async write(batch: readonly PackedEntry[]): Promise<Written> {
    const { database, instanceId, timeoutMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await database.transaction(async (tx) => void sendRows(tx.send, batch, instanceId), { timeoutMs });
        return { written: batch.length, dead: 0 };
      } catch (error) {
        if (troubleOf(error) === 'poison') return this.#writeApart(batch);
        if (!isCollision(error) || attempt >= 3) throw error;
      }
    }
  }

  async #writeApart(batch: readonly PackedEntry[]): Promise<Written> {
    const { database, instanceId, timeoutMs } = this.#options;
    const refused: [PackedEntry, unknown][] = [];
    await database.transaction(
      async (tx) => {
        refused.length = 0;
        for (const entry of batch) {
          await tx.query('SAVEPOINT entry');
          try {
            await writeRows(tx, [entry], instanceId);
            await tx.query('RELEASE SAVEPOINT entry');
          } catch (error) {
            if (troubleOf(error) !== 'poison') throw error;
            await tx.query('ROLLBACK TO SAVEPOINT entry');
            refused.push([entry, error]);
          }
        }
        // Before the commit: should the disk refuse, the whole batch comes again, and nothing is lost.
        for (const [entry, error] of refused) await this.#setAside(entry, error);
      },
      { timeoutMs: timeoutMs * 4 },
    );
    return { written: batch.length - refused.length, dead: refused.length };
  }

  async #setAside(entry: PackedEntry, error: unknown): Promise<void> {
    const { deadLetters, log, clock } = this.#options;
    const facts = describeSqlError(error);
    await deadLetters.add(facts, toLine(entry), clock.wall());
    log.error(
      { kind: entry.kind, id: entry.id, ...facts, file: deadLetters.path },
      'row refused by the database, set aside',
    );
  }
}
