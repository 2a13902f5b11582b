import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAskedForProof, sayUntilUnderstood } from '../e2e/customers.ts';
import { heardFromBot, type RecordedCall, recordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import type { Sentence } from './support/mortal.ts';

const EVERY_THREAD = new URL('./support/every-thread.ts', import.meta.url).href;

const voiceBox = new VoiceBox();
const phones: Phone[] = [];
let connector: Connector;
let folder: string;
let killed = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-calls-'));
  await writeFile(join(folder, 'sentence'), '');
  connector = await startConnector({
    NODE_OPTIONS: `--import ${EVERY_THREAD}`,
    CHAOS_FILE: join(folder, 'sentence'),
  });
});
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
});
afterAll(async () => {
  await connector?.stop();
  await voiceBox.close();
  await rm(folder, { recursive: true, force: true });
});

/** The number makes each sentence another one. */
const kill = (sentence: Sentence) =>
  writeFile(join(folder, 'sentence'), JSON.stringify({ ...sentence, number: ++killed }));

const logged = (text: RegExp) =>
  expect.poll(() => connector.logs.filter((entry) => text.test(JSON.stringify(entry))).length).toBeGreaterThan(0);

async function dial(): Promise<Phone> {
  const phone = await Phone.open({ voiceBox });
  phones.push(phone);
  await phone.prepare(['what is my balance', 'where is my new credit card']);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  return phone;
}

/** The whole journey from the request to the balance. */
async function hearsBalance(phone: Phone): Promise<void> {
  await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
  await phone.press('2580');
  await recordedCall(connector, phone.sipCallId, (call) => /one thousand two hundred/i.test(heardFromBot(call)));
}

async function hangUp(phone: Phone): Promise<RecordedCall> {
  await phone.hangup();
  return recordedCall(connector, phone.sipCallId);
}

describe('a thread of the connector dies in mid-call', () => {
  it('the media worker, while the bot greets: the greeting goes on after a gap, and the caller is served', async () => {
    const phone = await dial();
    await phone.waitForSpeech();
    await kill({ thread: 'media', death: 'throw' });
    await logged(/a media worker died/);
    // By ear the gap may seem to be the greeting's end; who speaks then interrupts it.
    await recordedCall(
      connector,
      phone.sipCallId,
      ({ utterances: [one] }) => one !== undefined && one.heard === one.text,
    );
    await hearsBalance(phone);
    const call = await hangUp(phone);
    expect(call).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
    const interrupted = call.events.filter(({ type }) => type === 'media-interrupted');
    expect(interrupted).toHaveLength(1);
    const [greeting] = call.utterances;
    expect(greeting).toMatchObject({ speaker: 'assistant', interrupted: false });
    expect(greeting!.heard).toBe(greeting!.text);
    expect(call.recording).toBeDefined();
    expect(phone.report().pacing.sequenceGaps).toBe(0);
  });

  it('the recogniser, while the caller speaks: asked again, the caller is understood', async () => {
    const phone = await dial();
    await phone.waitForReply();
    const saying = phone.say('where is my new credit card');
    await kill({ thread: 'soundswallower', death: 'exit' });
    await saying;
    await logged(/soundswallower-\d.*worker died/);
    await phone.waitForReply();
    await hearsBalance(phone);
    expect(await hangUp(phone)).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
  });

  it('the synthesizer, while the answer is made: it is made again, and heard', async () => {
    const phone = await dial();
    await phone.waitForReply();
    await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
    await kill({ thread: 'flite', death: 'exit' });
    await phone.press('2580');
    await logged(/flite-\d.*worker died/);
    const call = await recordedCall(connector, phone.sipCallId, (record) =>
      /one thousand two hundred/i.test(heardFromBot(record)),
    );
    expect(call.events.map(({ type }) => type)).not.toContain('turn-failed');
    expect(await hangUp(phone)).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
  });
});
