import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadActionsOnce } from '../../src/banking/kept-actions.ts';
import { loadActions } from '../../src/banking/load-actions.ts';

const SHIPPED = join(import.meta.dirname, '../../src/banking/actions/demo-bank.yaml');
let folder: string;
let file: string;
let keepIn: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'actions-'));
  [file, keepIn] = [join(folder, 'bank.yaml'), join(folder, 'kept')];
  await cp(SHIPPED, file);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const kept = async () => (await readdir(keepIn)).map((name) => join(keepIn, name));

test('an actions file is read and checked once, and gives the same at the next start', async () => {
  const first = loadActionsOnce(file, keepIn);
  expect(first).toEqual(loadActions(file));
  const [path] = await kept();
  const { mtimeMs } = await stat(path!);
  expect(loadActionsOnce(file, keepIn)).toEqual(first);
  expect((await stat(path!)).mtimeMs).toBe(mtimeMs);
});

test('what a disk has made of it is not believed', async () => {
  const first = loadActionsOnce(file, keepIn);
  const [path] = await kept();
  const whole = await readFile(path!);
  await writeFile(path!, Buffer.from(whole).fill(32, whole.length >> 1, (whole.length >> 1) + 100));
  expect(loadActionsOnce(file, keepIn)).toEqual(first);
  expect(await readFile(path!)).toEqual(whole);
});

test('a file that was changed is read anew, and every mistake in it is told at each start', async () => {
  loadActionsOnce(file, keepIn);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('card_delivery_status', 'card_deliveries'));
  expect(loadActionsOnce(file, keepIn).actions.map(({ name }) => name)).toContain('card_deliveries');
  await writeFile(file, text.replace('effect: read', 'effect: reed'));
  for (let start = 0; start < 2; start++)
    expect(() => loadActionsOnce(file, keepIn)).toThrow(/bank\.yaml:\d+:\d+: .*effect/);
  expect(await kept()).toHaveLength(2);
});
