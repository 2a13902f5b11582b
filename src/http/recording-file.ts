import { type FileHandle, open, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';

export interface RecordingFile {
  handle: FileHandle;
  path: string;
  size: number;
  /** Strong validator made of size and modification time. */
  etag: string;
}

/**
 * Opens a recording for reading, if `path` (relative to `dataDir`, from the archive) is a regular file that lies inside
 * `dataDir` after all links are followed; undefined otherwise. The caller closes the handle.
 */
export async function openRecording(dataDir: string, path: string): Promise<RecordingFile | undefined> {
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
    return { handle, path: file, size: stat.size, etag: `"${stat.size.toString(16)}-${stat.mtimeMs.toString(16)}"` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}
