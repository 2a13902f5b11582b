import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LaterTranscript, type LaterTranscriptOptions } from '../../src/call/record/later-transcript.ts';
import type { RecordingRecord, Speaker, UtteranceRecord } from '../../src/call/record/records.ts';
import { Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { encodeRecording, OPUS_CHUNK_BYTES } from '../../src/media/recording/opus-file.ts';
import { newSeal, sealWhole } from '../../src/media/recording/sealed-file.ts';
import { MoonshineTranscriber } from '../../src/speech/moonshine/moonshine-transcriber.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { BANKING } from '../speech/support/listener.ts';
import { Caller } from '../speech/support/telephone.ts';
import { openTestDatabase } from '../store/support/database.ts';
import { aSession } from '../store/support/rows.ts';
import { FREE_SPEECH_MODEL, hasFreeSpeechModel } from '../support/free-speech-model.ts';

const db = openTestDatabase();
const RING = new KeyRing([{ id: 'k1', key: new Uint8Array(32).fill(7) }]);
const WITHOUT = '[not transcribed]';
const LENGTH_MS = 17_000;

/** What stands in a call's record, and what is said in its recording there. */
interface Said {
  speaker: Speaker;
  says: string | undefined;
  /** ms */
  at: number;
  text: string;
  source?: string;
  /** Of the recogniser. Default 0.6. */
  confidence?: number;
}

const [CALLER, AGENT, SECRET] = ['where is my new credit card', 'what is my balance', 'my pin is one two three four'];
/** Three lines that nobody had time for, one of which there is nothing, and one with words. */
const UNHEARD: Said[] = [
  { speaker: 'caller', says: CALLER, at: 1000, text: WITHOUT },
  { speaker: 'agent', says: AGENT, at: 5000, text: WITHOUT },
  { speaker: 'agent', says: undefined, at: 7000, text: 'one moment please' },
  { speaker: 'caller', says: SECRET, at: 9000, text: WITHOUT },
  // Nothing was recorded there: nobody knows what was said.
  { speaker: 'caller', says: undefined, at: 14_000, text: WITHOUT },
];

const DOOR = 'there is somebody at the door';
/** What two people say to each other, as the recogniser for a bank's customers took it down. */
const TALK: Said[] = [
  { speaker: 'caller', says: DOOR, at: 500, text: '[unintelligible]' },
  { speaker: 'agent', says: 'that was a mistake on our side and i am sorry', at: 3500, text: 'i need a mortgage' },
  { speaker: 'caller', says: CALLER, at: 6500, text: WITHOUT },
  { speaker: 'agent', says: 'what is the security code on your card', at: 9500, text: '[unintelligible]' },
  { speaker: 'caller', says: 'one two three four', at: 12_500, text: '[unintelligible]' },
  { speaker: 'agent', says: undefined, at: 15_000, text: 'cancel' },
].map((said) => ({ ...said, speaker: said.speaker as Speaker, source: 'overheard' }));

let dataDir: string;
let recognizer: SoundswallowerRecognizer;
let recordings: Recordings;
const sounds = new Map<string, Int16Array>();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'later-transcript-'));
  recordings = new Recordings({ dataDir, keys: RING, delaySeconds: 6, log: silentLogger });
  recognizer = await SoundswallowerRecognizer.start({ workers: 1, recordWorkers: 1, log: silentLogger });
  const [one, other] = await Promise.all([Caller.start('rms'), Caller.start('slt')]);
  for (const { speaker, says } of [...UNHEARD, ...TALK]) {
    if (says !== undefined) sounds.set(says, await (speaker === 'caller' ? one : other).says(says));
  }
  await Promise.all([one.close(), other.close()]);
});
afterAll(async () => {
  await recognizer.close();
  await rm(dataDir, { recursive: true });
});

