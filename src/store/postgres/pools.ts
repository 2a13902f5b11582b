import { Database, type DatabaseOptions } from './database.ts';

/** Most connections of each. */
const WRITES = 6;
const READS = 4;
const COUNTING = 2;

/** The connections of one store, by what they are for: nobody who reads holds up what is written, or a call out. */
export class Pools {
  readonly writes: Database;
  readonly reads: Database;
  /** What is dialled is counted over these. None is opened until somebody is to be called. */
  readonly counting: Database;

  constructor(options: Omit<DatabaseOptions, 'maxConnections'>) {
    this.writes = new Database({ ...options, maxConnections: WRITES });
    this.reads = new Database({ ...options, maxConnections: READS });
    this.counting = new Database({ ...options, maxConnections: COUNTING });
  }

  /** Takes on this role in every transaction from now on; undefined: the one that logs in. */
  assume(role: string | undefined): void {
    if (role === undefined) return;
    for (const database of this.#all()) database.assume(role);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((database) => database.close()));
  }

  #all(): Database[] {
    return [this.writes, this.reads, this.counting];
  }
}
