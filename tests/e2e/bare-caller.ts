import { type BaresipCall, callByBaresip } from '../support/baresip.ts';
import { heardFromBot, newestCallFrom, type RecordedCall } from '../support/call-record.ts';
import type { Connector } from '../support/connector.ts';
import { VoiceBox } from '../support/phone/voice.ts';

const QUESTION_AT_S = 5;
const PATIENCE_S = 30;

/**
 * A customer of the bank whose telephone is baresip: hears the greeting, asks for the balance after five seconds, and hangs
 * up when asked who is calling or for the PIN. Resolves with what baresip printed, and how to read the record of the call.
 */
export async function asksForBalance(
  connector: Connector,
  call: Omit<BaresipCall, 'microphone' | 'until'>,
): Promise<{ output: string; read: () => Promise<RecordedCall> }> {
  const voices = new VoiceBox();
  const question = await voices.speak('what is my balance', 'rms');
  await voices.close();
  const microphone = new Int16Array(8000 * PATIENCE_S);
  microphone.set(question, 8000 * QUESTION_AT_S);
  const record = () => newestCallFrom(connector, call.from);
  const until = async () => {
    const so = await record();
    return so !== undefined && /PIN|customer number/.test(heardFromBot(so));
  };
  const output = await callByBaresip({ ...call, microphone, until });
  return { output, read: async () => (await record())! };
}
