import { write, writeSync } from 'node:fs';
import { codeOf } from './errors.ts';

export interface LogSinkOptions {
  fd: number;
  /** Bytes that may wait to be written; lines beyond are lost, and counted. */
  mostBytes?: number;
  /** The line that tells how many were lost, once lines can be written again. */
  lost(lines: number): string;
  /** Default: the system's. */
  system?: {
    write(fd: number, bytes: Uint8Array, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
    writeSync(fd: number, bytes: Uint8Array): number;
  };
}

const MOST_BYTES = 8 * 1024 * 1024;
/** A pipe whose reader is slow, and a disk that is full, are tried again after this. */
const REST_MS = 100;
/** How often, and after which rest, a pipe without room is tried at the end of the process. */
const LAST_TRIES = 50;
const LAST_REST_MS = 10;

/**
 * Where log lines go: written behind, in the order they came. A full disk or a reader who has gone costs lines, never a
 * call: pino's own destination ends the process for it, and then waits for the disk at the exit, for ever.
 */
export class LogSink {
  readonly #o: LogSinkOptions;
  readonly #most: number;
  readonly #system: NonNullable<LogSinkOptions['system']>;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #lost = 0;
  #writing = false;
  /** Nobody reads any more. */
  #gone = false;

  constructor(options: LogSinkOptions) {
    this.#o = options;
    this.#most = options.mostBytes ?? MOST_BYTES;
    this.#system = options.system ?? { write, writeSync };
  }

  write(line: string): void {
    if (this.#gone) return;
    const bytes = Buffer.from(line);
    if (this.#bytes + bytes.length > this.#most) {
      this.#lost++;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => this.#flush());
  }

  /** At the end of the process: what waits is tried once more, and not waited for. */
  end(): void {
    const rest = this.#take();
    this.#gone = true;
    for (let at = 0, tries = 0; at < rest.length && tries < LAST_TRIES; ) {
      try {
        at += this.#system.writeSync(this.#o.fd, rest.subarray(at));
      } catch (error) {
        // A full disk, or a reader who has gone: there is nobody left to tell. A slow one has half a second.
        if (codeOf(error) !== 'EAGAIN') return;
        tries++;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_REST_MS);
      }
    }
  }

  #take(): Buffer {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    return all;
  }

  #flush(): void {
    if (this.#gone) return;
    const bytes = this.#take();
    if (bytes.length === 0) {
      this.#writing = false;
      return;
    }
    this.#system.write(this.#o.fd, bytes, (error, written) => {
      const rest = bytes.subarray(error ? 0 : written);
      if (error?.code === 'EPIPE' || error?.code === 'EBADF') {
        this.#gone = true;
        return;
      }
      if (rest.length > 0) {
        this.#waiting.unshift(rest);
        this.#bytes += rest.length;
      }
      if (error) {
        // Not what keeps the process alive.
        setTimeout(() => this.#flush(), REST_MS).unref();
        return;
      }
      if (this.#lost > 0) {
        const line = Buffer.from(this.#o.lost(this.#lost));
        this.#lost = 0;
        this.#waiting.push(line);
        this.#bytes += line.length;
      }
      this.#flush();
    });
  }
}
