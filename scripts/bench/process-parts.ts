import { readdir, readFile } from 'node:fs/promises';
import { cpuSecondsOf, statOf } from './process-stats.ts';

/** CPU seconds of a whole connector so far, by who spends them. */
export interface ConnectorCpu {
  /** Signalling, calls, store, HTTP. */
  readonly main: number;
  /** The media workers. */
  readonly media: number;
  /** The rest of the process: libuv's pool (files, gzip), the garbage collector, engines. */
  readonly rest: number;
  /** The database of its own, all its processes. */
  readonly postgres: number;
}

/** What Node calls the threads of media workers (the name given to Worker, behind its own mark). */
const MEDIA = /media/;

/** CPU seconds so far of the connector whose process this is. Threads and processes that have ended count in `rest` or not. */
export async function connectorCpu(pid: number): Promise<ConnectorCpu> {
  const all = await cpuSecondsOf(pid);
  let main = 0;
  let media = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const stat = await statOf(`/proc/${pid}/task/${thread}`).catch(() => undefined);
    if (stat === undefined) continue;
    if (Number(thread) === pid) main += stat.seconds;
    else if (MEDIA.test(stat.name)) media += stat.seconds;
  }
  return { main, media, rest: all - main - media, postgres: await secondsOfNamed(pid, 'postgres') };
}

/** What was spent between two moments, ms for each of `calls`. */
export function msPerCall(before: ConnectorCpu, after: ConnectorCpu, calls: number): ConnectorCpu {
  const each = (part: keyof ConnectorCpu) => ((after[part] - before[part]) * 1000) / calls;
  return { main: each('main'), media: each('media'), rest: each('rest'), postgres: each('postgres') };
}

async function secondsOfNamed(pid: number, name: string): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  let sum = 0;
  for (const child of children.split(' ').filter(Boolean).map(Number)) {
    const stat = await statOf(`/proc/${child}`).catch(() => undefined);
    if (stat?.name === name) sum += stat.seconds;
    sum += await secondsOfNamed(child, name);
  }
  return sum;
}
