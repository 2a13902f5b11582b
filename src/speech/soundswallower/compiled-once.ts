/** What is expected beyond so many is compiled by each thread. The caller expects fewer. */
const LIMIT = 100;

/** Which thread compiles which grammar for all, and what came of it (serialized), for them and for threads yet to come. */
export class CompiledOnce<Thread> {
  readonly #done = new Map<string, Uint8Array>();
  readonly #makers = new Map<string, Thread>();

  get(key: string): Uint8Array | undefined {
    return this.#done.get(key);
  }

  /** May `thread` be asked for it now? Not while another one is making it: it will have it from there. */
  mayAsk(key: string, thread: Thread): boolean {
    if (this.#done.has(key)) return true;
    const maker = this.#makers.get(key) ?? thread;
    this.#makers.set(key, maker);
    return maker === thread;
  }

  put(key: string, compiled: Uint8Array): void {
    this.#makers.delete(key);
    if (this.#done.size < LIMIT) this.#done.set(key, compiled);
  }

  /** The thread has died: what it was making is to be asked for again. */
  forget(thread: Thread): void {
    for (const [key, maker] of this.#makers) if (maker === thread) this.#makers.delete(key);
  }
}
