import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asFailure, codeOf, Failure } from './core/errors.ts';

/**
 * Makes the folder that a setting names, and those above it, readable by their owner only; what is there stays as it is.
 * @throws Failure bad-setting, naming the setting, where it cannot be
 */
export async function needFolder(setting: string, path: string): Promise<void> {
  try {
    await make(path);
  } catch (error) {
    throw unusable(setting, path, error);
  }
}

export function unusable(setting: string, path: string, error: unknown): Failure {
  const problem = `${setting}: ${path} cannot be written (${codeOf(error) ?? asFailure(error).message})`;
  return new Failure(problem, { code: 'bad-setting', blame: 'us', cause: error });
}

/** Not by mkdir's `recursive`: below a folder in which none can be made for all that is there (/proc), Node tries for ever. */
async function make(path: string): Promise<void> {
  const made = (folder: string) =>
    mkdir(folder, { mode: 0o700 }).catch((error) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  try {
    await made(path);
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) !== 'ENOENT' || above === path) throw error;
    await make(above);
    await made(path);
  }
}
