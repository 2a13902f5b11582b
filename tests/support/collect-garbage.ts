import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** A full collection, once what is under way has let go of what it holds. */
export async function collectGarbage(): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  await new Promise((resolve) => setImmediate(resolve));
  collect();
}

/** How many of these something still refers to, after a collection. */
export async function stillHeld(references: readonly WeakRef<object>[]): Promise<number> {
  await collectGarbage();
  return references.filter((one) => one.deref() !== undefined).length;
}
