import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { asFailure, codeOf, Failure } from './core/errors.ts';

/** What stands in `.env` of this folder; nothing where there is none. @throws Failure bad-setting for one that cannot be read */
export function readEnvFile(directory: string): NodeJS.Dict<string> {
  const file = resolve(directory, '.env');
  try {
    // Editors on Windows put a mark before the first name, which then is nobody's.
    return parseEnv(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    const problem = `bad setting: ${file} cannot be read (${codeOf(error) ?? asFailure(error).message})`;
    throw new Failure(problem, { code: 'bad-setting', blame: 'us', cause: error });
  }
}
