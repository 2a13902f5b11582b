import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProgramRun } from './wasi-program.ts';

/** Half an hour of speech. When there is more at a start, what was made first goes until half of it is left. */
const LIMIT_BYTES = 64 << 20;
/** Lengths of the two parts, in front of them. */
const HEAD = 8;

/**
 * What the program made of lasting words, on disk: the next start reads it instead of making it again. The program is a
 * pure function of its arguments, and what we make of its output is not kept: nothing here can be out of date. What
 * cannot be read or written is made anew; nobody is told.
 */
export class KeptRuns {
  readonly #folder: string;
  readonly #program: string;

  /** `program`: name and version; another one makes something else of the same arguments. */
  constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#program = program;
    ifPossible(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#makeRoom();
    });
  }

  get(args: readonly string[]): ProgramRun | undefined {
    return ifPossible(() => {
      const bytes = readFileSync(this.#pathOf(args));
      const [text, file] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
      if (bytes.length !== HEAD + text + file) return undefined;
      const stdout = bytes.toString('utf8', HEAD, HEAD + text);
      return { exitCode: 0, stdout, file: new Uint8Array(bytes.subarray(HEAD + text)) };
    });
  }

  put(args: readonly string[], { exitCode, stdout, file }: ProgramRun): void {
    if (exitCode !== 0) return;
    const text = Buffer.from(stdout);
    const head = Buffer.alloc(HEAD);
    head.writeUInt32LE(text.length, 0);
    head.writeUInt32LE(file.length, 4);
    const path = this.#pathOf(args);
    // Renamed when complete: other threads, and other connectors, read here at the same time.
    const unfinished = `${path}.${crypto.randomUUID()}`;
    const isThere = ifPossible(() => {
      writeFileSync(unfinished, Buffer.concat([head, text, file]), { mode: 0o600 });
      renameSync(unfinished, path);
      return true;
    });
    if (!isThere) ifPossible(() => rmSync(unfinished, { force: true }));
  }

  #pathOf(args: readonly string[]): string {
    const key = JSON.stringify([this.#program, ...args]);
    return join(this.#folder, createHash('sha256').update(key).digest('hex'));
  }

  #makeRoom(): void {
    const files = readdirSync(this.#folder).map((name) => {
      const path = join(this.#folder, name);
      const { size, mtimeMs } = statSync(path);
      return { path, size, mtimeMs };
    });
    let total = files.reduce((sum, { size }) => sum + size, 0);
    if (total <= LIMIT_BYTES) return;
    for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (total <= LIMIT_BYTES / 2) return;
      rmSync(path, { force: true });
      total -= size;
    }
  }
}

/** A full disk, or a folder that is none, costs time and nothing else. */
function ifPossible<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
