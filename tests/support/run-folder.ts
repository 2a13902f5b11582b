import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the test files of one run find what is made once for all of them: see postgres.ts. */
export const RUN_FOLDER = 'TEST_RUN_FOLDER';

/** Vitest's global set-up: before the first test file, and after the last. Processes of test files inherit the name. */
export default async function openRunFolder(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'test-run-'));
  // The database server's user must get through to what is kept in it, which is closed to others itself.
  await chmod(folder, 0o711);
  process.env[RUN_FOLDER] = folder;
  return () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
