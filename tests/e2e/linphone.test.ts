import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaReportOf, newestCallFrom, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Linphone } from '../support/linphone.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { writeWav } from '../support/phone/wav.ts';

/** Nothing that is not encrypted is taken. */
const CONFIG = `
trunks: [{ name: here, from: loopback, media: { encryption: required, keysInClear: true } }]
bots: [{ name: bank }]
numbers: [{ any: true, bot: bank }]
`;

let connector: Connector;
let folder: string;
let voices: VoiceBox;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linphone-calls-'));
  await writeFile(join(folder, 'sip.yaml'), CONFIG);
  connector = await startConnector({ SIP_CONFIG: folder });
  voices = new VoiceBox();
});
afterAll(async () => {
  await connector?.stop();
  await voices?.close();
  await rm(folder, { recursive: true, force: true });
});

const callOf = (user: string) => newestCallFrom(connector, user);

describe('linphone, with keys in its description (SDES)', () => {
  it('is understood and answered, and hears us', async () => {
    const user = '+15550121';
    const linphone = await Linphone.open({ user, srtp: true });
    try {
      const [question, heard] = [join(folder, 'question.wav'), join(folder, 'heard.wav')];
      const pcm = await voices.speak('what is my balance', 'rms');
      await writeFile(question, writeWav({ sampleRate: 8000, channels: 1, pcm }));
      linphone.type(`record ${heard}`);
      linphone.type(`call sip:bank@127.0.0.1:${connector.sipPort}`);
      await linphone.says(/Media streams established/);
      const lines = async () => {
        const call = await callOf(user);
        return call === undefined ? [] : transcript(call);
      };
      await expect.poll(async () => (await lines())[0]).toMatch(/help you/);
      linphone.type(`play ${question}`);
      await expect.poll(lines, { timeout: 20_000 }).toContain('caller: what is my balance');
      linphone.type('terminate');
      await expect.poll(async () => (await callOf(user))?.status).toBe('COMPLETED');
      expect(mediaReportOf((await callOf(user))!)).toMatchObject({
        srtp: { by: 'sdes', forged: 0, replayed: 0, unprotected: 0 },
        packetsLost: 0,
      });
      const wave = new Int16Array((await readFile(heard)).buffer.slice(44));
      expect(wave.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)).toBeGreaterThan(3000);
    } finally {
      await linphone.close();
    }
  });

  it('goes to whom it is referred, and says how that went', async () => {
    const user = '+15550122';
    const agent = await AnsweringPhone.open({ ringMs: 100, srtp: {} });
    const linphone = await Linphone.open({ user, srtp: true });
    try {
      linphone.type(`call sip:bank@127.0.0.1:${connector.sipPort}`);
      await linphone.says(/Media streams established/);
      await expect.poll(async () => (await callOf(user))?.status).toBe('ACTIVE');
      const { sessionId } = (await callOf(user))!;
      const begun = await connector.send('POST', `/api/v1/calls/${sessionId}/transfer`, {
        to: agent.uri,
        how: 'refer',
      });
      expect(begun.status).toBe(202);
      await expect.poll(() => agent.calls.length).toBe(1);
      await expect.poll(async () => (await callOf(user))?.endCause).toBe('transferred');
      const referred = (await callOf(user))!.events.find(({ type }) => type === 'handover-referred');
      expect(referred?.data).toMatchObject({ way: 'refer', outcome: expect.stringMatching(/^(connected|left)$/) });
      expect(agent.calls[0]!.end).toBeUndefined();
    } finally {
      await linphone.close();
      await agent.close();
    }
  });
});
