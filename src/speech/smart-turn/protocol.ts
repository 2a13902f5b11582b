import type { MessagePort } from 'node:worker_threads';
import type { Ms } from '../../core/clock.ts';

/** Main thread to the end-of-turn worker. */
export type ToWorker =
  /** Caller audio (ListenMessage) comes on `from` and goes on to the recogniser on `to`. */
  { type: 'open'; stream: number; from: MessagePort; to: MessagePort } | { type: 'close'; stream: number };

/** End-of-turn worker to main thread. */
export type FromWorker =
  | { type: 'verdict'; stream: number; segment: number; probability: number; at: Ms }
  | { type: 'trouble'; message: string };
