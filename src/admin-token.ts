import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, Failure } from './core/errors.ts';
import { needFolder, unusable } from './setting-folder.ts';

/** Of a token, whether it is configured or kept. */
export const LEAST_TOKEN_LENGTH = 16;

/**
 * The token of the API: as configured, or made once and kept in DATA_DIR/admin-token, readable by its owner only. A file
 * that is empty was left by a start that could not write it (a full disk): it gets its token now. `onMade` is told of one
 * that has just been made.
 * @throws Failure bad-setting for a file that holds too little to be a token
 */
export async function adminToken(
  configured: string | undefined,
  dataDir: string,
  onMade: (file: string, token: string) => void,
): Promise<string> {
  if (configured !== undefined) return configured;
  const file = join(dataDir, 'admin-token');
  await needFolder('DATA_DIR', dataDir);
  const token = randomBytes(24).toString('base64url');
  try {
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unusable('DATA_DIR', dataDir, error);
    const kept = (await readFile(file, 'utf8')).trim();
    if (kept.length >= LEAST_TOKEN_LENGTH) return kept;
    if (kept !== '') {
      const problem = `${file} must have at least ${LEAST_TOKEN_LENGTH} characters; without the file a new token is made`;
      throw new Failure(problem, { code: 'bad-setting', blame: 'us' });
    }
    await writeFile(file, `${token}\n`, { mode: 0o600 });
  }
  onMade(file, token);
  return token;
}
