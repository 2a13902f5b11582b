import type { MessagePort } from 'node:worker_threads';
import type { AsrResult, SpeechHints } from '../ports.ts';

/** Main thread to speech worker. */
export type ToWorker =
  | { type: 'open'; stream: number; port: MessagePort; hints: SpeechHints }
  /** `compiled` by another thread: serialized (node:v8) CompiledGrammar. Without it the thread tells what it has made. */
  | { type: 'prepare'; hints: SpeechHints; compiled?: Uint8Array | undefined }
  | { type: 'hint'; stream: number; hints: SpeechHints }
  | { type: 'close'; stream: number }
  | { type: 'stats'; id: number };

/** Speech worker to main thread. */
export type FromWorker =
  | { type: 'result'; stream: number; result: AsrResult }
  | { type: 'failure'; stream: number; code: string; message: string }
  | { type: 'stats'; id: number; stats: WorkerStats }
  | { type: 'compiled'; key: string; compiled: Uint8Array }
  | { type: 'trouble'; message: string };

export interface WorkerStats {
  streams: number;
  decoders: number;
  decodersFree: number;
  /** Segments waiting for a decoder now. */
  waiting: number;
  segments: number;
  /** Segments that had to wait for a decoder. */
  waited: number;
  /** Segments that got none in time. */
  unserved: number;
  /** Segments decoded once more because the first result was doubtful. */
  secondLooks: number;
  /** Audio dropped because a segment waited or lasted too long, ms. */
  droppedMs: number;
  /** Audio recognised, and the time that took, ms. */
  audioMs: number;
  busyMs: number;
  /** Final results that somebody waited for, how long in all, and how many were late. */
  finals: number;
  finalMs: number;
  lateFinals: number;
  /** Speech for which nobody waits: what is still to be listened to, ms; and segments for which there was no time. */
  backlogMs: number;
  lost: number;
}

export const NO_WORK: Readonly<WorkerStats> = {
  streams: 0,
  decoders: 0,
  decodersFree: 0,
  waiting: 0,
  segments: 0,
  waited: 0,
  unserved: 0,
  secondLooks: 0,
  droppedMs: 0,
  audioMs: 0,
  busyMs: 0,
  finals: 0,
  finalMs: 0,
  lateFinals: 0,
  backlogMs: 0,
  lost: 0,
};
