import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConnectorApi } from '../../scripts/call/api.ts';
import { type HeardUtterance, Transcripts } from '../../scripts/call/transcript.ts';
import type { UtteranceRecord } from '../../src/call/record/records.ts';
import { session, startServer, type TestServer, TOKEN } from '../http/fixtures.ts';

let server: TestServer;
let transcripts: Transcripts;

beforeEach(async () => {
  server = await startServer();
  transcripts = await Transcripts.open(new ConnectorApi(server.url, TOKEN));
});

afterEach(async () => {
  await transcripts.close();
  await server.close();
});

function said(sessionId: string, over: Partial<UtteranceRecord>): UtteranceRecord {
  return {
    utteranceId: randomUUID(),
    sessionId,
    sequence: 1,
    speaker: 'assistant',
    text: 'Welcome to the bank.',
    heard: 'Welcome to the bank.',
    interrupted: false,
    startedAt: new Date(),
    source: 'prompt',
    ...over,
  };
}

test('a call is followed live by its SIP Call-ID, and only that call', async () => {
  const [mine, other] = [session({ status: 'ACTIVE' }), session({ status: 'ACTIVE' })];
  const lines: string[] = [];
  const call = transcripts.follow(mine.sipCallId, (row: HeardUtterance) => lines.push(row.text));
  server.registry.update(other);
  // The stream may still be opening: what is said twice is known by its id.
  await expect
    .poll(() => {
      server.registry.update(mine);
      return call.session?.sessionId;
    })
    .toBe(mine.sessionId);
  server.registry.utterance(said(other.sessionId, { text: 'not for me' }));
  const greeting = said(mine.sessionId, { text: 'Welcome' });
  server.registry.utterance(greeting);
  server.registry.utterance({ ...greeting, text: 'Welcome to the bank.', interrupted: true, heard: 'Welcome' });
  await expect.poll(() => lines).toEqual(['Welcome', 'Welcome to the bank.']);
  expect(call.utterances).toMatchObject([{ text: 'Welcome to the bank.', interrupted: true, heard: 'Welcome' }]);
});

test('what the stream did not bring is read from the stored call, with its transactions', async () => {
  const stored = session();
  server.archive.session(stored);
  server.archive.utterance(said(stored.sessionId, {}));
  server.archive.transaction({
    transactionId: randomUUID(),
    sessionId: stored.sessionId,
    customerId: undefined,
    transactionType: 'CARD_INQUIRY',
    authenticationStatus: 'VERIFIED',
    outcome: 'POSTED',
    idempotencyKey: randomUUID(),
    queryParameters: {},
    createdAt: new Date(),
  });
  const call = transcripts.follow(stored.sipCallId);
  expect(await call.refresh()).toMatchObject([{ transactionType: 'CARD_INQUIRY', outcome: 'POSTED' }]);
  expect(call.utterances.map((row) => row.text)).toEqual(['Welcome to the bank.']);
  expect(call.session?.status).toBe('COMPLETED');
});

test('a wrong token and an absent API are told apart', async () => {
  await expect(Transcripts.open(new ConnectorApi(server.url, 'wrong'))).rejects.toMatchObject({ code: 'api-token' });
  await expect(Transcripts.open(new ConnectorApi('http://127.0.0.1:1', TOKEN))).rejects.toMatchObject({
    code: 'api-away',
  });
});
