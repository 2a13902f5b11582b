import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LaterTranscript, type LaterTranscriptOptions } from '../../src/call/record/later-transcript.ts';
import type { RecordingRecord, Speaker, UtteranceRecord } from '../../src/call/record/records.ts';
import { Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { encodeRecording, OPUS_CHUNK_BYTES } from '../../src/media/recording/opus-file.ts';
import { newSeal, sealWhole } from '../../src/media/recording/sealed-file.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { BANKING } from '../speech/support/listener.ts';
import { Caller } from '../speech/support/telephone.ts';
import { openTestDatabase } from '../store/support/database.ts';
import { aSession } from '../store/support/rows.ts';

const db = openTestDatabase();
const RING = new KeyRing([{ id: 'k1', key: new Uint8Array(32).fill(7) }]);
const WITHOUT = '[not transcribed]';
const [CALLER, AGENT, SECRET] = ['where is my new credit card', 'what is my balance', 'my pin is one two three four'];
/** Where they speak in the recording, ms. */
const [CALLER_AT, AGENT_AT, SECRET_AT, SILENCE_AT] = [1000, 5000, 9000, 14_000];
const LENGTH_MS = 17_000;

let dataDir: string;
let recognizer: SoundswallowerRecognizer;
let recordings: Recordings;
let pcm: Buffer;
const lengths = new Map<string, number>();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'later-transcript-'));
  recordings = new Recordings({ dataDir, keys: RING, delaySeconds: 6, log: silentLogger });
  recognizer = await SoundswallowerRecognizer.start({ workers: 1, recordWorkers: 1, log: silentLogger });
  const [one, other] = await Promise.all([Caller.start('rms'), Caller.start('slt')]);
  pcm = Buffer.alloc(LENGTH_MS * 32);
  const put = (sound: Int16Array, atMs: number, channel: number) => {
    for (const [i, sample] of sound.entries()) pcm.writeInt16LE(sample, (atMs * 8 + i) * 4 + channel * 2);
  };
  for (const [text, by, at, channel] of [
    [CALLER, one, CALLER_AT, 0],
    [AGENT, other, AGENT_AT, 1],
    [SECRET, one, SECRET_AT, 0],
  ] as const) {
    const sound = await by.says(text);
    put(sound, at, channel);
    lengths.set(text, sound.length / 8);
  }
  await Promise.all([one.close(), other.close()]);
});
afterAll(async () => {
  await recognizer.close();
  await rm(dataDir, { recursive: true });
});

/** A call that ended a minute ago, with its recording and three lines that nobody had time for, and one with words. */
async function recordedCall(store: Awaited<ReturnType<typeof db.store>>, format: 'wav' | 'ogg') {
  const began = new Date(Date.now() - 60_000);
  const session = aSession({ callStartTime: new Date(began.getTime() - 900), answerTime: began });
  const { sessionId } = session;
  const wav = recordings.pathOf(session);
  const path = format === 'wav' ? wav : wav.replace('.wav', '.ogg');
  await mkdir(join(dataDir, dirname(wav)), { recursive: true });
  await writeFile(join(dataDir, wav), sealWhole(newSeal(RING, 'pcm', 32_000), pcm));
  if (format === 'ogg') {
    await encodeRecording(join(dataDir, wav), join(dataDir, path), RING, newSeal(RING, 'ogg', OPUS_CHUNK_BYTES));
    await rm(join(dataDir, wav));
  }
  store.journal.append({ kind: 'session', row: session });
  let sequence = 0;
  const line = (speaker: Speaker, text: string, at: number, ms: number) =>
    store.journal.append({
      kind: 'utterance',
      row: {
        utteranceId: randomUUID(),
        sessionId,
        sequence: ++sequence,
        speaker,
        text,
        heard: text,
        interrupted: false,
        startedAt: new Date(began.getTime() + at + 300),
        endedAt: new Date(began.getTime() + at + ms - 150),
        source: 'speech',
      },
    });
  line('caller', WITHOUT, CALLER_AT, lengths.get(CALLER)!);
  line('agent', WITHOUT, AGENT_AT, lengths.get(AGENT)!);
  line('agent', 'one moment please', AGENT_AT + 2000, 1000);
  line('caller', WITHOUT, SECRET_AT, lengths.get(SECRET)!);
  line('caller', WITHOUT, SILENCE_AT, 2000);
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
    await expect.poll(() => texts(sessionId), { timeout: 20_000 }).toEqual(WORDS);
    await expect.poll(() => transcript.stats).toEqual({ calls: 0, lines: 3, failed: 1 });
    // Who has the call's page open sees them come.
    const { utterances } = (await store.archive.get(sessionId))!;
    expect(told).toEqual(utterances.filter(({ source }) => source === 'recording'));
    stop.abort();
    await running;
  },
);

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
    transcript.add(sessionId);
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
  await run(() => expect.poll(() => texts(sessionId), { timeout: 20_000 }).toEqual(WORDS));
});

it('is tried again when the database was away, and leaves a line alone that has its words by then', async () => {
  const { store, texts, options } = await opened();
  const sessionId = await recordedCall(store, 'wav');
  const [first] = await store.untranscribed.ofCall(sessionId);
  let failures = 2;
  const stop = new AbortController();
  const lines: LaterTranscriptOptions['lines'] = {
    calls: async () => [],
    ofCall: async (id) => {
      if (failures-- > 0) throw new Error('away');
      return store.untranscribed.ofCall(id);
    },
    transcribed: async (id, words) => {
      if (id === first!.utteranceId) await store.untranscribed.transcribed(id, { text: 'by hand', confidence: 1 });
      return store.untranscribed.transcribed(id, words);
    },
  };
  const transcript = new LaterTranscript({ ...options, lines });
  transcript.add(sessionId);
  const running = transcript.run(stop.signal);
  await expect.poll(() => texts(sessionId), { timeout: 20_000 }).toEqual(['recording: by hand', ...WORDS.slice(1)]);
  stop.abort();
  await running;
});
