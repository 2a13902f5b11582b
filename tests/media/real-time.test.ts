import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { RealTime, type Scheduling } from '../../src/media/workers/real-time.ts';

const MODULE = new URL('../../src/media/workers/real-time.ts', import.meta.url).href;
/** Fields 40 and 41 of proc(5) stat: real-time priority and policy (2: SCHED_RR). */
const scheduled = (stat: string) =>
  stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(37, 39)
    .map(Number);

interface Told {
  realtime: boolean;
  during: string;
  begun: string;
  fair: boolean;
  after: string;
}

/** What a thread is, and one that it begins, in real time and afterwards. */
async function tried(): Promise<Told> {
  const worker = new Worker(
    `const { parentPort, Worker } = require('node:worker_threads');
     const { readFileSync } = require('node:fs');
     const stat = () => readFileSync('/proc/thread-self/stat', 'latin1');
     import(${JSON.stringify(MODULE)}).then(async ({ setScheduling }) => {
       const set = setScheduling();
       const realtime = set('realtime');
       const during = stat();
       const other = new Worker("const s = require('node:fs').readFileSync('/proc/thread-self/stat', 'latin1');" +
         "require('node:worker_threads').parentPort.postMessage(s)", { eval: true });
       const begun = await new Promise((resolve) => other.once('message', resolve));
       parentPort.postMessage({ realtime, during, begun, fair: set('fair'), after: stat() });
     });`,
    { eval: true },
  );
  const [told] = (await once(worker, 'message')) as [Told];
  await worker.terminate();
  return told;
}

describe.runIf(process.platform === 'linux')('a thread that carries audio', () => {
  test('runs in real time where that is allowed, and nobody else by that', async () => {
    const { realtime, during, begun, fair, after } = await tried();
    expect(scheduled(during)).toEqual(realtime ? [1, 2] : [0, 0]);
    expect([scheduled(begun), fair, scheduled(after)]).toEqual([[0, 0], true, [0, 0]]);
    expect(scheduled(readFileSync('/proc/self/stat', 'latin1'))).toEqual([0, 0]);
  });

  test.each(['realtime', 'fair'] as const)('is one of the media engine, told to be %s', async (scheduling) => {
    const { realtime: allowed } = await tried();
    const engine = await WorkerMediaEngine.start({ workers: 1, scheduling, log: silentLogger });
    try {
      const threads = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'latin1'));
      const media = threads.filter((stat) => stat.includes('(media)')).map(scheduled);
      expect(media).toEqual([allowed && scheduling === 'realtime' ? [1, 2] : [0, 0]]);
    } finally {
      await engine.close();
    }
  });
});

describe('a thread in real time', () => {
  /** Busy for these shares of three seconds each, one after the other: how it is scheduled behind each. */
  const through = (shares: readonly number[], set: (to: Scheduling) => boolean = () => true) => {
    const turn = new RealTime(set);
    turn.begin();
    let cpu = 500;
    turn.watch(70_000, cpu);
    return shares.map((share, i) => {
      for (let second = 1; second <= 3; second++) {
        cpu += share * 1000;
        turn.watch(70_000 + (3 * i + second) * 1000, cpu);
      }
      return turn.scheduling;
    });
  };

  test('goes before all others for as long as it leaves them time', () => {
    expect(new Set(through([0.1, 0.8, 0.84, 0.5, 0.84]))).toEqual(new Set(['realtime']));
  });

  test('that is always busy waits its turn for ten seconds, and until it is less so', () => {
    expect(through([0.8, 0.99, 0.2, 0.2, 0.2, 0.2])).toEqual(['realtime', 'fair', 'fair', 'fair', 'fair', 'realtime']);
    expect(through([0.99, 0.8, 0.8, 0.8, 0.8, 0.8, 0.6]).slice(-2)).toEqual(['fair', 'realtime']);
  });

  test('that is busy for a moment, as with code that is being compiled, stays first', () => {
    const turn = new RealTime(() => true);
    turn.begin();
    const busy = [500, 1500, 2500, 2550, 2600, 2650, 2700];
    busy.forEach((cpu, second) => {
      turn.watch(70_000 + second * 1000, cpu);
    });
    expect(turn.scheduling).toBe('realtime');
  });

  test('where it is not allowed stays as it is', () => {
    const asked: Scheduling[] = [];
    const refuse = (to: Scheduling) => {
      asked.push(to);
      return false;
    };
    expect(new Set(through([0.99, 0.1, 0.1], refuse))).toEqual(new Set(['fair']));
    expect(asked).toEqual(['realtime']);
  });
});
