import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { asFailure } from '../../core/errors.ts';
import { type DigestAlgorithm, digestSecret } from '../../sip/auth/digest.ts';
import type { DigestSecrets } from '../../sip/auth/digest-guard.ts';
import type { Note } from './note.ts';
import type { TrunkEntry } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type Digest = NonNullable<TrunkEntry['digest']>;

/** The users of a trunk with what their passwords hash to; the passwords themselves are not kept. */
export function digestUsers(
  { users, algorithms }: Digest,
  { realm, folder, env }: { realm: string; folder: string; env: Environment },
  note: Note,
): ReadonlyMap<string, DigestSecrets> {
  const made = new Map<string, DigestSecrets>();
  for (const [index, user] of users.entries()) {
    const problem = (key: string, message: string) => note(['users', index, key], message);
    if (user.secrets) {
      const missing = algorithms.find((algorithm) => user.secrets?.[algorithm] === undefined);
      if (missing) problem('secrets', `has none for ${missing}, which is offered`);
      made.set(user.name, lowerCase(user.secrets));
      continue;
    }
    const password = passwordOf(user, { folder, env }, problem);
    if (password === undefined) continue;
    const hashed = algorithms.map((algorithm) => [algorithm, digestSecret(algorithm, user.name, realm, password)]);
    made.set(user.name, Object.fromEntries(hashed));
  }
  return made;
}

/** What `password` (a variable) or `passwordFile` leads to; undefined, and a note of the problem, when to nothing. */
export function passwordOf(
  { password, passwordFile }: { password?: string | undefined; passwordFile?: string | undefined },
  { folder, env }: { folder: string; env: Environment },
  problem: (key: string, message: string) => void,
): string | undefined {
  return passwordFile === undefined
    ? fromEnvironment(password!, env, problem)
    : fromFile(resolve(folder, passwordFile), problem);
}

function fromEnvironment(name: string, env: Environment, problem: (key: string, message: string) => void) {
  const value = env[name];
  if (value) return value;
  problem('password', `the environment has no ${name}`);
  return undefined;
}

/** Without the line end that editors add. */
function fromFile(path: string, problem: (key: string, message: string) => void): string | undefined {
  try {
    const password = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (password !== '') return password;
    problem('passwordFile', 'is empty');
  } catch (error) {
    problem('passwordFile', asFailure(error).message);
  }
  return undefined;
}

function lowerCase(secrets: DigestSecrets): DigestSecrets {
  const entries = Object.entries(secrets) as [DigestAlgorithm, string][];
  return Object.fromEntries(entries.map(([algorithm, value]) => [algorithm, value.toLowerCase()]));
}
