import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { asFailure } from '../src/core/errors.ts';
import { rewrapAll } from '../src/media/recording/rewrap.ts';

/**
 * `npm run recordings -- rewrap`: puts all recordings under the first key of RECORDING_KEY, after which the older keys
 * can be thrown away. Reads the same settings as the connector, which may be running.
 */

const USAGE = 'npm run recordings -- rewrap';

async function main([command]: string[]): Promise<number> {
  if (command !== 'rewrap') {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { recording, dataDir } = readConfig(process.env, process.cwd());
  if (recording.keys === undefined) {
    process.stderr.write('RECORDING_KEY is not set: there is no key to go over to\n');
    return 2;
  }
  const { rewrapped, current, failed } = await rewrapAll(join(dataDir, 'recordings'), recording.keys);
  process.stdout.write(
    `${rewrapped} files are now under key ${recording.keys.current.id}, ${current} were already, ${failed.length} failed\n`,
  );
  for (const { path, reason } of failed) process.stderr.write(`${path}: ${reason}\n`);
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${asFailure(error).message}\n`);
  return 1;
});
