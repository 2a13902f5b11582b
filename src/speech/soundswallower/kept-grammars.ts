import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { KeptFiles } from '../kept-files.ts';
import type { SpeechHints } from '../ports.ts';
import type { CompiledGrammar } from './grammar-cache.ts';

/** Some hundred large grammars. */
const LIMIT_BYTES = 16 << 20;
const HASH_BYTES = 32;
/** Whatever a compiled grammar can depend on, and more. */
const SOURCES = ['.', '../../sentences'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

type Grammar = Pick<SpeechHints, 'key' | 'jsgf'>;

/**
 * Grammars that bots begin with, compiled, on disk: compiling those of the shipped bot takes a third of a second, at each
 * start. Found by the text of the grammar and by all that compiled it.
 */
export class KeptGrammars {
  readonly #files: KeptFiles;
  readonly #compiler: string;

  /** `compiler`: of compilerHash. */
  constructor(folder: string, compiler: string) {
    this.#files = new KeptFiles(folder, LIMIT_BYTES);
    this.#compiler = compiler;
  }

  get({ key, jsgf }: Grammar): CompiledGrammar | undefined {
    return this.#files.get([this.#compiler, key, jsgf], (bytes) => {
      const kept = bytes.subarray(HASH_BYTES);
      // A disk that has lost half of it is to cost a third of a second, not a recogniser that hears something else.
      return sha256(kept).equals(bytes.subarray(0, HASH_BYTES)) ? (deserialize(kept) as CompiledGrammar) : undefined;
    });
  }

  put({ key, jsgf }: Grammar, compiled: CompiledGrammar): void {
    const bytes = serialize(compiled);
    this.#files.put([this.#compiler, key, jsgf], [sha256(bytes), bytes]);
  }
}

/** Of our sources, the dictionary at this path, and V8, whose format is used. Rejects where they cannot be read. */
export async function compilerHash(dictionary: string): Promise<string> {
  const names = await Promise.all(
    SOURCES.map(async (folder) => (await readdir(folder)).filter(isSource).map((name) => `${folder}/${name}`)),
  );
  const hash = createHash('sha256').update(process.versions.v8);
  for (const bytes of await Promise.all([...names.flat().sort(), dictionary].map((path) => readFile(path)))) {
    hash.update(`${bytes.length} `).update(bytes);
  }
  return hash.digest('hex');
}

function isSource(name: string): boolean {
  return /\.[jt]s$/.test(name);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
