import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, Failure } from '../core/errors.ts';

/** Who holds a folder. A pid alone is not an identity: pids are reused, and in containers they are nearly always the same. */
interface Owner {
  pid: number;
  /** Start time of the process in clock ticks since boot (Linux, proc(5) field 22); '' where it cannot be known. */
  startTicks: string;
}

/** Fields of /proc/PID/stat from the third (state) on; undefined where there is no /proc or no such process. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name, in parentheses, may hold blanks: count fields from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** True while a process with this pid runs, ours or not. A zombie (dead, its parent has not looked) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  return statOf(pid)?.[0] !== 'Z';
}

/** Field 22 of proc(5). */
function startTicksOf(pid: number): string {
  return statOf(pid)?.[19] ?? '';
}

function isRunning(owner: Owner): boolean {
  if (!Number.isInteger(owner.pid) || owner.pid <= 0 || !isAlive(owner.pid)) return false;
  const ticks = startTicksOf(owner.pid);
  return ticks === '' || owner.startTicks === '' || ticks === owner.startTicks;
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof owner === 'object' && owner !== null && 'pid' in owner ? (owner as Owner) : undefined;
  } catch {
    return undefined;
  }
}

export interface OwnerLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only owner of what `path` stands for, until released. A lock left by a process that is gone
 * is taken over. Rejects with Failure code `in-use` while a living process holds it (this process included).
 */
export async function acquireOwnerLock(path: string, what: string): Promise<OwnerLock> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(
          JSON.stringify({ pid: process.pid, startTicks: startTicksOf(process.pid) } satisfies Owner),
        );
      } finally {
        await file.close();
      }
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const owner = await readOwner(path);
      if ((owner && isRunning(owner)) || attempt >= 3) {
        throw new Failure(`${what} is in use by process ${owner?.pid ?? 'unknown'} (${path})`, {
          code: 'in-use',
          blame: 'us',
        });
      }
      await rm(path, { force: true });
    }
  }
}
