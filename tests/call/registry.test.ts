import { expect, it } from 'vitest';
import type { EventRecord } from '../../src/call/record/records.ts';
import { CallRegistry, type LiveEvent } from '../../src/call/registry.ts';
import { createLogger } from '../../src/core/log.ts';

it('who listens to calls and throws is logged with the call, and neither the call nor another listener knows of it', async () => {
  const lines: { level: string; session_id?: string; err?: { message: string } }[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => lines.push(JSON.parse(line)) } });
  const registry = new CallRegistry(log);
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const heard: LiveEvent[] = [];
  registry.listen(() => {
    throw new Error('a counter that is none');
  });
  registry.listen((event) => heard.push(event));
  const event = { sessionId: crypto.randomUUID(), type: 'answered' } as unknown as EventRecord;
  registry.event(event);
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off('unhandledRejection', note);
  expect(heard).toEqual([{ type: 'event', event }]);
  expect(unhandled).toEqual([]);
  expect(lines).toMatchObject([
    { level: 'error', session_id: event.sessionId, err: { message: 'a counter that is none' } },
  ]);
});
