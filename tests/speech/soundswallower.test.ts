import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { levelled } from '../../scripts/eval/audio/levels.ts';
import { hintsFrom } from '../../src/call/bot/hints.ts';
import { silentLogger } from '../../src/core/log.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { BANKING, digits, Listener } from './support/listener.ts';
import { Caller, espeak, inNoise, lineNoise, music, overTheLine } from './support/telephone.ts';

const REQUESTS = [
  'where is my new credit card',
  'what is my savings account balance',
  'please block my card',
  'i want to speak to an agent',
  'show me my last five transactions',
];
const ELSEWHERE = [
  'the weather in paris is lovely today',
  'how tall is the eiffel tower',
  'the quick brown fox jumps over the lazy dog',
  'we drove to the mountains last weekend',
];

let recognizer: SoundswallowerRecognizer;
let rms: Caller;
const said = new Map<string, Int16Array>();
const listeners: Listener[] = [];
const listen = (hints = BANKING) => {
  const listener = new Listener(recognizer, hints);
  listeners.push(listener);
  return listener;
};

beforeAll(async () => {
  recognizer = await SoundswallowerRecognizer.start({ workers: 1, decodersPerWorker: 3, log: silentLogger });
  rms = await Caller.start('rms');
  for (const text of [...REQUESTS, ...ELSEWHERE]) said.set(text, await rms.says(text));
});
afterAll(async () => {
  for (const { stream } of listeners) stream.close();
  await Promise.all([recognizer.close(), rms.close()]);
});

