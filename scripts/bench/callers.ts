import { DialRefused } from '../../tests/support/phone/failures.ts';
import { Phone, type PhoneReport } from '../../tests/support/phone/phone.ts';
import { VOICES, type VoiceBox, type VoiceName } from '../../tests/support/phone/voice.ts';
import type { BenchConnector } from './connector.ts';

/** What a caller asks, once verified: each is one turn with a short answer. */
export const REQUESTS = [
  'what is my current account balance',
  'where is my credit card',
  'what is my savings account balance',
  'has my credit card been shipped yet',
  'how much is in my savings account',
] as const;

export const LONG_REQUEST = 'what are my last five transactions';
const FIRST_REQUEST = 'where is my credit card';
const REPLY_WITHIN_MS = 8000;
const SILENCE_MS = 900;

/** Voices other than the bot's. */
const CALLER_VOICES: readonly VoiceName[] = VOICES.filter((voice) => voice !== 'slt');

export interface CallersOptions {
  readonly connector: BenchConnector;
  readonly voiceBox: VoiceBox;
  readonly signal: AbortSignal;
}

/** A phone of the bench; which voice it has depends on its number. */
export function openPhone({ voiceBox }: CallersOptions, index: number): Promise<Phone> {
  return Phone.open({ voiceBox, voice: CALLER_VOICES[index % CALLER_VOICES.length]! });
}

/** Everything the callers say, made before anything is measured. */
export async function rehearse(voiceBox: VoiceBox): Promise<void> {
  for (const voice of CALLER_VOICES) {
    await voiceBox.prepare([...REQUESTS, LONG_REQUEST, 'thank you goodbye'], voice);
  }
}

/** What became of a call: its figures, and what cut it short if anything did. */
export interface BenchCall {
  readonly report: PhoneReport;
  readonly problem: string | undefined;
}

/** Dials, does `talk`, hangs up; a conversation that breaks off is reported, not thrown. */
export async function withCall(
  options: CallersOptions,
  index: number,
  talk: (phone: Phone) => Promise<void>,
): Promise<BenchCall> {
  const phone = await openPhone(options, index);
  const hangup = () => void phone.hangup().catch(() => {});
  options.signal.addEventListener('abort', hangup, { once: true });
  let problem: string | undefined;
  try {
    await phone.dial(options.connector.uri);
    await talk(phone);
    await phone.hangup();
  } catch (error) {
    problem = error instanceof DialRefused ? error.message : String(error);
  } finally {
    options.signal.removeEventListener('abort', hangup);
  }
  const report = phone.report();
  await phone.close();
  return { report, problem };
}

/** Hears the greeting, asks, gives the PIN by keypad, hears the answer. */
export async function becomeVerified(phone: Phone): Promise<void> {
  await phone.waitForReply({ silenceMs: SILENCE_MS, timeoutMs: REPLY_WITHIN_MS });
  await phone.say(FIRST_REQUEST);
  await phone.waitForReply({ silenceMs: SILENCE_MS, timeoutMs: REPLY_WITHIN_MS });
  await phone.press('2580');
  await phone.waitForReply({ silenceMs: SILENCE_MS, timeoutMs: REPLY_WITHIN_MS });
}

/** One spoken request and its answer; an answer that never comes is a missed turn and the caller goes on. */
export async function ask(phone: Phone, request: string): Promise<void> {
  await phone.say(request);
  const answered = await phone.waitForSpeech(REPLY_WITHIN_MS).then(
    () => true,
    (error) => {
      if (phone.ended) throw error;
      return false;
    },
  );
  if (answered) await phone.waitForSilence(SILENCE_MS);
}
