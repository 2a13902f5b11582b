import type { Transferable } from 'node:worker_threads';
import type { Ms } from '../core/clock.ts';
import { asFailure, Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { startThread, type Thread } from '../core/thread.ts';
import { firstLine } from './first-line.ts';

export interface SupervisedWorkerOptions {
  /** For logs and thread names, e.g. `flite-0`. */
  name: string;
  /** The worker's module. It imports core/ends-when-asked.ts first and posts `{ type: 'ready' }` once it can take work. */
  module: URL;
  workerData: object;
  log: Logger;
  /** Any message but `ready`. */
  onMessage(message: unknown): void;
  /** The worker can take work (again). */
  onReady?(): void;
  /** The thread is gone with all it held; a new one is started after a pause. */
  onDown?(error: Failure): void;
  /** How long a start may take before the thread is killed and started again. Default a minute. */
  startTimeoutMs?: Ms | undefined;
  /** Gives the first start up. */
  signal?: AbortSignal | undefined;
}

type State = 'starting' | 'ready' | 'resting' | 'closed';

const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5000;
/** A thread that lived this long has proved itself: the next rest is short again. */
const PROVED_AFTER_MS = 30_000;
/** More than a thread takes for a piece of its work; one that is stuck is stopped where it is. */
const END_WITHIN_MS = 1000;

/**
 * A worker thread that is started again when it dies, after a rest that doubles from 0.1 s to 5 s. Legal moves:
 * starting -> ready | resting, ready -> resting, resting -> starting, any -> closed.
 */
export class SupervisedWorker {
  readonly name: string;
  readonly #options: SupervisedWorkerOptions;
  #thread: Thread | undefined;
  #state: State = 'resting';
  #dying = false;
  #restMs = FIRST_REST_MS;
  #timer: NodeJS.Timeout | undefined;
  #readyAt = 0;
  #restarts = 0;
  #lastError: Failure | undefined;
  #firstStart: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #exited: Promise<void> = Promise.resolve();

  private constructor(options: SupervisedWorkerOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Resolves when the worker is ready; rejects with Failure when its first start fails. */
  static async start(options: SupervisedWorkerOptions): Promise<SupervisedWorker> {
    const worker = new SupervisedWorker(options);
    const ready = new Promise<void>((resolve, reject) => {
      worker.#firstStart = { resolve, reject };
    });
    const giveUp = () => worker.#firstStart?.reject(givenUp(options.name));
    options.signal?.addEventListener('abort', giveUp, { once: true });
    worker.#spawn();
    try {
      if (options.signal?.aborted) giveUp();
      await ready;
    } catch (error) {
      await worker.close();
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', giveUp);
    }
    return worker;
  }

  get ready(): boolean {
    return this.#state === 'ready' && !this.#dying;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get lastError(): Failure | undefined {
    return this.#lastError;
  }

  /** False when the worker is not ready; nothing is sent then. */
  post(message: unknown, transfer: readonly Transferable[] = []): boolean {
    if (!this.ready || this.#thread === undefined) return false;
    this.#thread.worker.postMessage(message, [...transfer]);
    return true;
  }

  /** Kills the thread as a crash would; it is started again. For tests and for work that does not come back. */
  kill(): void {
    this.#dying = true;
    void this.#thread?.end(END_WITHIN_MS);
  }

  /** Ends the thread for good. */
  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'closed';
      clearTimeout(this.#timer);
      await this.#thread?.end(END_WITHIN_MS);
    }
    await this.#exited;
  }

  #spawn(): void {
    this.#state = 'starting';
    this.#dying = false;
    const thread = startThread(this.#options.module, this.#options.workerData, {
      name: this.name,
      execArgv: [],
      // The engines write progress notes; none of it may reach our log unseen.
      stdout: true,
      stderr: true,
    });
    const { worker } = thread;
    worker.stdout.resume();
    worker.stderr.resume();
    this.#thread = thread;
    let error: unknown;
    this.#timer = setTimeout(() => {
      error = new Error('start timed out');
      void thread.end(END_WITHIN_MS);
    }, this.#options.startTimeoutMs ?? 60_000);
    worker.on('message', (message: { type?: string }) => {
      if (this.#thread !== thread || this.#state === 'closed') return;
      if (message.type === 'ready') this.#becomeReady();
      else this.#options.onMessage(message);
    });
    worker.on('error', (cause) => {
      error = cause;
    });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        resolve();
        this.#down(asFailure(error ?? new Error(`thread ended with code ${code}`)));
      });
    });
  }

  #becomeReady(): void {
    if (this.#state !== 'starting') return;
    clearTimeout(this.#timer);
    this.#state = 'ready';
    this.#readyAt = performance.now();
    this.#firstStart?.resolve();
    this.#firstStart = undefined;
    this.#options.onReady?.();
  }

  #down(cause: Failure): void {
    clearTimeout(this.#timer);
    this.#thread = undefined;
    if (this.#state === 'closed') return;
    const failure = new Failure(`worker ${this.name} died: ${firstLine(cause)}`, {
      code: 'worker-died',
      blame: 'engine',
      retryable: true,
    });
    this.#lastError = failure;
    if (this.#firstStart !== undefined) {
      this.#state = 'closed';
      this.#firstStart.reject(failure);
      return;
    }
    if (this.#state === 'ready' && performance.now() - this.#readyAt > PROVED_AFTER_MS) this.#restMs = FIRST_REST_MS;
    this.#state = 'resting';
    this.#restarts++;
    this.#options.log.error({ worker: this.name, reason: failure.message, restInMs: this.#restMs }, 'worker died');
    this.#timer = setTimeout(() => this.#spawn(), this.#restMs);
    this.#restMs = Math.min(LONGEST_REST_MS, this.#restMs * 2);
    this.#options.onDown?.(failure);
  }
}

function givenUp(name: string): Failure {
  return new Failure(`worker ${name} is wanted no more`, { code: 'worker-given-up', blame: 'us' });
}
