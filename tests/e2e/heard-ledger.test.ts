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

/** A customer to whom the list of transactions is being read; what they do then is theirs. */
async function whoHearsAList(then: (phone: Phone) => Promise<void>): Promise<Heard> {
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

/** Whose "stop" a machine without time has not heard phones again: this is about what was heard by then. */
async function interruptedAfter(afterMs: number): Promise<Heard> {
  for (let tries = 0; ; tries++) {
    const heard = await whoHearsAList(async (phone) => {
      await phone.interrupt('stop', { afterMs });
      await phone.waitForReply();
    });
    if (tries === 2 || heard.call.utterances.some(({ interrupted }) => interrupted)) return heard;
  }
}

const hungUpAfter = (afterMs: number) =>
  whoHearsAList(async (phone) => {
    await phone.waitForSpeech();
    await phone.pause(afterMs);
  });

interface Spell {
  /** Samples. */
  from: number;
  to: number;
}

/** Where the bot sounds: pieces that are 0.32 s of silence apart. */
function spells(pcm: Int16Array): Spell[] {
  const found: Spell[] = [];
  const [window, apart] = [80, 32];
  let from = -1;
  let quiet = 0;
  for (let at = 0; at <= pcm.length; at += window) {
    const loud = pcm.subarray(at, at + window).some((sample) => Math.abs(sample) > 200);
    quiet = loud ? 0 : quiet + 1;
    if (loud && from < 0) from = at;
    if (from >= 0 && (quiet === apart || at + window > pcm.length)) {
      found.push({ from, to: at - quiet * window });
      from = -1;
    }
  }
  return found;
}

/**
 * The sound of each of these, from its beginning to its end, everything between included: a spell belongs to the
 * utterance that had begun then. On a starved machine one comes in several spells.
 */
function soundOf(pcm: Int16Array, said: RecordedCall['utterances']): Int16Array[] {
  const [around, early] = [800, 2400];
  const all = spells(pcm);
  const begins = said.map(({ startedAt }) => (Date.parse(startedAt) - Date.parse(said[0]!.startedAt)) * 8);
  const owner = ({ from }: Spell) => begins.findLastIndex((begin) => begin <= from - all[0]!.from + early);
  return said.map((_, n) => {
    const its = all.filter((spell) => owner(spell) === n);
    return pcm.slice(Math.max(0, (its[0]?.from ?? 0) - around), (its.at(-1)?.to ?? -around) + around);
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

/** One utterance was cut: in our recording and in the caller's it ends at the word that the transcript says. */
async function expectExact({ call, tape }: Heard): Promise<void> {
  const said = call.utterances.filter((u) => u.speaker === 'assistant' && u.heard !== '');
  const cut = said.find((u) => u.interrupted)!;
  expect(cut.text.startsWith(cut.heard)).toBe(true);
  const ours = channelOf(readWav(await recordingOf(connector, call)), 1);
  for (const recording of [ours, tape]) {
    const heard = soundOf(recording, said);
    for (const { length } of heard) expect(length, JSON.stringify(said)).toBeGreaterThan(0);
    const counted = await wordsHeard(heard[said.indexOf(cut)]!, cut.text);
    // A word of which half was said is heard to one listener and not to the other.
    expect(Math.abs(counted - wordsOf(cut.heard).length)).toBeLessThanOrEqual(1);
    const whole = said.findIndex((u) => u.text.startsWith('I recognise'));
    expect(await wordsHeard(heard[whole]!, said[whole]!.text)).toBe(wordsOf(said[whole]!.text).length);
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
