import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeptFiles } from '../../src/core/kept-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (files: KeptFiles) => files.get(['a'], (bytes) => bytes.toString());

test.skipIf(process.platform === 'win32')(
  'what everybody may have written is neither believed nor added to',
  async () => {
    new KeptFiles(folder, 1000).put(['a'], [Buffer.from('ours')]);
    expect(text(new KeptFiles(folder, 1000))).toBe('ours');
    await chmod(folder, 0o777);
    const open = new KeptFiles(folder, 1000);
    expect(text(open)).toBeUndefined();
    open.put(['b'], [Buffer.from('more')]);
    expect(await readdir(folder)).toHaveLength(1);
    await chmod(folder, 0o770);
    expect(text(new KeptFiles(folder, 1000))).toBe('ours');
  },
);
