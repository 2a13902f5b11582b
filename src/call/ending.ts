import type { EndCause } from './record/outcome.ts';

/** That a call is to end, and why: whoever ends it first says so, and it ends once. */
export class Ending {
  readonly over: Promise<EndCause>;
  #cause: EndCause | undefined;
  #resolve!: (cause: EndCause) => void;
  readonly #abort = new AbortController();

  constructor() {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Undefined while the call goes on. */
  get cause(): EndCause | undefined {
    return this.#cause;
  }

  /** Aborts as soon as the call is to end: what is not connected yet is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Idempotent: a later cause changes nothing. */
  end(cause: EndCause): void {
    this.#cause ??= cause;
    this.#resolve(cause);
    this.#abort.abort(cause);
  }
}