describe('the recogniser', () => {
  it.each(['rms', 'slt', 'awb', 'kal'] as const)('understands what %s asks for', async (voice) => {
    const caller = await Caller.start(voice);
    const listener = listen();
    for (const text of REQUESTS) {
      const result = await listener.hears(await caller.says(text));
      expect(result).toMatchObject({ kind: 'final', text, complete: true, rejected: false });
      expect(result.confidence).toBeGreaterThan(0.5);
    }
    await caller.close();
  });

  it('understands a caller whose phone sends nothing at all between the sounds', async () => {
    const listener = listen();
    const understood: string[] = [];
    for (const text of ['where is my new debit card', 'what is my savings account balance', 'what is my balance']) {
      const { text: heard, rejected } = await listener.hears(
        overTheLine([new Int16Array(2400), espeak(text), new Int16Array(1200)]),
      );
      if (!rejected) understood.push(heard);
    }
    expect(understood.length).toBeGreaterThanOrEqual(2);
  });

  it('understands a short answer in the accent of Britain', async () => {
    const listener = listen(hintsFrom([])({ kind: 'yes-no', secret: false }));
    for (const text of ['stop', 'cancel']) {
      const result = await listener.hears(
        overTheLine([new Int16Array(2400), espeak(text, 'en-gb'), new Int16Array(1200)]),
      );
      expect(result).toMatchObject({ text, rejected: false });
    }
  });

  it('understands who shouts', async () => {
    // It listens again, which a thread does that is not known to be slow.
    const fresh = await SoundswallowerRecognizer.start({ workers: 1, decodersPerWorker: 1, log: silentLogger });
    try {
      const shouted = levelled(espeak('stop', 'en-gb'), -9);
      const result = await new Listener(fresh, hintsFrom([])({ kind: 'yes-no', secret: false })).hears(
        overTheLine([new Int16Array(2400), shouted, new Int16Array(1200)]),
      );
      expect(result).toMatchObject({ text: 'stop', rejected: false });
    } finally {
      await fresh.close();
    }
  });

  it('says what it has understood so far, and whether that is a whole sentence', async () => {
    const listener = listen();
    await listener.hears(said.get('where is my new credit card')!);
    const partials = listener.partials();
    expect(partials.length).toBeGreaterThan(2);
    expect(partials.find(({ text }) => text === 'where is my new')?.complete).toBe(false);
    expect(partials.at(-1)).toMatchObject({ text: 'where is my new credit card', complete: true });
    for (let i = 1; i < partials.length; i++) expect(partials[i]!.text).not.toBe(partials[i - 1]!.text);
  });

  it('rejects what is no sentence of the grammar', async () => {
    const listener = listen();
    for (const text of ELSEWHERE) {
      expect(await listener.hears(said.get(text)!), text).toMatchObject({ kind: 'final', rejected: true });
    }
  });

  it('rejects noise, music, silence and a segment without audio', async () => {
    const listener = listen();
    for (const sound of [lineNoise(1500, 4000), music(1500), lineNoise(800), new Int16Array(8000), new Int16Array(0)]) {
      expect(await listener.hears(overTheLine([sound]))).toMatchObject({ kind: 'final', rejected: true });
    }
  });

  it('understands most requests said in noise, whoever spoke before, and nothing that was not asked', async () => {
    const listener = listen();
    let understood = 0;
    for (const text of REQUESTS) {
      await listener.hears(said.get(ELSEWHERE[0]!)!);
      const { text: heard, rejected } = await listener.hears(inNoise(said.get(text)!, 16));
      if (!rejected && heard === text) understood++;
    }
    expect(understood).toBeGreaterThanOrEqual(4);
    for (const text of ELSEWHERE) {
      expect(await listener.hears(inNoise(said.get(text)!, 16)), text).toMatchObject({ rejected: true });
    }
  });

  it('understands numbers said in steady noise', async () => {
    const listener = listen(digits(6));
    const numbers = ['four seven one nine two zero', 'eight three zero four six five', 'five zero six two one three'];
    let understood = 0;
    for (const number of numbers) {
      const { text, rejected } = await listener.hears(inNoise(await rms.says(number), 15));
      if (!rejected && text === number) understood++;
    }
    expect(understood).toBeGreaterThanOrEqual(2);
  });

  it('hears a caller the same whoever spoke before on other calls', async () => {
    const slt = await Caller.start('slt');
    const first = await listen().hears(said.get(REQUESTS[0]!)!);
    for (const text of REQUESTS) await listen().hears(inNoise(await slt.says(text), 12));
    const second = await listen().hears(said.get(REQUESTS[0]!)!);
    await slt.close();
    expect(second.text).toBe(first.text);
    expect(second.confidence).toBeCloseTo(first.confidence, 1);
  });

  it('rejects the noise of a room, loud or soft, and the noise that begins in mid-segment', async () => {
    const listener = listen();
    for (const room of [
      lineNoise(2000, 300),
      lineNoise(2000, 2000),
      overTheLine([lineNoise(400, 100), lineNoise(900, 900)]),
    ]) {
      expect(await listener.hears(overTheLine([room]))).toMatchObject({ kind: 'final', rejected: true });
    }
  });

  it('hears the beginning of a number from who says no more, and then the rest', async () => {
    const hints = hintsFrom([]);
    const number = { kind: 'digits', length: 6, secret: false } as const;
    const listener = listen(hints(number));
    const hears = async (text: string) => (await listener.hears(await rms.says(text))).text;
    for (const text of ['four seven one nine two zero', 'eight three zero four six five', 'four seven one nine']) {
      expect(await hears(text)).toBe(text);
    }
    listener.stream.hint(hints({ ...number, missing: 2 }));
    for (const text of ['two zero', 'four seven one nine two zero']) expect(await hears(text)).toBe(text);
  });

  it('hears numbers digit by digit once the call asks for one', async () => {
    const listener = listen();
    await listener.hears(said.get(REQUESTS[0]!)!);
    listener.stream.hint(digits(6));
    expect(await listener.hears(await rms.says('four seven one nine two zero'))).toMatchObject({
      text: 'four seven one nine two zero',
      rejected: false,
    });
    listener.stream.hint(digits(4));
    expect(await listener.hears(await rms.says('my number is two five eight zero'))).toMatchObject({
      text: 'my number is two five eight zero',
    });
    listener.stream.hint(BANKING);
    expect(await listener.hears(said.get(REQUESTS[2]!)!)).toMatchObject({ text: REQUESTS[2] });
  });

  it('learns words that no dictionary has', async () => {
    const jsgf = '#JSGF V1.0;\ngrammar g;\npublic <s> = pay with klarna | open a bankia account;\n';
    const listener = listen({ key: 'new-words', jsgf, secret: false });
    expect(await listener.hears(await rms.says('pay with klarna'))).toMatchObject({ text: 'pay with klarna' });
  });

  it('keeps twelve callers who speak at once apart, with fewer decoders than callers', async () => {
    const callers = Array.from({ length: 12 }, (_, i) => ({
      listener: listen(),
      text: REQUESTS[i % REQUESTS.length]!,
    }));
    const results = await Promise.all(callers.map(({ listener, text }) => listener.hears(said.get(text)!)));
    expect(results.map(({ text }) => text)).toEqual(callers.map(({ text }) => text));
    expect((await recognizer.stats()).unserved).toBe(0);
  });

  it('takes down what people say to each other when each is done, in order, beside callers who wait', async () => {
    const talkers = [0, 1, 2].map(() => listen({ ...BANKING, unhurried: true }));
    const caller = listen();
    for (const [i, talker] of talkers.entries()) {
      for (const text of REQUESTS.slice(i, i + 3)) {
        talker.begin(said.get(text)!);
        talker.pause();
        talker.end();
      }
    }
    expect(await caller.hears(said.get(REQUESTS[0]!)!)).toMatchObject({ text: REQUESTS[0] });
    for (const [i, talker] of talkers.entries()) {
      await talker.until(() => talker.results.length === 3);
      expect(talker.results.map(({ kind, text }) => `${kind} ${text}`)).toEqual(
        REQUESTS.slice(i, i + 3).map((text) => `final ${text}`),
      );
    }
    expect(await recognizer.stats()).toMatchObject({ lost: 0, backlogMs: 0 });
  });

  it('says in a pause how well the words so far fit what was said', async () => {
    const listener = listen();
    const fits = async (pcm: Int16Array) => {
      const segment = listener.begin(pcm);
      listener.pause();
      listener.end();
      await listener.until(() => listener.final(segment) !== undefined);
      return listener.partials(segment).at(-1)?.confidence ?? 0;
    };
    expect(await fits(said.get('what is my savings account balance')!)).toBeGreaterThan(0.8);
    for (const text of ELSEWHERE) expect(await fits(said.get(text)!), text).toBeLessThan(0.5);
  });

  it('gives in noise another ear what was said when the caller falls silent, and says when they go on', async () => {
    const listener = listen({ ...BANKING, inPauses: true });
    const noisy = inNoise(said.get('please block my card')!, 15);
    const segment = listener.begin(noisy);
    listener.pause();
    listener.resume(noisy);
    listener.end();
    await listener.until(() => listener.final(segment) !== undefined);
    const told = listener.partials(segment).filter(({ heardInPause }) => heardInPause !== undefined);
    expect(told.map(({ heardInPause, sound }) => [heardInPause, sound !== undefined])).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(listener.final(segment)).toMatchObject({ heardInPause: false });
  });

  it('says nothing more to a call that left in mid-sentence, and has its decoder back', async () => {
    const leaving = listen();
    leaving.begin(said.get(REQUESTS[0]!)!.subarray(0, 8000));
    await leaving.until(() => leaving.partials().length > 0);
    leaving.stream.close();
    leaving.stream.close();
    const before = leaving.results.length;
    expect(await listen().hears(said.get(REQUESTS[1]!)!)).toMatchObject({ text: REQUESTS[1] });
    expect(leaving.results.length).toBe(before);
    expect(leaving.failures).toEqual([]);
    const { decoders, decodersFree } = await recognizer.stats();
    expect(decodersFree).toBe(decoders);
  });

  it('frees the decoder when the media worker goes away in mid-sentence', async () => {
    const leaving = listen();
    leaving.begin(said.get(REQUESTS[0]!)!.subarray(0, 8000));
    await leaving.until(() => leaving.partials().length > 0);
    leaving.stream.audio.close();
    await expect.poll(async () => (await recognizer.stats()).decodersFree).toBe((await recognizer.stats()).decoders);
  });

  it('starts again with the next segment when the end of one was lost', async () => {
    const listener = listen();
    listener.begin(said.get(REQUESTS[0]!)!.subarray(0, 9000));
    expect(await listener.hears(said.get(REQUESTS[1]!)!)).toMatchObject({ segment: 2, text: REQUESTS[1] });
    expect(listener.final(1)).toBeUndefined();
  });

  it('fails the stream, by name, whose grammar cannot be used', async () => {
    const broken = listen({ key: 'broken', jsgf: '#JSGF V1.0;\ngrammar g;\npublic <s> = ( a ;\n', secret: false });
    const foreign = listen({ key: 'foreign', jsgf: '#JSGF V1.0;\ngrammar g;\npublic <s> = 日本;\n', secret: false });
    await Promise.all([broken, foreign].map((l) => l.until(() => l.failures.length > 0)));
    expect(broken.failures[0]).toMatchObject({ code: 'bad-grammar' });
    expect(foreign.failures[0]).toMatchObject({
      code: 'unpronounceable-word',
      message: expect.stringContaining('日本'),
    });
    expect(await listen().hears(said.get(REQUESTS[1]!)!)).toMatchObject({ text: REQUESTS[1] });
  });

  it('tells its calls when a thread dies, and serves new ones once it is back', async () => {
    const lost = [listen(), listen()];
    lost[0]!.begin(said.get(REQUESTS[0]!)!);
    recognizer.killWorker(0);
    await Promise.all(lost.map((l) => l.until(() => l.failures.length > 0)));
    expect(lost[0]!.failures[0]).toMatchObject({ code: 'worker-died', retryable: true });
    const between = listen();
    await between.until(() => between.failures.length > 0);
    expect(between.failures[0]).toMatchObject({ code: 'asr-unavailable', retryable: true });
    await expect.poll(async () => (await recognizer.health()).ok).toBe(true);
    expect(await listen().hears(said.get(REQUESTS[1]!)!)).toMatchObject({ text: REQUESTS[1] });
  });
});

