import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminToken } from '../../src/admin-token.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = () => join(folder, 'admin-token');

test('a token is made once, and is the same at the next start', async () => {
  const first = await adminToken(undefined, folder);
  expect(first).toEqual({ token: expect.stringMatching(/^[\w-]{32}$/), isNew: true });
  expect(await adminToken(undefined, folder)).toEqual({ token: first.token, isNew: false });
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test('a start that could not write the token, for a full disk, locks nobody out: the next one makes it', async () => {
  writeFileSync(file(), '');
  const { token, isNew } = await adminToken(undefined, folder);
  expect([token.length, isNew]).toEqual([32, true]);
  expect(readFileSync(file(), 'utf8').trim()).toBe(token);
});

test('a file with too short a token stops the start, and the line says what to do', async () => {
  writeFileSync(file(), 'secret\n');
  await expect(adminToken(undefined, folder)).rejects.toMatchObject({
    code: 'bad-setting',
    message: expect.stringMatching(/admin-token must have at least 16 characters/),
  });
});

test('a folder that cannot be written stops the start with one line', async () => {
  writeFileSync(file(), 'a file, no folder');
  await expect(adminToken(undefined, join(file(), 'data'))).rejects.toMatchObject({
    code: 'bad-setting',
    message: expect.stringMatching(/^DATA_DIR: .* cannot be written \(ENOTDIR\)$/),
  });
});
