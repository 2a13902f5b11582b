import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asFailure } from '../../core/errors.ts';
import type { KeyRing } from './key-ring.ts';
import { SEALED_SUFFIX } from './recording-reader.ts';
import { HEADER_BYTES, isSealed, keyIdOf, rewrapped } from './sealed-file.ts';

export interface RewrapResult {
  rewrapped: number;
  /** Under the current key already. */
  current: number;
  /** Files that could not be, and why. */
  failed: { path: string; reason: string }[];
}

/**
 * Puts the data keys of all sealed files below `folder` under the ring's current key; the audio is not touched. A header
 * is 256 bytes at the beginning of a file and written at once. Running it again, or while calls are recorded, does no harm.
 */
export async function rewrapAll(folder: string, ring: KeyRing): Promise<RewrapResult> {
  const result: RewrapResult = { rewrapped: 0, current: 0, failed: [] };
  const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!name.endsWith(SEALED_SUFFIX)) continue;
    try {
      result[await rewrapFile(join(folder, name), ring)]++;
    } catch (error) {
      result.failed.push({ path: name, reason: asFailure(error).message });
    }
  }
  return result;
}

async function rewrapFile(path: string, ring: KeyRing): Promise<'rewrapped' | 'current'> {
  const file = await open(path, 'r+');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || !isSealed(header)) throw new Error('it is no sealed file');
    if (keyIdOf(header) === ring.current.id) return 'current';
    await file.write(rewrapped(header, ring), 0, HEADER_BYTES, 0);
    await file.datasync();
    return 'rewrapped';
  } finally {
    await file.close();
  }
}
