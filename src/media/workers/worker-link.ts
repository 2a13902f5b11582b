import type { MessagePort } from 'node:worker_threads';
import { doneWithin } from '../../core/abortable.ts';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { startThread, type Thread } from '../../core/thread.ts';
import type { MediaEvent } from '../ports.ts';
import type { MediaWorkerData, SessionNumber, WorkerAnswer, WorkerMessage, WorkerRequest } from './worker-protocol.ts';

/** A request without the id that the link puts in. */
export type Ask = WorkerRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never;
export type Tell = WorkerRequest extends infer R ? (R extends { id: number } ? never : R) : never;

export interface WorkerLinkHooks {
  event(session: SessionNumber, event: MediaEvent): void;
  /** A datagram of DTLS has come. */
  dtls(session: SessionNumber, data: Uint8Array, from: { address: string; port: number }): void;
  log(level: 'info' | 'warn' | 'error', message: string, session: SessionNumber | undefined): void;
  /** The thread is gone without having been asked to; everything pending has been rejected. */
  died(error: Error): void;
}

/** The hard limit behind the worker's own watch over its heap. */
const MAX_HEAP_MB = 512;
/**
 * Room for what is young: 4 MB in use. Packets leave nothing to be collected, so that is enough for half a second and more of
 * hundreds of calls that speak, and what is used again that soon is still in the processor's cache. V8 would let it grow to
 * 64 MB and more before it collects, which is garbage that counts as each call's memory.
 */
const MAX_YOUNG_MB = 6;
/** A thread stuck in native code does not end when told to; then it is left behind. */
const KILL_WITHIN_MS: Ms = 2000;
/** One that has said that it is done, or is being made ready, is stopped where it is after this. */
const END_WITHIN_MS: Ms = 1000;
/** One that no longer answers gets this long to hear that it is to end: its calls wait for another. */
const LAST_WORD_MS: Ms = 100;

interface Pending {
  resolve(value: WorkerAnswer): void;
  reject(error: Error): void;
}

/** The main thread's end of one media worker: requests with answers, events, and its death. */
export class WorkerLink {
  readonly ready: Promise<void>;
  readonly #thread: Thread;
  readonly #hooks: WorkerLinkHooks;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #alive = true;
  #started = false;
  #stopping = false;
  #error: Error | undefined;
  #settleReady: Pending | undefined;

  constructor(data: MediaWorkerData, hooks: WorkerLinkHooks) {
    this.#hooks = hooks;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve: () => resolve(), reject };
    });
    this.ready.catch(() => undefined);
    this.#thread = startThread(new URL('./media-worker.ts', import.meta.url), data, {
      name: 'media',
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: MAX_YOUNG_MB },
    });
    const { worker } = this.#thread;
    worker.on('message', (message: WorkerMessage) => this.#onMessage(message));
    worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', (code) => this.#onExit(code));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Has been ready. */
  get started(): boolean {
    return this.#started;
  }

  tell(request: Tell, transfer: (ArrayBuffer | MessagePort)[] = []): void {
    if (this.#alive) this.#thread.worker.postMessage(request, transfer);
    else for (const item of transfer) if (!(item instanceof ArrayBuffer)) item.close();
  }

  /** The worker's answer; rejects with Failure when it refuses or dies. */
  ask(request: Ask): Promise<WorkerAnswer> {
    if (!this.#alive) return Promise.reject(gone());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#thread.worker.postMessage({ ...request, id });
    });
  }

  /** Ends the thread: first asked, after `graceMs` without asking. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#alive) return;
    this.#stopping = true;
    const told = this.ask({ type: 'shutdown' }).catch(() => undefined);
    await doneWithin(graceMs, told);
    await this.#thread.end(END_WITHIN_MS);
  }

  /** Ends the thread at once, as a fault would: for one that no longer answers. */
  kill(reason: string): void {
    this.#error ??= new Error(reason);
    const late = setTimeout(() => this.#onExit(-1), KILL_WITHIN_MS);
    void this.#thread.end(LAST_WORD_MS).finally(() => clearTimeout(late));
  }

  #onMessage(message: WorkerMessage): void {
    switch (message.type) {
      case 'ready':
        this.#started = true;
        this.#settleReady?.resolve(undefined);
        return;
      case 'event':
        this.#hooks.event(message.session, message.event);
        return;
      case 'dtls':
        this.#hooks.dtls(message.session, message.data, message.from);
        return;
      case 'log':
        this.#hooks.log(message.level, message.message, message.session);
        return;
      case 'reply':
        this.#take(message.id)?.resolve(message.value);
        return;
      case 'failed':
        this.#take(message.id)?.reject(new Failure(message.message, { code: message.code, blame: 'us' }));
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onExit(code: number): void {
    if (!this.#alive) return;
    this.#alive = false;
    const error = this.#error ?? new Error(`the media worker exited with code ${code}`);
    this.#settleReady?.reject(error);
    for (const pending of this.#pending.values()) pending.reject(gone(error));
    this.#pending.clear();
    if (!this.#stopping) this.#hooks.died(error);
  }
}

function gone(cause?: Error): Failure {
  return new Failure('the media worker is gone', { code: 'media-worker-gone', blame: 'us', retryable: true, cause });
}
