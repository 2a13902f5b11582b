import { KeptFiles } from '../../core/kept-files.ts';
import type { ProgramRun } from './wasi-program.ts';

/** Half an hour of speech. */
const LIMIT_BYTES = 64 << 20;
/** Lengths of the two parts, in front of them. */
const HEAD = 8;

/**
 * What the program made of lasting words, on disk: the next start reads it instead of making it again. The program is a
 * pure function of its arguments, and what we make of its output is not kept: nothing here can be out of date.
 */
export class KeptRuns {
  readonly #files: KeptFiles;
  readonly #program: string;

  /** `program`: name and version; another one makes something else of the same arguments. */
  constructor(folder: string, program: string) {
    this.#files = new KeptFiles(folder, LIMIT_BYTES);
    this.#program = program;
  }

  get(args: readonly string[]): ProgramRun | undefined {
    return this.#files.get([this.#program, ...args], (bytes) => {
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
    this.#files.put([this.#program, ...args], [head, text, file]);
  }
}
