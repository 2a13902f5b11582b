import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const PRIORITY = new URL('../../src/core/priority.ts', import.meta.url).href;
/** Field 19 of proc(5) stat. */
const niceness = (path: string) => Number(readFileSync(path, 'latin1').split(') ')[1]!.split(' ')[16]);

test.runIf(process.platform === 'linux')('a thread that gives way does so alone', async () => {
  const before = niceness('/proc/self/stat');
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { readFileSync } = require('node:fs');
     import(${JSON.stringify(PRIORITY)}).then(({ nice }) => {
       const set = nice(12);
       parentPort.postMessage({ set, stat: readFileSync('/proc/thread-self/stat', 'latin1') });
     });`,
    { eval: true },
  );
  const [{ set, stat }] = (await once(worker, 'message')) as [{ set: boolean; stat: string }];
  await worker.terminate();
  expect(set).toBe(true);
  expect(Number(stat.split(') ')[1]!.split(' ')[16])).toBe(12);
  expect(niceness('/proc/self/stat')).toBe(before);
});
