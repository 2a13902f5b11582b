import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The token of the API: as configured, or made once and kept in DATA_DIR/admin-token, readable by its owner only. */
export async function adminToken(
  configured: string | undefined,
  dataDir: string,
): Promise<{ token: string; isNew: boolean }> {
  if (configured !== undefined) return { token: configured, isNew: false };
  const file = join(dataDir, 'admin-token');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const token = randomBytes(24).toString('base64url');
  try {
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return { token, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { token: (await readFile(file, 'utf8')).trim(), isNew: false };
  }
}
