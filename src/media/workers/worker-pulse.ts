const BEATS = 0;
const SESSION = 1;
const THREAD = 2;

/**
 * A worker's sign of life in shared memory, which needs no answer from it: what it does is counted, and the call it is
 * working on stands there when it dies.
 */
export class WorkerPulse {
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(shared = new SharedArrayBuffer(12)) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
  }

  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  /** The session that was being worked on; 0 between ticks. */
  get session(): number {
    return Atomics.load(this.#cells, SESSION);
  }

  /** The worker's thread, as the system numbers it; 0 when that is of no interest. */
  get thread(): number {
    return Atomics.load(this.#cells, THREAD);
  }

  set thread(id: number) {
    Atomics.store(this.#cells, THREAD, id);
  }

  beat(): void {
    Atomics.store(this.#cells, SESSION, 0);
    this.step();
  }

  /** Something was done, though no tick yet: a worker with more to do than it can is no worker that hangs. */
  step(): void {
    // Only this thread writes it.
    this.#cells[BEATS] = this.#cells[BEATS]! + 1;
  }

  at(session: number): void {
    this.#cells[SESSION] = session;
  }
}
