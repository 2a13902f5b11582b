import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { isAlive } from '../../owner-lock.ts';

const exec = promisify(execFile);

export interface PostmasterPid {
  pid: number;
  port: number;
  ready: boolean;
}

/** postmaster.pid: pid, data folder, start time, port, socket folder, listen address, shared memory key, status. */
export async function readPostmasterPid(cluster: string): Promise<PostmasterPid | undefined> {
  try {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
    // A stand-alone backend writes its pid negated.
    const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
    if (!Number.isInteger(pid) || pid === 0) return undefined;
    return { pid, port: Number.parseInt(lines[3] ?? '', 10), ready: lines[7]?.trim() === 'ready' };
  } catch {
    return undefined;
  }
}

/** Is this process a PostgreSQL server of this cluster, and not another process that got its pid? */
async function serves(pid: number, cluster: string): Promise<boolean> {
  if (process.platform === 'linux') {
    // Unreadable: of another user, so not ours. Missing: gone.
    return (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === (await realpath(cluster));
  }
  try {
    return /postgres/.test((await exec('ps', ['-o', 'command=', '-p', String(pid)])).stdout);
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone in the meantime
  }
}

/**
 * Shuts a server down in bounded time: fast (SIGINT: open transactions are rolled back, a checkpoint is written), then
 * immediate (SIGQUIT: recovery at the next start), then SIGKILL. Resolves true when it has gone.
 */
export async function stopServer(pid: number, hasGone: () => boolean, fastMs = 6000): Promise<boolean> {
  for (const [name, patience] of [
    ['SIGINT', fastMs],
    ['SIGQUIT', 3000],
    ['SIGKILL', 2000],
  ] as const) {
    if (hasGone()) return true;
    signal(pid, name);
    for (let waited = 0; waited < patience && !hasGone(); waited += 20) await sleep(20);
  }
  return hasGone();
}

/**
 * Before a start: ends a server that an earlier process of ours left running on this cluster (the caller holds the
 * owner lock, so nobody is using it), and removes a postmaster.pid whose server is gone or whose pid is now another's.
 */
export async function clearLeftover(cluster: string, log: Logger): Promise<void> {
  const left = await readPostmasterPid(cluster);
  const file = join(cluster, 'postmaster.pid');
  if (left && isAlive(left.pid) && (await serves(left.pid, cluster))) {
    log.warn({ pid: left.pid }, 'stopping the database server left by an earlier run');
    if (!(await stopServer(left.pid, () => !isAlive(left.pid)))) {
      throw new Failure(`a database server left by an earlier run does not stop (process ${left.pid})`, {
        code: 'postgres-leftover',
        blame: 'us',
      });
    }
  } else if (left) {
    log.warn({ pid: left.pid }, 'removing a stale postmaster.pid');
  }
  await rm(file, { force: true });
}
