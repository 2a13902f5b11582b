import { BenchConnector } from './connector.ts';
import { cpuSecondsOfTree } from './process-stats.ts';
import type { PartSuite } from './suite.ts';

const STARTS = 5;

/** What a start costs whoever else is on the machine: the connector that takes the calls meanwhile, above all. */
export const startSuite: PartSuite = {
  name: 'start',
  what: `a whole connector is started ${STARTS} times on the same data: CPU until it is ready, database and bank included`,
  environment: undefined,
  limitMs: 5 * 60_000,
  async run(options) {
    const cpuMs: number[] = [];
    const readyMs: number[] = [];
    let kept: string | undefined;
    // The first one makes the database, and what is kept on disk for the others.
    for (let n = 0; n <= STARTS && !options.signal.aborted; n++) {
      const connector = await BenchConnector.start({}, { kept });
      try {
        kept = connector.folder;
        if (n > 0) {
          cpuMs.push(1000 * (await cpuSecondsOfTree(connector.pid)));
          readyMs.push(connector.startMs);
        }
        options.progress(`ready after ${Math.round(connector.startMs)} ms`);
      } finally {
        await connector.stop({ keepData: n < STARTS });
      }
    }
    return [
      { suite: 'start', name: 'CPU until ready', unit: 'ms', values: cpuMs, target: '3000' },
      { suite: 'start', name: 'ready', unit: 'ms', values: readyMs },
    ];
  },
};
