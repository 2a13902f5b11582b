export interface ProgramRun {
  exitCode: number;
  stdout: string;
  /** What it wrote to a file. */
  file: Uint8Array;
}

/**
 * Runs a WASI command-line program many times in one WebAssembly instance, with arguments, standard output and one
 * output file in memory. Not node:wasi, because that allows one run per instance: a new instance of flite costs 14 ms
 * and 19 MB, putting its memory back as it was at the start costs 1.4 ms. And nothing touches the disk.
 */
export class WasiProgram {
  readonly #module: WebAssembly.Module;
  readonly #name: string;
  #instance: WebAssembly.Instance | undefined;
  #memory: WebAssembly.Memory | undefined;
  #pristine: Uint8Array | undefined;
  #clean = false;
  #args: Uint8Array[] = [];
  #stdout = '';
  #file = new Uint8Array(1 << 18);
  #fileLength = 0;
  #filePosition = 0;

  constructor(module: WebAssembly.Module, name: string) {
    this.#module = module;
    this.#name = name;
  }

  /**
   * Runs `main` with these arguments. Whatever the program writes to a file is the result's `file`, a view that the
   * next run overwrites. Throws WebAssembly.RuntimeError when the program traps.
   */
  run(args: readonly string[]): ProgramRun {
    this.prepare();
    this.#clean = false;
    this.#args = [this.#name, ...args].map((arg) => encoder.encode(`${arg.replaceAll('\0', ' ')}\0`));
    this.#stdout = '';
    this.#fileLength = 0;
    this.#filePosition = 0;
    let exitCode = 0;
    try {
      (this.#instance!.exports._start as () => void)();
    } catch (error) {
      // proc_exit unwinds by exception, which leaves the instance's stack pointer where it was: start afresh.
      this.#instance = undefined;
      if (!(error instanceof ProcessExit)) throw error;
      exitCode = error.code;
    }
    return { exitCode, stdout: this.#stdout, file: this.#file.subarray(0, this.#fileLength) };
  }

  /** Makes the next run start at once; to be called when there is time. */
  prepare(): void {
    if (this.#instance === undefined) {
      this.#instance = new WebAssembly.Instance(this.#module, { wasi_snapshot_preview1: this.#imports() });
      this.#memory = this.#instance.exports.memory as WebAssembly.Memory;
      this.#pristine ??= new Uint8Array(this.#memory.buffer).slice();
    } else if (!this.#clean) {
      const bytes = new Uint8Array(this.#memory!.buffer);
      bytes.set(this.#pristine!);
      bytes.fill(0, this.#pristine!.length);
    }
    this.#clean = true;
  }

  /** The part of WASI preview 1 that a program compiled by wasi-libc to speak from memory to memory asks for. */
  #imports(): Record<string, (...args: never[]) => number> {
    const view = () => new DataView(this.#memory!.buffer);
    const bytes = (at: number, length: number) => new Uint8Array(this.#memory!.buffer, at, length);
    return {
      args_sizes_get: (count: number, size: number) => {
        view().setUint32(count, this.#args.length, true);
        view().setUint32(
          size,
          this.#args.reduce((sum, arg) => sum + arg.length, 0),
          true,
        );
        return OK;
      },
      args_get: (pointers: number, strings: number) => {
        let pointer = pointers;
        let at = strings;
        for (const arg of this.#args) {
          view().setUint32(pointer, at, true);
          bytes(at, arg.length).set(arg);
          pointer += 4;
          at += arg.length;
        }
        return OK;
      },
      clock_time_get: (_clock: number, _precision: bigint, out: number) => {
        view().setBigUint64(out, process.hrtime.bigint(), true);
        return OK;
      },
      fd_close: () => OK,
      fd_fdstat_get: (fd: number, out: number) => {
        view().setUint8(out, fd === ROOT_FD ? TYPE_DIRECTORY : fd < ROOT_FD ? TYPE_CHARACTER_DEVICE : TYPE_FILE);
        view().setUint16(out + 2, 0, true);
        view().setBigUint64(out + 8, ALL_RIGHTS, true);
        view().setBigUint64(out + 16, ALL_RIGHTS, true);
        return OK;
      },
      fd_fdstat_set_flags: () => OK,
      fd_prestat_get: (fd: number, out: number) => {
        if (fd !== ROOT_FD) return BAD_FD;
        view().setUint8(out, 0);
        view().setUint32(out + 4, ROOT.length, true);
        return OK;
      },
      fd_prestat_dir_name: (_fd: number, out: number, length: number) => {
        bytes(out, Math.min(length, ROOT.length)).set(ROOT.subarray(0, length));
        return OK;
      },
      fd_read: (_fd: number, _vectors: number, _count: number, out: number) => {
        view().setUint32(out, 0, true);
        return OK;
      },
      fd_seek: (fd: number, offset: bigint, whence: number, out: number) => {
        if (fd <= ROOT_FD) return NOT_SEEKABLE;
        const from = whence === 0 ? 0 : whence === 1 ? this.#filePosition : this.#fileLength;
        this.#filePosition = Math.max(0, from + Number(offset));
        view().setBigUint64(out, BigInt(this.#filePosition), true);
        return OK;
      },
      fd_write: (fd: number, vectors: number, count: number, out: number) => {
        const memory = view();
        let written = 0;
        for (let i = 0; i < count; i++) {
          const at = memory.getUint32(vectors + i * 8, true);
          const piece = bytes(at, memory.getUint32(vectors + i * 8 + 4, true));
          if (fd === 1) this.#stdout += decoder.decode(piece);
          else if (fd > ROOT_FD) this.#writeFile(piece);
          written += piece.length;
        }
        memory.setUint32(out, written, true);
        return OK;
      },
      path_open: (
        _directory: number,
        _lookup: number,
        _path: number,
        _length: number,
        _open: number,
        _base: bigint,
        _inheriting: bigint,
        _flags: number,
        out: number,
      ) => {
        this.#filePosition = 0;
        this.#fileLength = 0;
        view().setUint32(out, ROOT_FD + 1, true);
        return OK;
      },
      proc_exit: (code: number) => {
        throw new ProcessExit(code);
      },
    };
  }

  #writeFile(piece: Uint8Array): void {
    const end = this.#filePosition + piece.length;
    if (end > this.#file.length) {
      const larger = new Uint8Array(Math.max(end, this.#file.length * 2));
      larger.set(this.#file);
      this.#file = larger;
    }
    this.#file.set(piece, this.#filePosition);
    this.#filePosition = end;
    this.#fileLength = Math.max(this.#fileLength, end);
  }
}

/** The directory the program may write its file into. */
export const OUTPUT_DIRECTORY = '/out';

class ProcessExit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const ROOT = encoder.encode(OUTPUT_DIRECTORY);
const ROOT_FD = 3;
// WASI snapshot preview 1: errno, filetype, rights
const OK = 0;
const BAD_FD = 8;
const NOT_SEEKABLE = 70;
const TYPE_CHARACTER_DEVICE = 2;
const TYPE_DIRECTORY = 3;
const TYPE_FILE = 4;
const ALL_RIGHTS = 0xffffffffffffffffn;
