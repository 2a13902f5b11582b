import { heardFromBot, type RecordedCall, recordedCall } from '../support/call-record.ts';
import type { Connector } from '../support/connector.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';

/** Of what was said last, something was understood. */
const isUnderstood = ({ utterances }: RecordedCall) =>
  utterances.findLast(({ speaker }) => speaker === 'caller')?.text !== '[unintelligible]';

/** Was it asked who is calling, or for the PIN? */
export const isAskedForProof = ({ utterances }: RecordedCall) =>
  utterances.some(({ speaker, text }) => speaker === 'assistant' && /PIN|customer number/.test(text));

/**
 * Says a line and hears the answer; says it again, as people do, when it was not understood, as on a machine that has no
 * time for the recogniser: three times at most. What a test shows, it shows of the record then.
 */
export async function sayUntilUnderstood(
  connector: Connector,
  phone: Phone,
  line: string,
  { understood = isUnderstood, silenceMs }: { understood?: (call: RecordedCall) => boolean; silenceMs?: number } = {},
): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    await phone.say(line);
    await phone.waitForReply({ silenceMs });
    if (understood(await recordedCall(connector, phone.sipCallId, () => true))) return;
  }
}

/** What a customer says when the bot has said something that matches. */
export type Answers = readonly (readonly [asked: RegExp, line: string])[];

/**
 * Speaks as a person does who wants something: says it, answers what the bot asks for, each as often as it is asked, and is
 * done when `served`. Who is misheard on a machine that has no time is asked again. Nine lines at most; what a test shows, it
 * shows of the record then.
 */
export async function sayUntilServed(
  connector: Connector,
  phone: Phone,
  { wish, answers, served }: { wish: string; answers: Answers; served: RegExp },
): Promise<void> {
  let line = wish;
  for (let lines = 0; lines < 9; lines++) {
    await phone.say(line);
    await phone.waitForReply();
    const call = await recordedCall(connector, phone.sipCallId, () => true);
    if (served.test(heardFromBot(call))) return;
    const asked = call.utterances.findLast(({ speaker }) => speaker === 'assistant')?.text ?? '';
    line = answers.find(([question]) => question.test(asked))?.[1] ?? wish;
  }
}

/** The customers of one test file: they call the bank, ask for their balance and prove who they are by keys. */
export class Customers {
  readonly #voiceBox = new VoiceBox();
  readonly #phones: Phone[] = [];

  async phone(options: PhoneOptions = {}): Promise<Phone> {
    const phone = await Phone.open({ voiceBox: this.#voiceBox, ...options });
    this.#phones.push(phone);
    return phone;
  }

  /** A call up to where the greeting is over. */
  async greeted(connector: Connector): Promise<Phone> {
    const phone = await this.phone({ from: '+15550100' });
    await phone.prepare(['what is my balance']);
    await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
    await phone.waitForReply();
    return phone;
  }

  async askBalance(connector: Connector, phone: Phone): Promise<void> {
    await sayUntilUnderstood(connector, phone, 'what is my balance', { understood: isAskedForProof });
    await phone.press('2580');
    await phone.waitForReply();
  }

  /** Waits until the live transcript shows that the caller has heard this; resolves with all that was heard. */
  async hears(connector: Connector, phone: Phone, what: RegExp): Promise<string> {
    const heard = (call: RecordedCall) => what.test(heardFromBot(call));
    return heardFromBot(await recordedCall(connector, phone.sipCallId, heard));
  }

  /** Lays all telephones down. */
  async leave(): Promise<void> {
    for (const phone of this.#phones.splice(0)) await phone.close();
  }

  async close(): Promise<void> {
    await this.leave();
    await this.#voiceBox.close();
  }
}
