import { workerData } from 'node:worker_threads';
import type { WithBell } from './thread.ts';

// To be imported before all else by the module of a thread: it ends the thread when its owner rings, between two pieces of
// its work and never within a call into native code. See thread.ts for why.
const { bell } = workerData as WithBell;
bell.once('message', () => process.exit(1));
bell.unref();
