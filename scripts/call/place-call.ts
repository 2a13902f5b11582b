import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { asFailure, codeOf, Failure } from '../../src/core/errors.ts';
import { DialRefused } from '../../tests/support/phone/failures.ts';
import { Phone, type PhoneReport } from '../../tests/support/phone/phone.ts';
import { addressOf } from '../../tests/support/phone/sip-dialog.ts';
import { VoiceBox } from '../../tests/support/phone/voice.ts';
import { ConnectorApi } from './api.ts';
import type { LiveView } from './live-view.ts';
import type { CallOptions } from './options.ts';
import { ScriptFailed, ScriptRunner } from './runner.ts';
import { linesOf, needsTranscript } from './script.ts';
import { type HeardUtterance, type SeenSession, type SeenTransaction, Transcripts } from './transcript.ts';

const ANSWER_WITHIN_MS = 15_000;

export interface CallResult {
  /** The first thing that went wrong; undefined when all went as expected. */
  readonly failure: string | undefined;
  readonly connected: boolean;
  readonly sipCallId: string;
  readonly session: SeenSession | undefined;
  readonly report: PhoneReport;
  readonly utterances: readonly HeardUtterance[];
  readonly transactions: readonly SeenTransaction[];
  readonly trace: readonly string[];
}

/** Makes the call of the options from first to last, and frees everything, also what a call that does not come about had opened. */
export async function placeCall(
  options: CallOptions,
  view: LiveView | undefined,
  stop: AbortSignal,
): Promise<CallResult> {
  const voiceBox = new VoiceBox();
  let transcripts: Transcripts | undefined;
  let phone: Phone | undefined;
  const hangup = () => void phone?.hangup().catch(() => {});
  stop.addEventListener('abort', hangup, { once: true });
  try {
    phone = await Phone.open({
      host: options.host ?? (await localAddressTowards(options.to)),
      transport: options.transport,
      from: options.from,
      voice: options.voice,
      voiceBox,
      record: options.save !== undefined,
      observer: view,
    }).catch((error: unknown) => {
      if (options.host === undefined || codeOf(error) === undefined) throw error;
      const problem = `--host: ${options.host} cannot be used (${codeOf(error)})`;
      throw new Failure(problem, { code: 'bad-use', blame: 'caller', cause: error });
    });
    transcripts = await openTranscripts(options, view);
    return await converse(phone, transcripts, options, view, stop);
  } finally {
    stop.removeEventListener('abort', hangup);
    await phone?.close();
    await transcripts?.close();
    await voiceBox.close();
  }
}

async function converse(
  phone: Phone,
  transcripts: Transcripts | undefined,
  options: CallOptions,
  view: LiveView | undefined,
  stop: AbortSignal,
): Promise<CallResult> {
  let connected = false;
  let failure: string | undefined;
  await phone.prepare(linesOf(options.script.steps));
  view?.note(`dialling ${options.to} from ${options.from} over ${options.transport}`);
  phone.startDialing(options.to);
  const transcript = transcripts?.follow(phone.sipCallId, (row, before) => view?.utterance(row, before));
  try {
    await phone.waitForAnswer(ANSWER_WITHIN_MS);
    connected = true;
    const runner = new ScriptRunner({
      phone,
      transcript,
      onExpectation: (description, met) => view?.expectation(description, met),
      resolvePath: (path) => (isAbsolute(path) ? path : join(options.folder, path)),
    });
    await runner.run(options.script.steps);
  } catch (error) {
    failure = stop.aborted ? 'stopped' : describe(error, options);
  }
  await phone.hangup().catch(() => {});
  const transactions = connected ? await lastLook(transcript) : [];
  if (options.save !== undefined && connected) await writeFile(options.save, phone.recording());
  return {
    failure,
    connected,
    sipCallId: phone.sipCallId,
    session: transcript?.session,
    report: phone.report(),
    utterances: transcript?.utterances ?? [],
    transactions,
    trace: phone.endpoint.trace.map((entry) => `${entry.direction === 'in' ? '<--' : '-->'}\n${entry.text}`),
  };
}

async function openTranscripts(options: CallOptions, view: LiveView | undefined): Promise<Transcripts | undefined> {
  if (options.api === undefined) return undefined;
  try {
    return await Transcripts.open(new ConnectorApi(options.api, options.token));
  } catch (error) {
    const failure = asFailure(error);
    const why = failure.code === 'api-token' ? `${options.api} refuses the token (see --token)` : failure.message;
    const loss = needsTranscript(options.script.steps) ? '; expectations in words will fail' : '';
    view?.note(`${why}: showing sound and latencies only${loss}`);
    return undefined;
  }
}

/** The end of a call reaches the archive a moment after the BYE. */
async function lastLook(
  transcript: ReturnType<Transcripts['follow']> | undefined,
): Promise<readonly SeenTransaction[]> {
  if (!transcript) return [];
  await new Promise((resolve) => setTimeout(resolve, 300));
  return transcript.refresh().catch(() => []);
}

function describe(error: unknown, options: CallOptions): string {
  if (error instanceof ScriptFailed) return error.message;
  if (error instanceof DialRefused) return error.message;
  const failure = asFailure(error);
  if (failure.code === 'far-end-silent') return `${options.to} does not answer: is the connector running (npm start)?`;
  return failure.message;
}

/** The address this machine uses towards the far end: what belongs into Via and SDP. @throws Failure no-address */
async function localAddressTowards(uri: string): Promise<string> {
  const { address: host, port } = addressOf(uri);
  const { address, family } = await lookup(host).catch((error: unknown) => {
    throw new Failure(`${host} has no address (${codeOf(error)})`, { code: 'no-address', blame: 'network' });
  });
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, resolve);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
