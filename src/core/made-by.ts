import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';

export interface Makers {
  /** Files, and folders whose files (not those in folders of theirs) count, by what is in them. */
  contents: readonly string[];
  /** The same, by their names and sizes: what is too large to be read at each start and changes with its package. */
  sizes?: readonly string[];
}

/**
 * The hash of what something is made by, so that what was kept of it is found by the same makers only: our sources, packages
 * (by their package.json), and V8, in whose format things are kept. Throws where one of them cannot be read.
 */
export function madeBy({ contents, sizes = [] }: Makers): string {
  const hash = createHash('sha256').update(process.versions.v8);
  for (const path of sizes.flatMap(filesIn)) hash.update(`${path} ${statSync(path).size}\n`);
  for (const bytes of contents.flatMap(filesIn).map((path) => readFileSync(path))) {
    hash.update(`${bytes.length} `).update(bytes);
  }
  return hash.digest('hex');
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => `${path}/${name}`)
    .sort();
}
