import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LogSink } from '../../src/core/log-sink.ts';

const LOG = fileURLToPath(new URL('../../src/core/log.ts', import.meta.url));

/** A process that logs, goes on for a while, and ends by itself. */
async function logging(
  stdout: number | 'pipe',
  lines: number,
): Promise<{ code: number | null; said: string; out: string }> {
  const program = `
    import { createLogger } from ${JSON.stringify(LOG)};
    const log = createLogger({ level: 'info' });
    for (let i = 0; i < ${lines}; i++) log.info({ i }, 'a line');
    setTimeout(() => log.info('later'), 100);
    setTimeout(() => { log.info('last'); process.stderr.write('alive'); process.exit(0); }, 300);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', stdout, 'pipe'] });
  let [said, out] = ['', ''];
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  const hangs = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(hangs);
  return { code, said, out };
}

test('calls go on when the disk that the log is written to is full, and the process ends when it is told to', async () => {
  const { code, said } = await logging(openSync('/dev/full', 'w'), 10);
  expect([code, said]).toEqual([0, 'alive']);
});

test('every line is written, in order, up to the last before the end', async () => {
  const { code, out } = await logging('pipe', 3000);
  expect(code).toBe(0);
  const messages = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { i?: number; message: string });
  expect(messages.slice(0, 3000).map(({ i }) => i)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  expect(messages.slice(3000).map(({ message }) => message)).toEqual(['later', 'last']);
});

test('what does not fit while nothing can be written is lost, counted, and told when it can be again', async () => {
  let full = true;
  let written = '';
  const sink = new LogSink({
    fd: 1,
    mostBytes: 50,
    lost: (lines) => `lost ${lines}\n`,
    system: {
      write: (_fd, bytes, done) => {
        if (full) return done(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0);
        // As much as a pipe has room for.
        const taken = bytes.subarray(0, 7);
        written += Buffer.from(taken).toString();
        done(null, taken.length);
      },
      writeSync: () => 0,
    },
  });
  for (let i = 0; i < 20; i++) sink.write(`line ${i}\n`);
  await new Promise((resolve) => setTimeout(resolve, 150));
  full = false;
  await expect.poll(() => written).toMatch(/lost/);
  expect(written).toBe('line 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\nlost 13\n');
});