/** Left the caller, right the agent. */
function soundOf(talk: readonly Said[]): Buffer {
  const pcm = Buffer.alloc(LENGTH_MS * 32);
  for (const { speaker, says, at } of talk) {
    for (const [i, sample] of (sounds.get(says ?? '') ?? []).entries()) {
      pcm.writeInt16LE(sample, (at * 8 + i) * 4 + (speaker === 'caller' ? 0 : 2));
    }
  }
  return pcm;
}

/** A call that ended a minute ago, with its recording and what stands in its record. */
async function recordedCall(store: Awaited<ReturnType<typeof db.store>>, format: 'wav' | 'ogg', talk = UNHEARD) {
  const began = new Date(Date.now() - 60_000);
  const session = aSession({ callStartTime: new Date(began.getTime() - 900), answerTime: began });
  const { sessionId } = session;
  const wav = recordings.pathOf(session);
  const path = format === 'wav' ? wav : wav.replace('.wav', '.ogg');
  const pcm = soundOf(talk);
  await mkdir(join(dataDir, dirname(wav)), { recursive: true });
  await writeFile(join(dataDir, wav), sealWhole(newSeal(RING, 'pcm', 32_000), pcm));
  if (format === 'ogg') {
    await encodeRecording(join(dataDir, wav), join(dataDir, path), RING, newSeal(RING, 'ogg', OPUS_CHUNK_BYTES));
    await rm(join(dataDir, wav));
  }
  store.journal.append({ kind: 'session', row: session });
  for (const [i, { speaker, says, at, text, source = 'speech', confidence = 0.6 }] of talk.entries()) {
    const ms = says === undefined ? 1500 : sounds.get(says)!.length / 8;
    const row: UtteranceRecord = {
      utteranceId: randomUUID(),
      sessionId,
      sequence: i + 1,
      speaker,
      ...{ text, heard: text, interrupted: false, confidence, source },
      startedAt: new Date(began.getTime() + at + 300),
      endedAt: new Date(began.getTime() + at + ms - 150),
    };
    store.journal.append({ kind: 'utterance', row });
  }
  const row: RecordingRecord = {
    recordingId: randomUUID(),
    sessionId,
    path,
    format,
    channels: 2,
    durationMs: LENGTH_MS,
    bytes: 44 + pcm.length,
    createdAt: began,
  };
  store.journal.append({ kind: 'recording', row });
  const over = { status: 'COMPLETED', endCause: 'caller-hangup', callEndTime: new Date() } as const;
  store.journal.append({ kind: 'session', row: { ...session, ...over } });
  await store.journal.flush();
  return sessionId;
}

async function opened() {
  const store = await db.store(db.tenant());
  const texts = async (sessionId: string) =>
    (await store.archive.get(sessionId))!.utterances.map(({ text, source }) => `${source}: ${text}`);
  const told: UtteranceRecord[] = [];
  const options: LaterTranscriptOptions = {
    lines: store.untranscribed,
    recognizer,
    transcriber: undefined,
    hintsFor: () => HINTS,
    speech: (...what) => recordings.speech(...what),
    onWords: (line) => told.push(line),
    isActive: () => false,
    busy: async () => false,
    log: silentLogger,
    againMs: 20,
  };
  return { store, texts, options, told };
}

/** As BANKING is, and a sentence with a secret. */
const HINTS = {
  key: 'later-transcript',
  jsgf: BANKING.jsgf.replace(/public <\w+> = /, (rule) => `${rule}my pin is one two three four | `),
  secret: false,
  unhurried: true,
};

const WORDS = [
  `recording: ${CALLER}`,
  `recording: ${AGENT}`,
  'speech: one moment please',
  'recording: my pin is [pin, not shown]',
  // Nothing was recorded there: nobody knows what was said.
  `speech: ${WITHOUT}`,
];

