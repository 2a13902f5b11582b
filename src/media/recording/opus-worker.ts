import '../../core/ends-when-asked.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { asFailure } from '../../core/errors.ts';
import { nice } from '../../core/priority.ts';
import { loadOpus } from '../codecs/opus.ts';
import { KeyRing, type MasterKey } from './key-ring.ts';
import { encodeRecording } from './opus-file.ts';
import type { Seal } from './sealed-file.ts';

/** One recording of a call that is over. */
export interface OpusJob {
  source: string;
  target: string;
  seal: Seal | undefined;
}

/** Calls go first: a recording has time. */
const NICE = 10;

/** The thread in which recordings become Opus; it answers with the bytes of the file. See JobPool for the protocol. */
const { keys } = workerData as { keys: readonly MasterKey[] };
const ring = keys.length === 0 ? undefined : new KeyRing(keys);
const port = parentPort!;

port.on('message', async ({ id, job }: { id: number; job: OpusJob }) => {
  try {
    const result = await encodeRecording(job.source, job.target, ring, job.seal);
    port.postMessage({ type: 'done', id, result });
  } catch (error) {
    port.postMessage({ type: 'failed', id, message: asFailure(error).message });
  }
});

nice(NICE);
loadOpus();
port.postMessage({ type: 'ready' });
