import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Entries that Postgres will never take, one JSON object per line, for a person to look at. Synced, mode 0600. */
export class DeadLetters {
  readonly path: string;
  #busy: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Rejects when the disk does not take it. */
  add(reason: Record<string, string>, line: string, at: Date): Promise<void> {
    const done = this.#busy.then(async () => {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      const file = await open(this.path, 'a', 0o600);
      try {
        await file.write(`${JSON.stringify({ at, reason, line })}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
    });
    this.#busy = done.catch(() => undefined);
    return done;
  }
}
