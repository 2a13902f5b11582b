import type { EntryKind, PackedEntry } from './entries.ts';

/** Rows that others hang on, or that say what became of money: they may use the reserve. */
const ESSENTIAL: ReadonlySet<EntryKind> = new Set<EntryKind>([
  'session',
  'recording',
  'transaction',
  'completion',
  'withdrawal',
]);

/**
 * Entries on their way to Postgres or the spool. Full, it refuses the newcomer: what is there already must come first
 * for the rest to fit (a session before its utterances). A fifth of the room is kept for the rows that matter most.
 */
export class EntryQueue {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #items: PackedEntry[] = [];
  #bytes = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#items.length;
  }

  /** A quarter of the room is taken: more than passes in a few seconds. */
  get crowded(): boolean {
    return this.#items.length >= this.#maxEntries / 4 || this.#bytes >= this.#maxBytes / 4;
  }

  /** False when there is no room for it. */
  push(entry: PackedEntry): boolean {
    const share = ESSENTIAL.has(entry.kind) ? 1 : 0.8;
    if (this.#items.length >= this.#maxEntries * share || this.#bytes >= this.#maxBytes * share) return false;
    this.#items.push(entry);
    this.#bytes += entry.json.length;
    return true;
  }

  /** The oldest entries; they go on counting until `settled`. */
  peek(limit: number): PackedEntry[] {
    return this.#items.slice(0, limit);
  }

  /** The `count` oldest entries are taken care of. */
  settled(count: number): void {
    for (const entry of this.#items.splice(0, count)) this.#bytes -= entry.json.length;
  }
}
