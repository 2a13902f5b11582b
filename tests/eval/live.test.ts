import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Studio } from '../../scripts/eval/audio/studio.ts';
import type { Conversation } from '../../scripts/eval/corpus/types.ts';
import { fetchRecord, peekRecord } from '../../scripts/eval/play/fetch-record.ts';
import { play } from '../../scripts/eval/play/play.ts';
import { scoreCall } from '../../scripts/eval/score/score-call.ts';
import { type Connector, startConnector } from '../support/connector.ts';

let connector: Connector;
let folder: string;
let studio: Studio;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eval-live-'));
  studio = new Studio(folder);
  connector = await startConnector();
});
afterAll(async () => {
  await connector.stop();
  await studio.close();
  await rm(folder, { recursive: true });
});

const conversation: Conversation = {
  id: 'live-01',
  section: 'pauses',
  from: '+15550142',
  caller: { engine: 'flite', voice: 'rms', rate: 1 },
  room: { noise: { kind: 'white', snrDb: 30 }, echo: { attenuationDb: 40, delayMs: 80 }, lossPercent: 1 },
  tags: {},
  baseline: false,
  seed: 5,
  steps: [
    { do: 'greet' },
    { do: 'identify', request: 'please verify me', number: '830465', pin: '1397', spokenPin: false },
    {
      do: 'say',
      pieces: ['what is my', 200, 'account balance'],
      site: 'open',
      expect: { transactions: [{ type: 'BALANCE_CHECK', outcome: 'POSTED', customerId: '830465' }] },
    },
  ],
};

it('a conversation is played against a connector and judged by what it heard and by the bank’s ledger', async () => {
  const to = `sip:bank@127.0.0.1:${connector.sipPort}`;
  const peek = (sipCallId: string) => peekRecord(connector, sipCallId);
  const played = await play(conversation, { to, variant: 'adaptive', studio, peek });
  expect(played.trouble).toBeUndefined();
  const record = await fetchRecord(connector, played.sipCallId);
  const scored = scoreCall(played, record);
  const asked = scored.moments.at(-1)!;
  expect(asked.text).toBe('what is my …200 ms… account balance');
  expect(asked.pauses).toEqual([{ ms: 200, site: 'open', cut: expect.any(Boolean) }]);
  expect(asked.missed).toBe(false);
  expect(asked.replyMs !== undefined || asked.cutOff !== undefined).toBe(true);
  expect(scored.transcript.some((row) => row.speaker === 'caller')).toBe(true);
  expect(scored.moments.some((moment) => moment.kind === 'keys' && moment.right)).toBe(true);
  expect(scored.endCause).toBe('caller-hangup');
  expect(played.recording!.length).toBeGreaterThan(8000 * 4 * 5);
  expect(new Int16Array(played.recording!.buffer, played.recording!.byteOffset + 44, 8000).some((s) => s !== 0)).toBe(
    true,
  );
});
