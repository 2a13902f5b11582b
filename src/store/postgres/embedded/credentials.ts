import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { codeOf } from '../../../core/errors.ts';

export interface Credentials {
  /** Superuser `postgres`: set-up and migrations only. */
  admin: string;
  /** Role `connector`: everything else, under row-level security. */
  app: string;
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const { admin, app } = value as Record<string, unknown>;
  return typeof admin === 'string' && admin.length > 0 && typeof app === 'string' && app.length > 0;
}

/** The passwords of a cluster, random, made at its first start and kept in a file that only we can read. */
export async function loadCredentials(path: string): Promise<Credentials | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isCredentials(value) ? value : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function makeCredentials(path: string): Promise<Credentials> {
  const credentials = { admin: randomBytes(24).toString('base64url'), app: randomBytes(24).toString('base64url') };
  await writeFile(`${path}.new`, JSON.stringify(credentials), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return credentials;
}
