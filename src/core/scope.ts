import { doneWithin } from './abortable.ts';
import { monotonicNow } from './clock.ts';

export interface ScopeOptions {
  /** Told of clean-ups and tasks that did not finish within the grace period, by name. */
  onOverrun?: (name: string, afterMs: number) => void;
  onError?: (name: string, error: unknown) => void;
  graceMs?: number;
}

/** Where nobody gives a reason. One for all: each of its own would take down the stack, at the end of every call. */
const CLOSED = new DOMException('the scope is closed', 'AbortError');

type Cleanup = { name: string; run: () => void | Promise<void> };

/**
 * Structured lifetime: process > call > turn. One AbortSignal, last-in-first-out clean-ups, tracked tasks.
 * Closing aborts the signal at once (interrupt is abort), closes children, runs clean-ups in reverse order and waits
 * for tracked tasks, each for the grace period at most. Closing twice is the same as closing once.
 */
export class Scope {
  readonly name: string;
  readonly #controller = new AbortController();
  readonly #cleanups: Cleanup[] = [];
  readonly #tasks = new Map<Promise<unknown>, string>();
  readonly #children = new Set<Scope>();
  readonly #parent: Scope | undefined;
  readonly #options: ScopeOptions;
  #closing: Promise<void> | undefined;

  constructor(name: string, options: ScopeOptions = {}, parent?: Scope) {
    this.name = name;
    this.#options = options;
    this.#parent = parent;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get closed(): boolean {
    return this.#controller.signal.aborted;
  }

  /** A scope that ends with this one at the latest. A child of a closed scope is born closed. */
  child(name: string): Scope {
    const child = new Scope(`${this.name}/${name}`, this.#options, this);
    if (this.closed) {
      void child.close(this.signal.reason);
      return child;
    }
    this.#children.add(child);
    return child;
  }

  /** Runs `run` when the scope closes, or now when it has closed already. */
  onClose(name: string, run: () => void | Promise<void>): void {
    if (this.closed) {
      this.#track(`late ${name}`, Promise.resolve().then(run));
      return;
    }
    this.#cleanups.push({ name, run });
  }

  /** Starts work that belongs to this scope; its failure is reported, never unhandled. */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return this.#track(name, new Promise((resolve) => resolve(work(this.signal))));
  }

  close(reason?: unknown): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: unknown): Promise<void> {
    this.#controller.abort(reason ?? CLOSED);
    // Also where there are none: who waits for the signal hears of it before anything is cleaned up.
    await Promise.all([...this.#children].map((child) => child.close(reason)));
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      const work = this.#cleanUp(cleanup);
      // Most are done there and then, and need no limit.
      if (work !== undefined) await this.#within(cleanup.name, work);
    }
    if (this.#tasks.size > 0) await Promise.all([...this.#tasks].map(([task, name]) => this.#within(name, task)));
    this.#parent?.forget(this);
  }

  #cleanUp({ name, run }: Cleanup): Promise<void> | undefined {
    const failed = (error: unknown) => this.#options.onError?.(`${this.name}: ${name}`, error);
    try {
      const work: unknown = run();
      return work instanceof Promise ? work.catch(failed) : undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  /** Called by a child that has closed. */
  forget(child: Scope): void {
    this.#children.delete(child);
  }

  #track(name: string, work: Promise<void>): Promise<void> {
    const task = work
      .catch((error) => {
        if (!this.closed) this.#options.onError?.(`${this.name}: ${name}`, error);
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.set(task, name);
    return task;
  }

  async #within(name: string, work: Promise<unknown>): Promise<void> {
    const grace = this.#options.graceMs ?? 2000;
    const started = monotonicNow();
    if (!(await doneWithin(grace, work))) this.#options.onOverrun?.(`${this.name}: ${name}`, monotonicNow() - started);
  }
}
