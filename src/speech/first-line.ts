import { asFailure } from '../core/errors.ts';

/** What an engine's error says, for logs: out of WASM it is a line of 40 kB and may quote memory; the first words say enough. */
export function firstLine(error: unknown): string {
  return asFailure(error).message.split('\n', 1)[0]!.slice(0, 200);
}
