import { Failure } from '../../core/errors.ts';

export const KEY_BYTES = 32;

export interface MasterKey {
  /** Stands in every file that is sealed with it. */
  id: string;
  key: Uint8Array;
}

/** Master keys: new files are sealed with the first, files of any of them can be read. */
export class KeyRing {
  readonly current: MasterKey;
  readonly #all: readonly MasterKey[];

  constructor(keys: readonly MasterKey[]) {
    const [first] = keys;
    if (first === undefined) throw new TypeError('a key ring without a key');
    this.current = first;
    this.#all = keys;
  }

  /** The current one first: what another thread needs to have the same ring. */
  get keys(): readonly MasterKey[] {
    return this.#all;
  }

  find(id: string): Uint8Array | undefined {
    return this.#all.find((one) => one.id === id)?.key;
  }
}

const REFERENCE = /^([A-Za-z0-9._-]{1,64})=(env|file):(.+)$/;

/**
 * Reads `id=env:NAME` or `id=file:PATH`, several with commas, the current one first. What a reference leads to is 32 bytes as
 * base64 or hexadecimal; the key itself never stands in the setting. Undefined for ''.
 * @throws Failure bad-setting, which repeats no key
 */
export function readKeyRing(
  setting: string,
  resolve: (kind: 'env' | 'file', name: string) => string,
): KeyRing | undefined {
  const entries = setting
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (entries.length === 0) return undefined;
  const keys = entries.map((entry, index): MasterKey => {
    const [, id, kind, name] = REFERENCE.exec(entry) ?? [];
    if (id === undefined) throw bad(`entry ${index + 1} is not id=env:NAME or id=file:PATH`);
    let text: string;
    try {
      text = resolve(kind as 'env' | 'file', name!).trim();
    } catch (error) {
      throw bad(`key "${id}" cannot be read: ${(error as Error).message}`);
    }
    const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
    if (key.length !== KEY_BYTES) throw bad(`key "${id}" is not 32 bytes as base64 or hexadecimal`);
    return { id, key };
  });
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw bad('two keys have one id');
  return new KeyRing(keys);
}

function bad(message: string): Failure {
  return new Failure(`RECORDING_KEY: ${message}`, { code: 'bad-setting', blame: 'us' });
}
