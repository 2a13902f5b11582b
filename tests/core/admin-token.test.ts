import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminToken } from '../../src/admin-token.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-'));
  made.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = () => join(folder, 'admin-token');
const made: [string, string][] = [];
const read = (where = folder) => adminToken(undefined, where, (path, token) => made.push([path, token]));

test('a token is made once, told once, and is the same at the next start', async () => {
  const token = await read();
  expect(token).toMatch(/^[\w-]{32}$/);
  expect(made).toEqual([[file(), token]]);
  expect(await read()).toBe(token);
  expect(made).toHaveLength(1);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test('a start that could not write the token, for a full disk, locks nobody out: the next one makes it', async () => {
  writeFileSync(file(), '');
  const token = await read();
  expect(token).toHaveLength(32);
  expect(made).toEqual([[file(), token]]);
  expect(readFileSync(file(), 'utf8').trim()).toBe(token);
});

test('a file with too short a token stops the start, and the line says what to do', async () => {
  writeFileSync(file(), 'secret\n');
  await expect(read()).rejects.toMatchObject({
    code: 'bad-setting',
    message: expect.stringMatching(/admin-token must have at least 16 characters/),
  });
});

test.runIf(process.platform === 'linux')(
  'a folder in which nothing can be made stops the start, however deep',
  async () => {
    await expect(read('/proc/of/nobody/data')).rejects.toMatchObject({
      code: 'bad-setting',
      message: 'DATA_DIR: /proc/of/nobody/data cannot be written (ENOENT)',
    });
    expect(await read(join(folder, 'a/b/c'))).toHaveLength(32);
    expect(statSync(join(folder, 'a/b/c')).mode & 0o777).toBe(0o700);
  },
);

test('a folder that cannot be written stops the start with one line', async () => {
  writeFileSync(file(), 'a file, no folder');
  await expect(read(join(file(), 'data'))).rejects.toMatchObject({
    code: 'bad-setting',
    message: expect.stringMatching(/^DATA_DIR: .* cannot be written \(ENOTDIR\)$/),
  });
});