it.each(['wav', 'ogg'] as const)(
  'a sentence nobody had time for has its words when the call is over, from the recording (%s), without its secrets',
  async (format) => {
    const { store, texts, options, told } = await opened();
    const sessionId = await recordedCall(store, format);
    const stop = new AbortController();
    // The call is one of a run before: the database knows of it.
    const transcript = new LaterTranscript(options);
    const running = transcript.run(stop.signal);
    await expect.poll(() => texts(sessionId), { timeout: 60_000 }).toEqual(WORDS);
    await expect.poll(() => transcript.stats).toEqual({ calls: 0, lines: 3, failed: 1 });
    // Who has the call's page open sees them come.
    const { utterances } = (await store.archive.get(sessionId))!;
    expect(told).toEqual(utterances.filter(({ source }) => source === 'recording'));
    stop.abort();
    await running;
  },
);

it('of two calls is listened to side by side where there are threads for two', async () => {
  const { store, texts, options } = await opened();
  const calls = [await recordedCall(store, 'wav'), await recordedCall(store, 'wav')];
  const asked = new Set<string>();
  const both = Promise.withResolvers<void>();
  const stop = new AbortController();
  const transcript = new LaterTranscript({
    ...options,
    atOnce: 2,
    speech: async (recording, ...rest) => {
      asked.add(recording.sessionId);
      if (asked.size === calls.length) both.resolve();
      // One after the other, the first would wait here for ever.
      await both.promise;
      return recordings.speech(recording, ...rest);
    },
  });
  const running = transcript.run(stop.signal);
  for (const call of calls) await expect.poll(() => texts(call), { timeout: 60_000 }).toEqual(WORDS);
  stop.abort();
  await running;
});

it('waits while the call goes on, and while what is said in others waits; a stop loses nothing', async () => {
  const { store, texts, options } = await opened();
  let active = true;
  let busy = true;
  const sessionId = await recordedCall(store, 'wav');
  const before = await texts(sessionId);
  const asked: string[] = [];
  const run = async (until: () => Promise<void>) => {
    const stop = new AbortController();
    const transcript = new LaterTranscript({
      ...options,
      isActive: () => active,
      busy: async () => {
        asked.push('busy');
        return busy;
      },
    });
    transcript.add({ sessionId, text: WITHOUT });
    const running = transcript.run(stop.signal);
    await until();
    stop.abort();
    await running;
  };
  await run(() => new Promise((resolve) => setTimeout(resolve, 200)));
  expect(asked).toEqual([]);
  active = false;
  await run(() => expect.poll(() => asked.length).toBeGreaterThan(2));
  expect(await texts(sessionId)).toEqual(before);
  busy = false;
  await run(() => expect.poll(() => texts(sessionId), { timeout: 60_000 }).toEqual(WORDS));
});

it('is tried again when the database was away, and leaves a line alone that has its words by then', async () => {
  const { store, texts, options } = await opened();
  const sessionId = await recordedCall(store, 'wav');
  const [first] = await store.untranscribed.ofCall(sessionId, 'without words');
  let failures = 2;
  const stop = new AbortController();
  const lines: LaterTranscriptOptions['lines'] = {
    calls: async () => [],
    ofCall: async (...what) => {
      if (failures-- > 0) throw new Error('away');
      return store.untranscribed.ofCall(...what);
    },
    transcribed: async (id, words) => {
      const byHand = { text: 'by hand', confidence: 1, source: 'recording' } as const;
      if (id === first!.utteranceId) await store.untranscribed.transcribed(id, byHand);
      return store.untranscribed.transcribed(id, words);
    },
  };
  const transcript = new LaterTranscript({ ...options, lines });
  transcript.add({ sessionId, text: WITHOUT });
  const running = transcript.run(stop.signal);
  await expect.poll(() => texts(sessionId), { timeout: 60_000 }).toEqual(['recording: by hand', ...WORDS.slice(1)]);
  stop.abort();
  await running;
});

