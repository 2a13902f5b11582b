import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Ends the database server when our process dies without stopping it (SIGKILL, out of memory). A shell waits on a pipe
 * whose other end only we hold; the kernel closes it with us, whatever we died of. Then: fast shutdown, and after 10 s
 * an immediate one. A parent-death signal (prctl) would do on Linux only, and only for the thread that spawned.
 */
const SCRIPT = `
read -r _
kill -INT "$1" 2>/dev/null || exit 0
n=0
while [ $n -lt 100 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; n=$((n+1)); done
kill -QUIT "$1" 2>/dev/null
`;

export interface Watcher {
  /** To be called when the server has gone: the watcher ends without signalling anybody. */
  dismiss(): void;
}

export function watchOver(serverPid: number, as: { uid?: number; gid?: number }): Watcher {
  // In a session of its own: Ctrl-C on the terminal must not end it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(serverPid)], {
    ...as,
    cwd: '/',
    env: { PATH: process.env.PATH },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return {
    dismiss: () => {
      shell.kill('SIGKILL');
    },
  };
}
