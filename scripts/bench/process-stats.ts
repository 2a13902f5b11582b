import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../../src/core/clock.ts';

// What the kernel tells is read where it stands: nothing waits for a disk, and fs/promises costs ten times as much, which a bench
// that looks at forty processes a second takes from those it measures.

/** USER_HZ, which Linux fixes at 100 for what it shows to programs. */
const CLOCK_TICKS = 100;

/** CPU seconds of a process with all its threads so far. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  return (await statOf(`/proc/${pid}`)).seconds;
}

/**
 * Of a process or of one thread, by its folder: its name, and its CPU seconds so far, user and system (proc(5), fields 2, 14
 * and 15 of stat). The name stands in brackets and may hold anything.
 */
export async function statOf(folder: string): Promise<{ name: string; seconds: number }> {
  const stat = readFileSync(`${folder}/stat`, 'latin1');
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  const seconds = (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
  return { name: stat.slice(stat.indexOf('(') + 1, end), seconds };
}

/** CPU seconds so far of a process and of all those it started that are still there. */
export async function cpuSecondsOfTree(pid: number): Promise<number> {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  const own = await cpuSecondsOf(pid);
  const theirs = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => cpuSecondsOfTree(Number(child))),
  );
  return theirs.reduce((sum, one) => sum + one, own);
}

/** CPU seconds that all processes of the machine have had so far, on all its processors. */
export async function machineSeconds(): Promise<number> {
  const { user, nice, system } = await processorSeconds();
  return user + nice + system;
}

/** Seconds so far in which the machine's processors had work and whoever it is a guest of ran others; 0 where that is not told. */
export async function stolenSeconds(): Promise<number> {
  return (await processorSeconds()).stolen;
}

/** The first line of /proc/stat (proc(5)). */
async function processorSeconds() {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const seconds = line.split(/\s+/).map((ticks) => Number(ticks) / CLOCK_TICKS);
  const [, user = 0, nice = 0, system = 0, , , , , stolen = 0] = seconds;
  return { user, nice, system, stolen };
}

/** Percent of a core for each of `calls`, in one round after another. */
export async function cpuPerCall(
  cpuSeconds: () => Promise<number>,
  { calls, rounds, roundMs }: { calls: number; rounds: number; roundMs: number },
): Promise<number[]> {
  const percents: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [cpu, at] = [await cpuSeconds(), monotonicNow()];
    await sleep(roundMs);
    percents.push((((await cpuSeconds()) - cpu) / ((monotonicNow() - at) / 1000) / calls) * 100);
  }
  return percents;
}

/** Resident memory in bytes. */
export async function residentBytesOf(pid: number): Promise<number> {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
