import type { JournalEntry, SessionRecord } from '../../src/call/record/records.ts';
import { CallScribe } from '../../src/call/record/scribe.ts';
import { CallRegistry } from '../../src/call/registry.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';

/** Who writes a call down, and what came into the journal so far. */
export function scribing(clock: Clock = systemClock) {
  const kept: JournalEntry[] = [];
  const journal = { append: (entry: JournalEntry) => void kept.push(entry), flush: async () => undefined };
  const session = { sessionId: crypto.randomUUID(), callStartTime: clock.wall() } as SessionRecord;
  return { scribe: new CallScribe(session, clock, journal, new CallRegistry(silentLogger)), journal, kept };
}
