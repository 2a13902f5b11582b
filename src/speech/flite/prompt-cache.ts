import type { SpokenPiece } from './voice-machine.ts';

interface Entry {
  piece: SpokenPiece;
  bytes: number;
  fixed: boolean;
}

/**
 * Spoken pieces by text, bounded in bytes, the least recently used go first; what was warmed as a fixed prompt stays
 * until nothing else is left to go. Pieces are handed out as copies, because playing transfers their buffer away.
 */
export class PromptCache {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): SpokenPiece | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return copyPiece(entry.piece);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Keeps a copy. A piece larger than the whole cache is not kept. */
  put(key: string, piece: SpokenPiece, fixed: boolean): void {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#remove(key, before);
    const bytes = piece.pcm.byteLength + piece.words.length * 100 + key.length * 2;
    if (bytes > this.#limit) return;
    this.#entries.set(key, { piece: copyPiece(piece), bytes, fixed: fixed || before?.fixed === true });
    this.#bytes += bytes;
    if (this.#bytes > this.#limit) this.#evict(key);
  }

  #evict(keep: string): void {
    for (const fixedToo of [false, true]) {
      for (const [key, entry] of this.#entries) {
        if (this.#bytes <= this.#limit) return;
        if (key !== keep && (fixedToo || !entry.fixed)) this.#remove(key, entry);
      }
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function copyPiece(piece: SpokenPiece): SpokenPiece {
  return { pcm: piece.pcm.slice(), words: piece.words.map((word) => ({ ...word })) };
}
