import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heardFromBot, type RecordedCall, recordedCall, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { sayUntilUnderstood } from './customers.ts';

let connector: Connector;
const voiceBox = new VoiceBox();
beforeAll(async () => {
  connector = await startConnector();
});
afterAll(async () => {
  expect(await connector.stop()).toBe(0);
  await voiceBox.close();
});

/** A call in which these lines are said, or keyed where they begin with "#", each after the bot has spoken. */
async function converse(from: string, lines: readonly string[]): Promise<RecordedCall> {
  const phone = await Phone.open({ voiceBox, voice: 'rms', from });
  try {
    await phone.prepare(lines.filter((line) => !line.startsWith('#')));
    await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
    await phone.waitForReply();
    for (const line of lines) {
      // A question that comes back follows within a breath.
      const silenceMs = 1200;
      if (line.startsWith('#')) {
        await phone.press(line.slice(1));
        await phone.waitForReply({ silenceMs });
      } else await sayUntilUnderstood(connector, phone, line, { silenceMs });
    }
    await phone.hangup();
    return await recordedCall(connector, phone.sipCallId);
  } finally {
    await phone.close();
  }
}

const made = (call: RecordedCall) => call.transactions.map((row) => [row.transactionType, row.outcome]);
const order = (call: RecordedCall, types: readonly string[]) =>
  made(call).flatMap(([type]) => (types.includes(type!) ? [type] : []));

// Three customers at the same time: what they wait for is people's speech, not each other.
describe.concurrent('a customer with several matters', () => {
  it('asks for two things in one breath: verified once, both are done, in order', async () => {
    const call = await converse('+15550100', ['where is my credit card and what is my balance', '#2580']);
    expect(order(call, ['CARD_INQUIRY', 'BALANCE_CHECK']), transcript(call).join('\n')).toEqual([
      'CARD_INQUIRY',
      'BALANCE_CHECK',
    ]);
    expect(made(call).filter(([type]) => type === 'VERIFY')).toHaveLength(1);
    expect(heardFromBot(call)).toMatch(/tracking number.*one thousand two hundred/i);
  });

  it('asks something while a card waits to be blocked: that is answered, and the question put again', async () => {
    const call = await converse('+15550187', ['block my debit card', '#7719', 'what is my balance', '#1']);
    expect(order(call, ['CARD_BLOCK', 'BALANCE_CHECK']), transcript(call).join('\n')).toEqual([
      'BALANCE_CHECK',
      'CARD_BLOCK',
    ]);
    expect(heardFromBot(call).match(/shall i block/gi)).toHaveLength(2);
  });

  it('asks for something else instead of giving the PIN: it costs no attempt, and both are answered in the end', async () => {
    const call = await converse('+15550142', ['what is my balance', 'where is my debit card', 'one three nine seven']);
    expect(order(call, ['CARD_INQUIRY', 'BALANCE_CHECK']), transcript(call).join('\n')).toEqual([
      'CARD_INQUIRY',
      'BALANCE_CHECK',
    ]);
    expect(made(call).filter(([type]) => type === 'VERIFY')).toEqual([['VERIFY', 'POSTED']]);
    expect(JSON.stringify(call)).not.toMatch(/(?<![\da-f])1397(?![\da-f])|one three nine seven/);
  });
});
