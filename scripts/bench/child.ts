import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Runs `file` of this folder in a process of its own, which ends when it is disconnected. `said`: first, over IPC. */
export async function startChild<T>(file: string, ...args: string[]): Promise<{ child: ChildProcess; said: T }> {
  const child = fork(join(import.meta.dirname, file), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [said] = (await once(child, 'message')) as [T];
  return { child, said };
}
