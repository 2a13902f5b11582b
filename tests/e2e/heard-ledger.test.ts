import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { Listener } from '../speech/support/listener.ts';
import { type RecordedCall, recordedCall, recordingOf } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Phone } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { channelOf, readWav } from '../support/phone/wav.ts';
import { isAskedForProof, sayUntilUnderstood } from './customers.ts';

// What staff read is what the caller heard: a recogniser listens to both recordings, ours and the caller's own, and
// tells at which word the bot stopped.

let connector: Connector;
let recognizer: SoundswallowerRecognizer;
const voiceBox = new VoiceBox();
beforeAll(async () => {
  connector = await startConnector();
  recognizer = await SoundswallowerRecognizer.start({ workers: 1, decodersPerWorker: 3, log: silentLogger });
});
afterAll(async () => {
  await Promise.all([connector.stop(), recognizer.close(), voiceBox.close()]);
});

const REQUEST = 'what are my last five transactions';

interface Heard {
  call: RecordedCall;
  /** The caller's own recording of the bot. */
  tape: Int16Array;
}

const isList = ({ text }: RecordedCall['utterances'][number]) => text.startsWith('Here they are');

/**
 * A customer to whom the list of transactions is being read; what they do then cuts it. A machine without time may hear
 * neither what they want nor their "stop", so they call again, as people do: this is about what was heard by then.
 */
async function whoHearsAList(then: (phone: Phone) => Promise<void>): Promise<Heard> {
  for (let calls = 1; ; calls++) {
    const heard = await callForAList(then);
    if (calls === 3 || heard.call.utterances.some((said) => isList(said) && said.interrupted)) return heard;
  }
}

async function callForAList(then: (phone: Phone) => Promise<void>): Promise<Heard> {
  const phone = await Phone.open({ voiceBox, from: '+15550100', record: true });
  try {
    await phone.prepare([REQUEST, 'stop']);
    await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
    await phone.waitForReply();
    await sayUntilUnderstood(connector, phone, REQUEST, { understood: isAskedForProof });
    await phone.press('2580');
    await then(phone);
    await phone.hangup();
    return { call: await recordedCall(connector, phone.sipCallId), tape: phone.heard() };
  } finally {
    await phone.close();
  }
}

const interruptedAfter = (afterMs: number) =>
  whoHearsAList(async (phone) => {
    await phone.interrupt('stop', { afterMs });
    await phone.waitForReply();
  });

const hungUpAfter = (afterMs: number) =>
  whoHearsAList(async (phone) => {
    await phone.waitForSpeech();
    await phone.pause(afterMs);
  });

/** Samples. */
const [WINDOW, AROUND] = [80, 800];
/** No words run into each other across so many windows of silence. */
const BETWEEN = 4;

/**
 * The sound of each of these, from one silence between two of them to the next. The transcript says about when one ended
 * and the other began: a "stop" that was believed late is answered a tenth of a second after the bot has fallen silent,
 * and a starved machine speaks with gaps of its own, so how long a silence is tells nothing.
 */
function soundOf(pcm: Int16Array, said: RecordedCall['utterances']): Int16Array[] {
  const isLoud = (at: number) => pcm.subarray(at, at + WINDOW).some((sample) => Math.abs(sample) > 200);
  const windows = Array.from({ length: Math.floor(pcm.length / WINDOW) }, (_, n) => isLoud(n * WINDOW));
  const isQuiet = (n: number) => !windows.slice(Math.max(0, n), n + BETWEEN).includes(true);
  const first = windows.indexOf(true) * WINDOW;
  const placeOf = (time: string) => first + (Date.parse(time) - Date.parse(said[0]!.startedAt)) * 8;
  const borders = said.slice(1).map(({ startedAt }, n) => {
    const middle = (placeOf(said[n]!.endedAt ?? startedAt) + placeOf(startedAt)) / 2;
    const wanted = Math.round(middle / WINDOW) - BETWEEN / 2;
    for (let off = 0; off < windows.length; off++) {
      const found = [wanted - off, wanted + off].find(isQuiet);
      if (found !== undefined) return (found + BETWEEN / 2) * WINDOW;
    }
    return middle;
  });
  return said.map((_, n) => {
    const [from, to] = [borders[n - 1] ?? 0, borders[n] ?? pcm.length];
    const loud = windows.flatMap((yes, at) => (yes && at * WINDOW >= from && at * WINDOW < to ? [at * WINDOW] : []));
    if (loud.length === 0) return new Int16Array(0);
    return pcm.slice(Math.max(from, loud[0]! - AROUND), Math.min(to, loud.at(-1)! + WINDOW + AROUND));
  });
}

const wordsOf = (text: string) => text.toLowerCase().match(/[a-z']+/g) ?? [];

/** How many of the words of `text` can be heard, from the first on. */
async function wordsHeard(pcm: Int16Array, text: string): Promise<number> {
  const rest = wordsOf(text).reduceRight((tail, word) => (tail === '' ? word : `${word} [ ${tail} ]`), '');
  const listener = new Listener(recognizer, {
    key: text,
    secret: false,
    jsgf: `#JSGF V1.0;\ngrammar prefix;\npublic <s> = ${rest};\n`,
  });
  try {
    return wordsOf((await listener.hears(pcm)).text).length;
  } finally {
    listener.stream.close();
  }
}

/** The list was cut: in our recording and in the caller's it ends at the word that the transcript says. */
async function expectExact({ call, tape }: Heard): Promise<void> {
  const said = call.utterances.filter((u) => u.speaker === 'assistant' && u.heard !== '');
  const cut = said.find((u) => isList(u) && u.interrupted);
  if (cut === undefined) throw new Error(`no list was cut: ${JSON.stringify(said)}`);
  expect(cut.text.startsWith(cut.heard)).toBe(true);
  const ours = channelOf(readWav(await recordingOf(connector, call)), 1);
  for (const recording of [ours, tape]) {
    const heard = soundOf(recording, said);
    for (const { length } of heard) expect(length, JSON.stringify(said)).toBeGreaterThan(0);
    // The one before was heard whole, unless somebody was quick with the keys.
    for (const n of [said.indexOf(cut), said.indexOf(cut) - 1]) {
      const counted = await wordsHeard(heard[n]!, said[n]!.text);
      const shown = `${counted} words ${recording === ours ? 'in our recording' : 'for the caller'}: ${JSON.stringify(said[n])}`;
      // A word of which half was said is heard to one listener and not to the other.
      expect(Math.abs(counted - wordsOf(said[n]!.heard).length), shown).toBeLessThanOrEqual(1);
    }
  }
}

describe.concurrent('the heard ledger', () => {
  it.each([900, 2300, 4000])('is exact to the word when the caller stops the bot after %i ms', async (afterMs) => {
    await expectExact(await interruptedAfter(afterMs));
  });

  it('is exact to the word when the caller hangs up in the middle', async () => {
    await expectExact(await hungUpAfter(2600));
  });
});