it('starts another thread when there are calls for it, and only as many as it may', async () => {
  const own = await SoundswallowerRecognizer.start({
    workers: 2,
    streamsToFill: 2,
    decodersPerWorker: 1,
    log: silentLogger,
  });
  const threads = async () => (await own.health()).detail;
  try {
    const first = new Listener(own, BANKING);
    expect(await threads()).toBe('1 of 1 threads ready');
    const second = new Listener(own, BANKING);
    await expect.poll(threads, { timeout: 60_000 }).toBe('2 of 2 threads ready');
    const third = new Listener(own, BANKING);
    own.killWorker(0);
    await Promise.all([first, second].map((l) => l.until(() => l.failures.length > 0)));
    expect(await third.hears(said.get(REQUESTS[0]!)!)).toMatchObject({ kind: 'final', text: REQUESTS[0] });
    for (let i = 0; i < 6; i++) new Listener(own, BANKING);
    await expect.poll(threads, { timeout: 60_000 }).toMatch(/^2 of 2 threads ready/);
  } finally {
    await own.close();
  }
});

it('starts another thread for callers also while that for what is only taken down is still to come', async () => {
  const own = await SoundswallowerRecognizer.start({
    ...{ workers: 2, streamsToFill: 1, recordWorkers: 1, decodersPerWorker: 1 },
    log: silentLogger,
  });
  try {
    new Listener(own, BANKING);
    await expect.poll(async () => (await own.health()).detail, { timeout: 60_000 }).toBe('2 of 2 threads ready');
  } finally {
    await own.close();
  }
});

it('closes while its thread for what is only taken down is still starting', async () => {
  const own = await SoundswallowerRecognizer.start({
    workers: 1,
    recordWorkers: 1,
    decodersPerWorker: 1,
    log: silentLogger,
  });
  expect(await own.health()).toMatchObject({ ok: true, detail: '1 of 1 threads ready' });
  await own.close();
  expect((await own.health()).ok).toBe(false);
});

it('takes down what people say to each other in a thread of its own where it has one', async () => {
  const own = await SoundswallowerRecognizer.start({
    workers: 1,
    recordWorkers: 1,
    decodersPerWorker: 1,
    log: silentLogger,
  });
  try {
    // it comes behind the others, also at start
    await expect.poll(async () => (await own.stats()).decoders, { timeout: 60_000 }).toBe(2);
    const talker = new Listener(own, { ...BANKING, unhurried: true });
    own.killWorker(0);
    expect(await talker.hears(said.get(REQUESTS[0]!)!)).toMatchObject({ kind: 'final', text: REQUESTS[0] });
    await own.close();
    expect(talker.failures).toMatchObject([{ code: 'asr-closed' }]);
  } finally {
    await own.close();
  }
});
