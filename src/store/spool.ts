import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const SEGMENT = /^spool-(\d{12})\.ndjson$/;

export interface SpoolOptions {
  dir: string;
  /** A segment that grew to this is closed and the next begun. */
  segmentBytes?: number;
  /** All segments together; beyond it `append` rejects as if the disk were full. */
  maxBytes?: number;
}

/** What is left to be written, from the oldest segment on. */
export interface SpoolChunk {
  lines: string[];
  /** To be called when the lines are written for good; frees the segment after its last chunk. */
  done(): Promise<void>;
}

interface Segment {
  number: number;
  bytes: number;
}

/**
 * Lines on disk, first in first out: numbered segments, each appended to and synced (fdatasync) per batch, read from the
 * oldest, removed when written. What has been read is remembered in memory only: after a crash a segment is read from
 * its beginning again, so whoever writes the lines must be idempotent. One owner at a time, see acquireOwnerLock.
 */
export class Spool {
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #maxBytes: number;
  #segments: Segment[] = [];
  #writing: FileHandle | undefined;
  #appending = 0;
  #nextNumber = 1;
  /** Lines of the oldest segment, and how many of them are done. */
  #head: { number: number; lines: string[]; at: number } | undefined;

  private constructor(options: SpoolOptions) {
    this.#dir = options.dir;
    this.#segmentBytes = options.segmentBytes ?? 4 << 20;
    this.#maxBytes = options.maxBytes ?? 2 ** 31;
  }

  /** Finds the segments that an earlier run left. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(options.dir)).sort()) {
      const match = SEGMENT.exec(name);
      if (!match) continue;
      const segment = { number: Number(match[1]), bytes: (await stat(join(options.dir, name))).size };
      spool.#nextNumber = segment.number + 1;
      if (segment.bytes > 0) spool.#segments.push(segment);
      else await rm(join(options.dir, name), { force: true });
    }
    return spool;
  }

  /** Nothing to write and nothing on its way here. */
  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#appending === 0;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get segments(): number {
    return this.#segments.length;
  }

  /** Number of the newest segment so far; 0 when there never was one. */
  get newest(): number {
    return this.#segments.at(-1)?.number ?? 0;
  }

  /** Number of the oldest segment that still has lines to be written; Infinity when there is none. */
  get oldest(): number {
    return this.#segments[0]?.number ?? Number.POSITIVE_INFINITY;
  }

  /** Appends and syncs; the lines are durable when it resolves. After a rejection none of them may be relied upon. */
  async append(lines: readonly string[]): Promise<void> {
    this.#appending++;
    try {
      const data = Buffer.from(`${lines.join('\n')}\n`);
      if (this.bytes + data.length > this.#maxBytes) {
        throw Object.assign(new Error('the spool has reached its size limit'), { code: 'ENOSPC' });
      }
      const file = this.#writing ?? (await this.#begin());
      const segment = this.#segments.at(-1)!;
      try {
        let written = 0;
        while (written < data.length) {
          const { bytesWritten } = await file.write(data, written);
          written += bytesWritten;
          segment.bytes += bytesWritten;
        }
        await file.datasync();
      } catch (error) {
        // What was written of it is a torn tail of a closed segment; the lines come again in another.
        await this.#seal();
        throw error;
      }
      if (segment.bytes >= this.#segmentBytes) await this.#seal();
    } finally {
      this.#appending--;
    }
  }

  /** The next lines to be written, at most `limit`; undefined when there is nothing. One chunk at a time. */
  async next(limit: number): Promise<SpoolChunk | undefined> {
    for (;;) {
      const segment = this.#segments[0];
      if (!segment) return undefined;
      if (this.#head?.number !== segment.number) {
        // The one being written to: later lines go to the next, so that this one can be finished and removed.
        if (segment.number === this.newest && this.#writing) {
          if (this.#appending > 0) return undefined;
          await this.#seal();
        }
        const text = await readFile(this.#path(segment.number), 'utf8').catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return '';
          throw error;
        });
        const lines = text.split('\n').filter((line) => line !== '');
        this.#head = { number: segment.number, lines, at: 0 };
      }
      const head = this.#head;
      if (head.at >= head.lines.length) {
        await this.#remove(segment);
        continue;
      }
      const lines = head.lines.slice(head.at, head.at + limit);
      return {
        lines,
        done: async () => {
          head.at += lines.length;
          if (head.at >= head.lines.length) await this.#remove(segment);
        },
      };
    }
  }

  async close(): Promise<void> {
    await this.#seal();
  }

  #path(number: number): string {
    return join(this.#dir, `spool-${String(number).padStart(12, '0')}.ndjson`);
  }

  async #begin(): Promise<FileHandle> {
    const number = this.#nextNumber++;
    const file = await open(this.#path(number), 'ax', 0o600);
    this.#segments.push({ number, bytes: 0 });
    this.#writing = file;
    await this.#syncFolder();
    return file;
  }

  async #seal(): Promise<void> {
    const file = this.#writing;
    this.#writing = undefined;
    await file?.close().catch(() => undefined);
  }

  async #remove(segment: Segment): Promise<void> {
    await rm(this.#path(segment.number), { force: true });
    this.#segments = this.#segments.filter((other) => other !== segment);
    this.#head = undefined;
  }

  /** So that the name of a new file survives a power failure as well as its contents. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#dir, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
