import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Failure } from '../../../core/errors.ts';

const exec = promisify(execFile);
const USER = 'postgres';

/** How a command is run so that PostgreSQL accepts it: it refuses to run as root. */
export interface RunAs {
  /** Owner for files that PostgreSQL must own; undefined: ours. */
  uid: number | undefined;
  gid: number | undefined;
  /** Spawn arguments for `command args`, to be used with `spawnOptions`. */
  wrap(command: string, args: string[]): [string, string[]];
  spawnOptions: { uid?: number; gid?: number };
}

const ourselves: RunAs = {
  uid: undefined,
  gid: undefined,
  wrap: (command, args) => [command, args],
  spawnOptions: {},
};

async function idsOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all([exec('id', ['-u', user]), exec('id', ['-g', user])]);
    return { uid: Number.parseInt(uid.stdout, 10), gid: Number.parseInt(gid.stdout, 10) };
  } catch {
    return undefined;
  }
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const existing = await idsOf(USER);
  if (existing) return existing;
  await exec('groupadd', ['--system', USER]).catch(() => undefined);
  await exec('useradd', ['--system', '--gid', USER, '--no-create-home', '--shell', '/usr/sbin/nologin', USER]).catch(
    () => undefined,
  );
  const created = await idsOf(USER);
  if (created) return created;
  throw new Failure(
    `PostgreSQL does not run as root and the system user "${USER}" could not be made: run as an ordinary user, or set DATABASE_URL`,
    { code: 'no-postgres-user', blame: 'us' },
  );
}

/**
 * As an ordinary user: as ourselves. As root: as the system user `postgres`, made when missing. A clone under a
 * private folder (/root, mktemp -d) cannot be entered by that user; then the server gets the one capability it takes
 * to walk through folders (setpriv of util-linux), nothing else.
 * @param binary the postgres executable; @param folder the folder that will hold the cluster
 */
export async function choosePostgresUser(binary: string, folder: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return ourselves;
  const { uid, gid } = await postgresUser();
  const candidates: RunAs[] = [
    { uid, gid, wrap: (command, args) => [command, args], spawnOptions: { uid, gid } },
    ...['dac_read_search', 'dac_override'].map((capability): RunAs => {
      const options = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
      const caps = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
      return {
        uid,
        gid,
        wrap: (command, args) => ['setpriv', [...options, ...caps, '--', command, ...args]],
        spawnOptions: {},
      };
    }),
  ];
  let refusal: unknown;
  for (const candidate of candidates) {
    try {
      const [command, args] = candidate.wrap('/bin/sh', ['-c', 'cd "$1" && exec "$2" --version', 'sh', folder, binary]);
      await exec(command, args, { ...candidate.spawnOptions, cwd: '/', env: { PATH: process.env.PATH } });
      return candidate;
    } catch (error) {
      refusal = error;
    }
  }
  throw new Failure(
    `the system user "${USER}" can reach neither ${binary} nor ${folder}: use a folder open to others`,
    {
      code: 'data-dir-unreachable',
      blame: 'us',
      cause: refusal,
    },
  );
}
