import { fileURLToPath } from 'node:url';
import { madeBy } from '../../core/made-by.ts';

const OURS = ['.', './gaussians', '../../sentences'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

/**
 * The hash of whatever a compiled grammar and a started engine can depend on, and more. `library`: soundswallower's folder;
 * the sizes of its files tell when somebody has put models of their own there. Throws where something cannot be read.
 */
export function engineMadeBy(library: string): string {
  return madeBy({
    contents: [...OURS, `${library}/package.json`],
    sizes: [library, `${library}/model/en-us`],
  });
}
