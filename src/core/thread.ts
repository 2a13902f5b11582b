import { MessageChannel, type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads';
import { doneWithin } from './abortable.ts';
import type { Ms } from './clock.ts';

/** In a thread's workerData: rings when the thread is to end. See ends-when-asked.ts. */
export interface WithBell {
  bell: MessagePort;
}

export interface Thread {
  worker: Worker;
  /**
   * Asks the thread to end, and only after `withinMs` stops it wherever it is: `Worker.terminate` reaches into native code,
   * and an addon that cannot say so to JavaScript any more (onnxruntime while it loads a model) ends the whole process, with
   * every call. Resolves when the thread is gone, or `terminate` has been tried on it; may be called again.
   */
  end(withinMs: Ms): Promise<void>;
}

/** Starts a worker thread whose module imports ends-when-asked.ts first; any other is stopped where it is. */
export function startThread(
  module: URL,
  data: object,
  options: Omit<WorkerOptions, 'workerData' | 'transferList'> = {},
): Thread {
  const bell = new MessageChannel();
  const workerData: WithBell = { ...data, bell: bell.port2 };
  const worker = new Worker(module, { ...options, workerData, transferList: [bell.port2] });
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      bell.port1.close();
      resolve();
    });
  });
  const end = async (withinMs: Ms) => {
    bell.port1.postMessage(undefined);
    if (!(await doneWithin(withinMs, gone))) await worker.terminate();
  };
  return { worker, end };
}
