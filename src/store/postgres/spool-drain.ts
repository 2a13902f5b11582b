import { rest } from '../../core/abortable.ts';
import type { Clock, Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Spool } from '../spool.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { DeadLetters } from './dead-letters.ts';
import { fromLine, type PackedEntry } from './entries.ts';

export interface SpoolDrainOptions {
  spool: Pick<Spool, 'isEmpty' | 'next'>;
  writer: Pick<BatchWriter, 'write'>;
  deadLetters: Pick<DeadLetters, 'add'>;
  /** Makes sure that the database is there and has our schema. */
  prepare: () => Promise<void>;
  /** Rows go to the spool now; while they do not, the drain sleeps until `wake`. */
  isDraining(): boolean;
  onWritten(rows: { written: number; drained: number; dead: number }): void;
  /** Everything is out of the spool. */
  onEmpty(): void;
  onTrouble(error: unknown): void;
  log: Logger;
  clock: Clock;
}

const BATCH = 500;
const FIRST_PAUSE_MS: Ms = 50;
const LONGEST_PAUSE_MS: Ms = 2000;

/** Takes the oldest lines from the spool to Postgres, as soon and as long as it answers. */
export class SpoolDrain {
  readonly #o: SpoolDrainOptions;
  #wake: () => void = () => undefined;

  constructor(options: SpoolDrainOptions) {
    this.#o = options;
  }

  /** There is something to drain, or `run` is to end. */
  wake(): void {
    this.#wake();
  }

  /** Until `signal` aborts and `wake` is called. */
  async run(signal: AbortSignal): Promise<void> {
    const { isDraining, prepare, onEmpty, onTrouble, spool } = this.#o;
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      if (!isDraining()) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        await prepare();
        if (!(await this.#drainChunk(signal)) && spool.isEmpty) onEmpty();
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (signal.aborted) return;
        onTrouble(error);
        await rest(pause, signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** False when the spool is empty. */
  async #drainChunk(signal: AbortSignal): Promise<boolean> {
    const { spool, writer } = this.#o;
    if (spool.isEmpty) return false;
    const chunk = await spool.next(BATCH);
    if (!chunk) {
      // A batch is on its way to the disk at this moment.
      if (!spool.isEmpty) await rest(2, signal);
      return !spool.isEmpty;
    }
    const entries: PackedEntry[] = [];
    for (const line of chunk.lines) {
      const entry = fromLine(line);
      if (entry) entries.push(entry);
      else await this.#damaged(line);
    }
    const { written, dead } = await writer.write(entries);
    await chunk.done();
    this.#o.onWritten({ written, drained: entries.length, dead });
    return true;
  }

  /** A torn tail is normal after a crash: those lines were never promised to anybody. Kept aside all the same. */
  async #damaged(line: string): Promise<void> {
    this.#o.log.warn({ bytes: line.length }, 'damaged line in the spool, set aside');
    await this.#o.deadLetters.add({ reason: 'damaged' }, line, this.#o.clock.wall());
  }
}
