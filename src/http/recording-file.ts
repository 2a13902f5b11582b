import { open, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { codeOf } from '../core/errors.ts';
import type { KeyRing } from '../media/recording/key-ring.ts';
import { type RecordingReader, recordingReader } from '../media/recording/recording-reader.ts';

export interface RecordingFile {
  reader: RecordingReader;
  path: string;
  /** Strong validator made of size and modification time. */
  etag: string;
  close(): Promise<void>;
}

/**
 * Opens a recording for reading, if `path` (relative to `dataDir`, from the archive) is a regular file that lies inside
 * `dataDir` after all links are followed; undefined otherwise. The caller closes it.
 * @throws Failure recording-key, recording-damaged
 */
export async function openRecording(
  dataDir: string,
  path: string,
  keys: KeyRing | undefined,
): Promise<RecordingFile | undefined> {
  if (path.includes('\0') || isAbsolute(path)) return undefined;
  try {
    const root = await realpath(dataDir);
    const file = await realpath(resolve(root, path));
    const inside = relative(root, file);
    if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return undefined;
    const handle = await open(file, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) {
      await handle.close();
      return undefined;
    }
    try {
      const reader = await recordingReader(handle, file, keys);
      const etag = `"${reader.size.toString(16)}-${stat.mtimeMs.toString(16)}"`;
      return { reader, path: file, etag, close: () => handle.close() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}
