import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heardFromBot, type RecordedCall, recordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { isAskedForProof, sayUntilUnderstood } from './customers.ts';

let connector: Connector;
const voiceBox = new VoiceBox();
beforeAll(async () => {
  connector = await startConnector();
});
afterAll(async () => {
  expect(await connector.stop()).toBe(0);
  await voiceBox.close();
});

const ACCOUNT = 'what are my last five transactions';
const NEWS = 'This is an important message about your card. Please stay on the line for a moment.';

async function withCall<T>(lines: string[], talk: (phone: Phone, sessionId: string) => Promise<T>): Promise<T> {
  const phone = await Phone.open({ voiceBox, from: '+15550100' });
  try {
    await phone.prepare(lines);
    await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
    await phone.waitForReply();
    const { sessionId } = await recordedCall(connector, phone.sipCallId, () => true);
    return await talk(phone, sessionId);
  } finally {
    await phone.close();
  }
}

async function say(sessionId: string, body: Record<string, unknown>): Promise<{ status: number; utteranceId: string }> {
  const response = await connector.send('POST', `/api/v1/calls/${sessionId}/say`, body);
  return { status: response.status, ...((await response.json()) as { utteranceId: string }) };
}

const lengthMs = (utterance: object) => {
  const { startedAt, endedAt } = utterance as { startedAt: string; endedAt: string };
  return Date.parse(endedAt) - Date.parse(startedAt);
};
const said = (call: RecordedCall, utteranceId: string) => call.utterances.find((u) => u.utteranceId === utteranceId);
const isSaid = (utteranceId: string) => (call: RecordedCall) => said(call, utteranceId)?.heard.endsWith('.') === true;

// Three calls at the same time: what they wait for is speech, not each other.
describe.concurrent('staff who want something said in a call', () => {
  it('hear it said when nobody speaks, see it in the transcript, and are refused when the call is over', async () => {
    const { sessionId, call } = await withCall([], async (phone, sessionId) => {
      const { status, utteranceId } = await say(sessionId, { text: 'Your callback is booked for three.' });
      expect(status).toBe(202);
      await phone.waitForReply();
      const call = await recordedCall(connector, phone.sipCallId, isSaid(utteranceId));
      expect(said(call, utteranceId)).toMatchObject({
        speaker: 'assistant',
        source: 'say:api',
        text: 'Your callback is booked for three.',
        heard: 'Your callback is booked for three.',
        interrupted: false,
      });
      await phone.hangup();
      return { sessionId, call: await recordedCall(connector, phone.sipCallId) };
    });
    expect(call.events.map(({ type }) => type)).toContain('say-requested');
    expect((await say(sessionId, { text: 'Too late.' })).status).toBe(409);
    expect((await say(crypto.randomUUID(), { text: 'Nobody.' })).status).toBe(404);
    expect(connector.output()).not.toContain('callback is booked');
  });

  it('cut the bot short when it is urgent; the caller cannot cut it, and is answered after it', async () => {
    await withCall([ACCOUNT, 'what is my balance'], async (phone, sessionId) => {
      await sayUntilUnderstood(connector, phone, ACCOUNT, { understood: isAskedForProof });
      await phone.press('2580');
      const telling = (call: RecordedCall) => call.utterances.some((u) => /dollars/.test(u.text));
      await recordedCall(connector, phone.sipCallId, telling);
      await sleep(1500);
      const { utteranceId } = await say(sessionId, { text: NEWS, priority: 9, interruptible: false });
      await recordedCall(connector, phone.sipCallId, (call) => said(call, utteranceId) !== undefined);
      await phone.say('what is my balance');
      const answered = (call: RecordedCall) => /one thousand two hundred/i.test(heardFromBot(call));
      const call = await recordedCall(connector, phone.sipCallId, answered);
      expect(said(call, utteranceId)).toMatchObject({ heard: NEWS, interrupted: false });
      const cut = call.utterances.find((u) => u.interrupted)!;
      expect(cut.text.startsWith(cut.heard)).toBe(true);
      expect(cut.timings?.bargeInToSilenceMs).toBeUndefined();
      const types = call.events.map(({ type }) => type);
      expect(types).toContain('replaced');
      expect(types).not.toContain('barge-in');
      const lines = transcript(call);
      expect(lines.findIndex((line) => line.includes(NEWS))).toBeLessThan(
        lines.findIndex((line) => line.startsWith('caller: what is my balance')),
      );
      await phone.hangup();
    });
  });
});

const tellings = (call: RecordedCall) => call.utterances.filter((u) => /I can help you with|You can say/.test(u.heard));
const isAboutPace = ({ speaker, text }: RecordedCall['utterances'][number]) =>
  speaker === 'caller' && text.includes('slower');
const asksForPace = ({ utterances }: RecordedCall) => utterances.some(isAboutPace);

describe.concurrent('a caller who cannot follow', () => {
  it('says "slower please" and hears the answer again, slower', async () => {
    const call = await withCall(['what can you do', 'slower please'], async (phone) => {
      await sayUntilUnderstood(connector, phone, 'what can you do', {
        understood: (call) => tellings(call).length > 0,
      });
      await sayUntilUnderstood(connector, phone, 'slower please', { understood: asksForPace });
      await phone.hangup();
      return recordedCall(connector, phone.sipCallId);
    });
    const asked = call.utterances.find(isAboutPace)?.startedAt ?? '';
    const before = tellings(call).findLast(({ startedAt }) => startedAt < asked);
    const after = tellings(call).find(({ startedAt }) => startedAt > asked);
    expect([before, after], transcript(call).join('\n')).not.toContain(undefined);
    const [first, again] = [before!, after!].map(lengthMs);
    expect(again! / first!).toBeGreaterThan(1.15);
    expect(again! / first!).toBeLessThan(1.4);
  });
});

describe('staff who look at what was said', () => {
  it('see the figures of it in /metrics', async () => {
    const text = await (await fetch(`${connector.url}/metrics`)).text();
    expect(text).toMatch(/^voice_endpoints_total\{reason="complete"\} [1-9]/m);
    expect(text).toMatch(/^voice_store_appended_rows_total [1-9]/m);
    expect(text).toMatch(/^voice_store_away 0/m);
    expect(text).toMatch(/^voice_media_pacer_lateness_seconds\{worker="0"\} /m);
  });
});
