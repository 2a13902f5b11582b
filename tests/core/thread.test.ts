import { describe, expect, it } from 'vitest';
import { startThread } from '../../src/core/thread.ts';

/** A thread's module that marks `steps[0]` when it has begun a piece of work, and `steps[1]` when that is done. */
const module = (work: string) => {
  const first = new URL('../../src/core/ends-when-asked.ts', import.meta.url).href;
  const source = `
    import '${first}';
    import { parentPort, workerData } from 'node:worker_threads';
    const { steps } = workerData;
    parentPort.on('message', () => {});
    Atomics.store(steps, 0, 1);
    Atomics.notify(steps, 0);
    ${work}
    Atomics.store(steps, 1, 1);`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
};

async function endedAmid(work: string, withinMs: number): Promise<{ done: boolean; tookMs: number }> {
  const steps = new Int32Array(new SharedArrayBuffer(8));
  const thread = startThread(module(work), { steps });
  let exits = 0;
  thread.worker.on('exit', () => exits++);
  await Atomics.waitAsync(steps, 0, 0).value;
  const before = performance.now();
  await Promise.all([thread.end(withinMs), thread.end(withinMs)]);
  const tookMs = performance.now() - before;
  expect(exits).toBe(1);
  await thread.end(withinMs);
  return { done: steps[1] === 1, tookMs };
}

describe('a thread that is told to end', () => {
  it('finishes the piece of work it is at, as it may be in native code that must not be left', async () => {
    const { done, tookMs } = await endedAmid('Atomics.wait(steps, 1, 0, 300);', 60_000);
    expect(done).toBe(true);
    expect(tookMs).toBeLessThan(30_000);
  });

  it('does so while its module still loads', async () => {
    const { done } = await endedAmid(
      `Atomics.wait(steps, 1, 0, 300);
       Atomics.store(steps, 1, 1);
       await new Promise((resolve) => setTimeout(resolve, 60_000));
       Atomics.store(steps, 1, 2);`,
      30_000,
    );
    expect(done).toBe(true);
  });

  it('is stopped where it is when it does not come back', async () => {
    expect((await endedAmid('for (;;) {}', 100)).done).toBe(false);
  });
});
