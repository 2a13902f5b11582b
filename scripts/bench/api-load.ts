import { parentPort, Worker, workerData } from 'node:worker_threads';
import { monotonicNow } from '../../src/core/clock.ts';

/** What a load on the HTTP API came to. */
export interface LoadResult {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  /** Answers by status; 0: no answer. */
  readonly statuses: Readonly<Record<string, number>>;
}

interface LoadOrder {
  readonly base: string;
  readonly token: string;
  readonly perSecond: number;
}

/** Asks the API at a fixed rate from a thread of its own, so that it does not disturb the phones' clocks. */
export function startLoad(order: LoadOrder): { stop(): Promise<LoadResult> } {
  const worker = new Worker(new URL(import.meta.url), { workerData: { load: order } });
  const result = new Promise<LoadResult>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  result.catch(() => {});
  return {
    stop: async () => {
      worker.postMessage('stop');
      const done = await result;
      await worker.terminate();
      return done;
    },
  };
}

function load({ base, token, perSecond }: LoadOrder): void {
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const begun = monotonicNow();
  let sent = 0;
  const one = async (): Promise<void> => {
    const at = monotonicNow();
    const status = await fetch(`${base}/api/v1/calls?limit=20`, { headers: { authorization: `Bearer ${token}` } }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    latenciesMs.push(monotonicNow() - at);
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const timer = setInterval(() => {
    const due = Math.floor(((monotonicNow() - begun) / 1000) * perSecond);
    for (; sent < due; sent++) void one();
  }, 5);
  parentPort?.once('message', () => {
    clearInterval(timer);
    const perSecondReached = latenciesMs.length / ((monotonicNow() - begun) / 1000);
    parentPort?.postMessage({ perSecond: perSecondReached, latenciesMs, statuses } satisfies LoadResult);
  });
}

const order = (workerData as { load?: LoadOrder } | null)?.load;
if (order) load(order);
