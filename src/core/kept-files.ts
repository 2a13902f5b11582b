import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HASH_BYTES = 32;

/**
 * What was made once, on disk, so that the next start reads it instead of making it again: files found by the hash of
 * all that went into them, so that nothing in them can be out of date, and led by the hash of what is in them: a disk that
 * has lost half of one is to cost the time to make it again, not something else. What cannot be read or written is made
 * anew; nobody is told. Nothing is believed that others may have written: a folder that belongs to somebody else, or in
 * which everybody may write, is left alone. More than `limitBytes` at a start: what was made first goes until half of that
 * is left. Any number of threads and processes may use one folder.
 */
export class KeptFiles {
  readonly #folder: string;
  readonly #isOurs: boolean;

  constructor(folder: string, limitBytes: number) {
    this.#folder = folder;
    this.#isOurs = ifPossible(() => isOurs(folder)) ?? false;
    if (this.#isOurs) ifPossible(() => this.#makeRoom(limitBytes));
  }

  /** `use` is given what is kept for `key`. Undefined where there is nothing, or `use` throws or returns that. */
  get<T>(key: readonly string[], use: (bytes: Buffer) => T | undefined): T | undefined {
    if (!this.#isOurs) return undefined;
    return ifPossible(() => {
      const file = readFileSync(this.#pathOf(key));
      const bytes = file.subarray(HASH_BYTES);
      return sha256([bytes]).equals(file.subarray(0, HASH_BYTES)) ? use(bytes) : undefined;
    });
  }

  put(key: readonly string[], parts: readonly Uint8Array[]): void {
    if (!this.#isOurs) return;
    const path = this.#pathOf(key);
    // Renamed when complete: others read here at the same time.
    const unfinished = `${path}.${crypto.randomUUID()}`;
    const isThere = ifPossible(() => {
      writeFileSync(unfinished, Buffer.concat([sha256(parts), ...parts]), { mode: 0o600 });
      renameSync(unfinished, path);
      return true;
    });
    if (!isThere) ifPossible(() => rmSync(unfinished, { force: true }));
  }

  #pathOf(key: readonly string[]): string {
    return join(this.#folder, createHash('sha256').update(JSON.stringify(key)).digest('hex'));
  }

  #makeRoom(limitBytes: number): void {
    const files = readdirSync(this.#folder).map((name) => {
      const path = join(this.#folder, name);
      const { size, mtimeMs } = statSync(path);
      return { path, size, mtimeMs };
    });
    let total = files.reduce((sum, { size }) => sum + size, 0);
    if (total <= limitBytes) return;
    for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (total <= limitBytes / 2) return;
      rmSync(path, { force: true });
      total -= size;
    }
  }
}

/** Makes it where it is not there. */
function isOurs(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  // Of Windows neither tells anything.
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o002) === 0);
}

function sha256(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** A full disk, or a folder that is none, costs time and nothing else. */
function ifPossible<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
