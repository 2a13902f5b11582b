import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `make` gives, kept in `folder` for another run, by all that it follows from (`from`). Without a folder it is made each time. */
export async function kept<T>(folder: string | undefined, from: unknown, make: () => Promise<T>): Promise<T> {
  if (folder === undefined) return make();
  const key = createHash('sha256').update(JSON.stringify(from)).digest('hex').slice(0, 24);
  const path = join(folder, `${key}.json`);
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before) return JSON.parse(before);
  const made = await make();
  await mkdir(folder, { recursive: true });
  await writeFile(path, JSON.stringify(made));
  return made;
}
