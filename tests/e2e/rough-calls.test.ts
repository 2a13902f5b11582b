import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heardFromBot, recordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { isAskedForProof, sayUntilUnderstood } from './customers.ts';

let connector: Connector;
const voiceBox = new VoiceBox();
beforeAll(async () => {
  connector = await startConnector();
  await voiceBox.prepare(['what is my balance'], 'rms');
});
afterAll(async () => {
  await connector.stop();
  await voiceBox.close();
});

const bank = () => `sip:bank@127.0.0.1:${connector.sipPort}`;

async function askBalance(options: PhoneOptions): Promise<{ phone: Phone; error: unknown }> {
  const phone = await Phone.open({ voiceBox, from: '+15550100', ...options });
  try {
    await phone.dial(bank());
    await phone.waitForReply();
    await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
    await phone.press('2580');
    await phone.waitForReply({ silenceMs: 1500 });
    await phone.hangup();
    return { phone, error: undefined };
  } catch (error) {
    return { phone, error };
  } finally {
    await phone.close();
  }
}

describe.concurrent('a bad network', () => {
  it.each([
    ['loses 3 % of the packets', { lossPercent: 3, seed: 7 }],
    ['delivers late and out of order', { delayMs: 30, jitterMs: 40, reorderPercent: 5, seed: 8 }],
    ['doubles packets and strays in strangers', { duplicatePercent: 20, strayPercent: 5, seed: 9 }],
  ])('%s, and the customer is served all the same', async (_, impairments) => {
    const { phone, error } = await askBalance({ impairments });
    expect(error).toBeUndefined();
    const call = await recordedCall(connector, phone.sipCallId);
    expect(heardFromBot(call)).toMatch(/one thousand two hundred/i);
    expect(phone.report().pacing.sequenceGaps).toBe(0);
  });
});

describe.concurrent('a caller who hangs up', () => {
  it.each([
    ['while it rings', 0],
    ['in the greeting', 300],
    ['right after the greeting', 2500],
  ])('%s leaves no call behind', async (_, afterMs) => {
    const phone = await Phone.open({ voiceBox });
    try {
      phone.startDialing(bank());
      if (afterMs === 0) phone.cancel();
      else {
        await phone.waitForAnswer();
        await phone.pause(afterMs);
        await phone.hangup();
      }
      const call = await recordedCall(connector, phone.sipCallId);
      expect(['COMPLETED', 'INTERRUPTED']).toContain(call.status);
      expect(['caller-hangup', 'caller-cancelled']).toContain(call.endCause);
    } finally {
      await phone.close();
    }
  });

  it.each([200, 900, 1600, 2600, 3400])(
    '%i ms into a request for a change leaves the ledger whole',
    async (afterMs) => {
      const phone = await Phone.open({ voiceBox, from: '+15550100' });
      try {
        await phone.prepare(['what is my balance']);
        await phone.dial(bank());
        await phone.waitForReply();
        const said = phone.say('what is my balance').catch(() => undefined);
        await phone.pause(afterMs);
        await phone.hangup();
        await said;
        const call = await recordedCall(connector, phone.sipCallId);
        expect(call).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
        expect(call.transactions.every((t) => t.outcome !== 'PENDING')).toBe(true);
      } finally {
        await phone.close();
      }
    },
  );
});

describe.concurrent('a caller on hold', () => {
  it('comes back and is still served', async () => {
    const phone = await Phone.open({ voiceBox, from: '+15550100' });
    try {
      await phone.prepare(['what is my balance']);
      await phone.dial(bank());
      await phone.waitForReply();
      expect((await phone.hold()).status).toBe(200);
      await phone.pause(500);
      expect((await phone.resume()).status).toBe(200);
      await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
      await phone.hangup();
      expect(transcript(await recordedCall(connector, phone.sipCallId)).at(-1)).toMatch(/PIN/);
    } finally {
      await phone.close();
    }
  });
});

describe.concurrent('an INVITE without an offer', () => {
  it('gets ours in the 200, and the call works', async () => {
    const { phone, error } = await askBalance({ delayedOffer: true });
    expect(error).toBeUndefined();
    expect(heardFromBot(await recordedCall(connector, phone.sipCallId))).toMatch(/one thousand two hundred/i);
  });
});

describe('twenty customers at once', () => {
  it('are all served, each with a transcript of their own', async () => {
    // People do not phone in step: one more every 300 ms, all of them on the line at the same time.
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 300));
        return askBalance({});
      }),
    );
    expect(results.map(({ error }) => error).filter(Boolean)).toEqual([]);
    for (const { phone } of results) {
      const call = await recordedCall(connector, phone.sipCallId);
      expect(call).toMatchObject({ status: 'COMPLETED', endCause: 'caller-hangup' });
      expect(heardFromBot(call)).toMatch(/one thousand two hundred/i);
      expect(
        call.transactions.filter((t) => t.transactionType === 'BALANCE_CHECK' && t.outcome === 'POSTED'),
      ).toHaveLength(1);
    }
  });
});
