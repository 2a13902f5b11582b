import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createLogger } from '../../../src/core/log.ts';
import { WriteBehind, type WriteBehindOptions } from '../../../src/store/postgres/write-behind.ts';

export interface ObservedStore {
  readonly store: WriteBehind;
  /** The messages of its log. */
  readonly said: readonly string[];
}

/** The queue in front of a database that the test plays: none of whose rows is refused. */
export function writeBehind(
  options: Pick<WriteBehindOptions, 'writer' | 'spool'> & Partial<WriteBehindOptions>,
): ObservedStore {
  const said: string[] = [];
  const log = createLogger({
    level: 'info',
    destination: { write: (line) => void said.push((JSON.parse(line) as { message: string }).message) },
  });
  const store = new WriteBehind({
    deadLetters: { add: () => expect.unreachable() },
    prepare: async () => undefined,
    run: randomUUID(),
    away: false,
    log,
    clock: systemClock,
    ...options,
  });
  return { store, said };
}