describe('what people said to each other', () => {
  it('stays as it was understood at once where nobody knows more than the grammar', async () => {
    const { store, texts, options } = await opened();
    const sessionId = await recordedCall(store, 'wav', TALK);
    const stop = new AbortController();
    const transcript = new LaterTranscript(options);
    transcript.add({ sessionId, text: 'i need a mortgage' });
    expect(transcript.stats.calls).toBe(0);
    const running = transcript.run(stop.signal);
    const words = TALK.map(({ text }) => (text === WITHOUT ? `recording: ${CALLER}` : `overheard: ${text}`));
    await expect.poll(() => texts(sessionId), { timeout: 60_000 }).toEqual(words);
    await expect.poll(() => transcript.stats).toEqual({ calls: 0, lines: 1, failed: 0 });
    stop.abort();
    await running;
  });

  describe.skipIf(!hasFreeSpeechModel)('has its words when the call is over', () => {
    const transcriber = new MoonshineTranscriber({ folder: FREE_SPEECH_MODEL, log: silentLogger });
    afterAll(() => transcriber.close());

    const FREE = [
      `recording: ${DOOR}`,
      'recording: that was a mistake on our side and i am sorry',
      `recording: ${CALLER}`,
      'recording: what is the security code on your card',
      'recording: [security code, not shown]',
      // Nothing was recorded there: what was understood at once is all there is.
      'speech: cancel',
    ];

    it.each(['wav', 'ogg'] as const)(
      'whatever it was, and a secret that was asked for is not shown (%s)',
      async (format) => {
        const { store, texts, options, told } = await opened();
        const sessionId = await recordedCall(store, format, TALK);
        const run = async (done: (transcript: LaterTranscript) => Promise<void>) => {
          const stop = new AbortController();
          const transcript = new LaterTranscript({ ...options, transcriber });
          const running = transcript.run(stop.signal);
          await done(transcript);
          stop.abort();
          await running;
          return transcript.stats;
        };
        // A stop in the middle loses nothing.
        await run(() => expect.poll(() => told.length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0));
        await run(() => expect.poll(() => texts(sessionId), { timeout: 60_000 }).toEqual(FREE));
        // Each is listened to once: the next start finds nothing to do.
        const again = await run(async (transcript) => {
          await new Promise((resolve) => setTimeout(resolve, 200));
          expect(transcript.stats.calls).toBe(0);
        });
        expect(again).toEqual({ calls: 0, lines: 0, failed: 0 });
        expect(told.map(({ text }) => text)).toEqual(FREE.map((line) => line.slice(line.indexOf(' ') + 1)));
      },
    );

    it('and is not listened to again where the recogniser was certain of it; a secret in it is not shown either', async () => {
      const { store, texts, options } = await opened();
      const certain = { text: 'five six seven eight', confidence: 0.95 };
      const sessionId = await recordedCall(
        store,
        'wav',
        TALK.map((said) => (said.says === 'one two three four' ? { ...said, ...certain } : said)),
      );
      const stop = new AbortController();
      const transcript = new LaterTranscript({ ...options, transcriber });
      const running = transcript.run(stop.signal);
      const words = FREE.with(4, 'speech: [security code, not shown]');
      await expect.poll(() => texts(sessionId), { timeout: 60_000 }).toEqual(words);
      // Of the last one there is nothing in the recording.
      expect(transcript.stats).toEqual({ calls: 0, lines: 4, failed: 1 });
      stop.abort();
      await running;
    });

    it('and stays as it is when the model breaks, until the next start', async () => {
      const { store, texts, options } = await opened();
      const sessionId = await recordedCall(store, 'wav', TALK);
      const stop = new AbortController();
      const broken = new MoonshineTranscriber({ folder: dataDir, log: silentLogger });
      const transcript = new LaterTranscript({ ...options, transcriber: broken });
      transcript.add({ sessionId, text: 'i need a mortgage' });
      const running = transcript.run(stop.signal);
      await expect.poll(() => transcript.stats, { timeout: 60_000 }).toEqual({ calls: 0, lines: 1, failed: 5 });
      expect((await texts(sessionId)).slice(0, 3)).toEqual([
        'overheard: [unintelligible]',
        'overheard: i need a mortgage',
        `recording: ${CALLER}`,
      ]);
      stop.abort();
      await running;
      await broken.close();
    });
  });
});
