import type { Ms } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { SupervisedWorker } from './supervised-worker.ts';

export interface JobPoolOptions {
  /** Thread names are `name-0`, `name-1` … */
  name: string;
  /** Takes `{ type: 'job', id, job }`, answers `{ type: 'done', id, result }` or `{ type: 'failed', id, message }`. */
  module: URL;
  workerData: object;
  workers: number;
  /** Jobs that may wait. Full: the least urgent waiting job gives way if it is less urgent, else the new one is refused. */
  queueLimit: number;
  /** A job that runs longer has hung its engine: the thread is killed and started again. */
  jobTimeoutMs: Ms;
  log: Logger;
}

interface Pending<Job, Result> {
  id: number;
  job: Job;
  priority: number;
  resolve(result: Result): void;
  reject(error: Error): void;
}

interface Seat<Job, Result> {
  worker: SupervisedWorker;
  running: Pending<Job, Result> | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Blocking work in worker threads, one job per thread at a time, the most urgent first (a lower number is more
 * urgent), first come first served among equals. A job whose thread dies fails with a retryable Failure.
 */
export class JobPool<Job, Result> {
  readonly #seats: Seat<Job, Result>[] = [];
  readonly #waiting: Pending<Job, Result>[] = [];
  readonly #options: JobPoolOptions;
  #nextId = 1;
  #closed = false;

  private constructor(options: JobPoolOptions) {
    this.#options = options;
  }

  static async start<Job, Result>(options: JobPoolOptions): Promise<JobPool<Job, Result>> {
    const pool = new JobPool<Job, Result>(options);
    const starts = Array.from({ length: options.workers }, (_, index) => pool.#startSeat(index));
    const outcomes = await Promise.allSettled(starts);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await pool.close();
      throw failed.reason;
    }
    return pool;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#seats.filter((seat) => seat.running !== undefined).length;
  }

  get ready(): number {
    return this.#seats.filter((seat) => seat.worker.ready).length;
  }

  get lastError(): Failure | undefined {
    return this.#seats.map((seat) => seat.worker.lastError).find((error) => error !== undefined);
  }

  /**
   * Rejects with Failure worker-died or engine-busy (both retryable), engine-failed or pool-closed, or with the
   * signal's reason: a job not yet started is then dropped, the result of a started one is ignored.
   */
  run(job: Job, priority: number, signal?: AbortSignal): Promise<Result> {
    if (this.#closed) return Promise.reject(closedFailure(this.#options.name));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise<Result>((resolve, reject) => {
      const onAbort = () => {
        const at = this.#waiting.indexOf(pending);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal!.reason);
      };
      const settled = () => signal?.removeEventListener('abort', onAbort);
      const pending: Pending<Job, Result> = {
        id: this.#nextId++,
        job,
        priority,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#enqueue(pending);
      this.#dispatch();
    });
  }

  /** Somebody waits for `job`, the very object that was given to run(): it is at least this urgent from now on. */
  hurry(job: Job, priority: number): void {
    const at = this.#waiting.findIndex((pending) => pending.job === job && pending.priority > priority);
    if (at < 0) return;
    const [pending] = this.#waiting.splice(at, 1);
    pending!.priority = priority;
    this.#enqueue(pending!);
  }

  /** Kills one thread as a crash would; for tests of the recovery. */
  killWorker(index: number): void {
    this.#seats[index]?.worker.kill();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const pending of this.#waiting.splice(0)) pending.reject(closedFailure(this.#options.name));
    await Promise.all(
      this.#seats.map((seat) => {
        this.#fail(seat, closedFailure(this.#options.name));
        return seat.worker.close();
      }),
    );
  }

  async #startSeat(index: number): Promise<void> {
    const { name, module, workerData, log } = this.#options;
    let seat: Seat<Job, Result> | undefined;
    const worker = await SupervisedWorker.start({
      name: `${name}-${index}`,
      module,
      workerData,
      log,
      onMessage: (message) => {
        if (seat !== undefined) this.#onMessage(seat, message as JobMessage<Result>);
      },
      onReady: () => this.#dispatch(),
      onDown: (error) => {
        if (seat !== undefined) this.#fail(seat, error);
      },
    });
    seat = { worker, running: undefined, timer: undefined };
    this.#seats[index] = seat;
    if (this.#closed) await worker.close();
  }

  #enqueue(pending: Pending<Job, Result>): void {
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.priority > pending.priority) at--;
    if (this.#waiting.length >= this.#options.queueLimit) {
      if (at === this.#waiting.length) {
        pending.reject(busyFailure(this.#options.name));
        return;
      }
      this.#waiting.pop()!.reject(busyFailure(this.#options.name));
    }
    this.#waiting.splice(at, 0, pending);
  }

  #dispatch(): void {
    for (const seat of this.#seats) {
      if (this.#waiting.length === 0) return;
      if (seat === undefined || seat.running !== undefined || !seat.worker.ready) continue;
      const pending = this.#waiting.shift()!;
      seat.running = pending;
      seat.timer = setTimeout(() => seat.worker.kill(), this.#options.jobTimeoutMs);
      seat.worker.post({ type: 'job', id: pending.id, job: pending.job });
    }
  }

  #onMessage(seat: Seat<Job, Result>, message: JobMessage<Result>): void {
    const { running } = seat;
    if (running === undefined || running.id !== message.id) return;
    clearTimeout(seat.timer);
    seat.running = undefined;
    if (message.type === 'done') running.resolve(message.result);
    else running.reject(new Failure(message.message, { code: 'engine-failed', blame: 'engine' }));
    this.#dispatch();
  }

  #fail(seat: Seat<Job, Result>, error: Failure): void {
    clearTimeout(seat.timer);
    const { running } = seat;
    seat.running = undefined;
    running?.reject(error);
  }
}

type JobMessage<Result> =
  | { type: 'done'; id: number; result: Result }
  | { type: 'failed'; id: number; message: string };

function busyFailure(name: string): Failure {
  return new Failure(`${name} has no room for more work`, { code: 'engine-busy', blame: 'engine', retryable: true });
}

function closedFailure(name: string): Failure {
  return new Failure(`${name} is closed`, { code: 'pool-closed', blame: 'us' });
}
