import { MessageChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { MoonshineTranscriber } from '../../src/speech/moonshine/moonshine-transcriber.ts';
import type { AsrResult, Recognizer, Transcriber } from '../../src/speech/ports.ts';
import { SecondEar } from '../../src/speech/second-ear.ts';
import { SecondEarRecognizer } from '../../src/speech/second-ear-recognizer.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { FREE_SPEECH_MODEL, hasFreeSpeechModel } from '../support/free-speech-model.ts';
import { BANKING, Listener } from './support/listener.ts';
import { Caller, inNoise } from './support/telephone.ts';

it('asks how well sentences fit only while no other caller waits for words', async () => {
  const { promise: bothAsked, resolve: go } = Promise.withResolvers<void>();
  const asked: string[] = [];
  const transcriber: Transcriber = {
    name: 'test',
    prepare: async () => undefined,
    transcribe: async ({ length }) => {
      asked.push(`words ${length}`);
      if (asked.length === 2) go();
      await bothAsked;
      // one behind the other, as in one thread
      if (length === 2) await new Promise((resolve) => setTimeout(resolve, 20));
      return { text: 'my card', confidence: 0.5 };
    },
    fit: async ({ length }) => {
      asked.push(`fit ${length}`);
      return [1];
    },
    close: async () => undefined,
  };
  const tell: ((result: AsrResult) => void)[] = [];
  const inner: Recognizer = {
    ...{ name: 'test', local: true, health: async () => ({ ok: true }), close: async () => undefined },
    open: ({ onResult }) => {
      tell.push(onResult);
      return { audio: new MessageChannel().port1, hint: () => undefined, close: () => undefined };
    },
  };
  const ears = new SecondEarRecognizer({ recognizer: inner, transcriber, log: silentLogger, withinMs: 60_000 });
  const results: AsrResult[] = [];
  const hints = { ...BANKING, mayHaveBeen: () => ['where is my card'] };
  const noisy = { segment: 1, kind: 'final', text: '', confidence: 0, rejected: true, noisy: true, at: 0 } as const;
  for (const call of ['1', '2']) {
    ears.open({ call, hints, onResult: (result) => results.push(result), onFailure: () => undefined });
  }
  tell.forEach((told, n) => {
    told({ ...noisy, sound: new Int16Array(n + 1) });
  });
  await expect.poll(() => results.length).toBe(2);
  expect(asked).toEqual(['words 1', 'words 2', 'fit 2']);
  expect(results.map(({ otherwise }) => otherwise?.fits)).toEqual([undefined, [{ text: 'where is my card', fit: 1 }]]);
  expect(results.map(({ otherwise }) => otherwise?.unfitted)).toEqual(['left-out', undefined]);
  expect(ears.stats().fits).toEqual({ told: 1, late: 0, leftOut: 1 });
  await ears.close();
});

it('waits on a quiet line for how sentences fit only where the recogniser has no guess at all', async () => {
  const transcriber: Transcriber = {
    ...{ name: 'test', prepare: async () => undefined, close: async () => undefined },
    transcribe: async () => ({ text: 'my card', confidence: 0.5 }),
    fit: async (_, sentences) => sentences.map(() => 1),
  };
  let tell: (result: AsrResult) => void = () => undefined;
  const inner: Recognizer = {
    ...{ name: 'test', local: true, health: async () => ({ ok: true }), close: async () => undefined },
    open: ({ onResult }) => {
      tell = onResult;
      return { audio: new MessageChannel().port1, hint: () => undefined, close: () => undefined };
    },
  };
  const ears = new SecondEarRecognizer({ recognizer: inner, transcriber, log: silentLogger });
  const results: AsrResult[] = [];
  const hints = { ...BANKING, mayHaveBeen: () => ['where is my card'] };
  ears.open({ call: '1', hints, onResult: (result) => results.push(result), onFailure: () => undefined });
  const rejected = { kind: 'final', confidence: 0, rejected: true, at: 0, sound: new Int16Array(8) } as const;
  tell({ ...rejected, segment: 1, text: 'what' });
  tell({ ...rejected, segment: 2, text: '' });
  await expect.poll(() => results.length).toBe(2);
  const fits = [{ text: 'where is my card', fit: 1 }];
  expect(results.map(({ otherwise }) => otherwise?.fits)).toEqual([undefined, fits]);
  await ears.close();
});

it('tells on a quiet line how sentences fit where the silence left time for it; who waits already waits for words only', async () => {
  const { promise: mayWrite, resolve: write } = Promise.withResolvers<void>();
  const fitted: (readonly string[])[] = [];
  const transcriber: Transcriber = {
    ...{ name: 'test', prepare: async () => undefined, close: async () => undefined },
    transcribe: async () => {
      await mayWrite;
      return { text: 'my card', confidence: 0.5 };
    },
    fit: async (_, sentences) => {
      fitted.push(sentences);
      return sentences.map(() => 1);
    },
  };
  const ear = new SecondEar(transcriber, silentLogger);
  const sound = new Int16Array(8000);
  const { signal } = new AbortController();
  const paused = ear.hear(sound, signal, () => ['where is my card']);
  const waited = paused.within(60_000);
  write();
  expect(await waited).toEqual({ text: 'my card', confidence: 0.5 });
  const early = ear.hear(sound, signal, () => ['where is my card']);
  await expect.poll(() => fitted.length).toBe(1);
  expect((await early.within(60_000))?.fits).toEqual([{ text: 'where is my card', fit: 1 }]);
  const noisy = ear.hear(sound, signal);
  expect((await noisy.within(60_000, () => ['stop my card']))?.fits).toEqual([{ text: 'stop my card', fit: 1 }]);
  expect(fitted).toEqual([['where is my card'], ['stop my card']]);
  expect([ear.awaited, ear.fits]).toEqual([0, { told: 2, late: 0, leftOut: 0 }]);
});

describe('a second ear that hears ahead', () => {
  const fits = [{ text: 'where is my card', fit: 1 }];
  const inPause = { segment: 1, kind: 'partial', text: '', confidence: 0, heardInPause: true, at: 0 } as const;
  const atEnd = { segment: 1, kind: 'final', text: '', confidence: 0, rejected: true, noisy: true, at: 0 } as const;
  /** What is asked of the transcriber, which answers at once. */
  const asked: { what: string; urgency: number; signal: AbortSignal | undefined }[] = [];
  /** Instead of the words. */
  let fault: Error | undefined;
  let mayHaveBeen: () => readonly string[];
  let ears: SecondEarRecognizer;
  let tell: (result: AsrResult) => void;
  let results: AsrResult[];
  beforeEach(() => {
    asked.splice(0);
    fault = undefined;
    mayHaveBeen = () => ['where is my card'];
    results = [];
    const transcriber: Transcriber = {
      name: 'test',
      prepare: async () => undefined,
      transcribe: async (_, urgency, signal) => {
        asked.push({ what: 'words', urgency, signal });
        if (fault) throw fault;
        return { text: 'my card', confidence: 0.5 };
      },
      fit: async (_, sentences, urgency, signal) => {
        asked.push({ what: 'fit', urgency, signal });
        return sentences.map(() => 1);
      },
      hurry: (_, urgency) => asked.push({ what: 'hurry', urgency, signal: undefined }),
      close: async () => undefined,
    };
    const recognizer: Recognizer = {
      ...{ name: 'test', local: true, health: async () => ({ ok: true }), close: async () => undefined },
      open: ({ onResult }) => {
        tell = onResult;
        return { audio: new MessageChannel().port1, hint: () => undefined, close: () => undefined };
      },
    };
    ears = new SecondEarRecognizer({ recognizer, transcriber, log: silentLogger, withinMs: 60_000 });
    const hints = { ...BANKING, mayHaveBeen: () => mayHaveBeen() };
    ears.open({ call: '1', hints, onResult: (result) => results.push(result), onFailure: () => undefined });
  });
  afterEach(() => ears.close());

  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('comes behind those for whom somebody waits, until somebody waits for it', async () => {
    tell({ ...inPause, sound: new Int16Array(1) });
    await settled();
    expect(asked.map(({ what, urgency }) => [what, urgency])).toEqual([
      ['words', 1],
      ['fit', 1],
    ]);
    tell({ ...atEnd, sound: new Int16Array(1), heardInPause: true });
    await settled();
    expect(asked.slice(2).map(({ what, urgency }) => [what, urgency])).toEqual([['hurry', -1]]);
    expect(results.map(({ otherwise }) => otherwise?.fits)).toEqual([fits]);
  });

  it('stops when the caller goes on, of which nobody is told', async () => {
    tell({ ...inPause, sound: new Int16Array(1) });
    tell({ ...inPause, heardInPause: false });
    await settled();
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
    expect(ears.stats().ahead).toEqual({ served: 0, forNothing: 1 });
    expect(results).toEqual([]);
  });

  it('and fails in it is asked how sentences fit the next time', async () => {
    fault = new Error('no room');
    tell({ ...inPause, sound: new Int16Array(1) });
    await settled();
    tell({ ...atEnd, sound: new Int16Array(1), heardInPause: true });
    await settled();
    fault = undefined;
    tell({ ...atEnd, segment: 2, sound: new Int16Array(1) });
    await settled();
    expect(results.map(({ otherwise }) => otherwise?.fits)).toEqual([undefined, fits]);
  });

  it('goes on where nobody can say what may have been said', async () => {
    tell({ ...inPause, sound: new Int16Array(1) });
    await settled();
    mayHaveBeen = () => {
      throw new Error('of no use');
    };
    tell({ ...atEnd, text: 'card', sound: new Int16Array(1), heardInPause: true });
    await settled();
    tell({ ...atEnd, segment: 2 });
    await settled();
    expect(results.map(({ segment, otherwise }) => [segment, otherwise?.text])).toEqual([
      [1, 'my card'],
      [2, undefined],
    ]);
  });
});

describe.skipIf(!hasFreeSpeechModel)('a second ear', () => {
  let recognizer: SecondEarRecognizer;
  let caller: Caller;
  /** `withinMs`: on a busy machine it takes its time. */
  const start = async (withinMs: number) =>
    new SecondEarRecognizer({
      recognizer: await SoundswallowerRecognizer.start({ workers: 1, log: silentLogger }),
      transcriber: new MoonshineTranscriber({ folder: FREE_SPEECH_MODEL, log: silentLogger }),
      log: silentLogger,
      withinMs,
    });
  beforeAll(async () => {
    [recognizer, caller] = await Promise.all([start(60_000), Caller.start('rms')]);
  });
  afterAll(() => Promise.all([recognizer.close(), caller.close()]));

  it('hears what the grammar does not know, and nothing else', async () => {
    const listener = new Listener(recognizer, BANKING);
    const outside = await listener.hears(await caller.says('there is somebody at the door'));
    expect(outside).toMatchObject({ rejected: true, otherwise: { text: 'there is somebody at the door' } });
    const inside = await listener.hears(await caller.says('what is my savings account balance'));
    expect(inside).toMatchObject({ text: 'what is my savings account balance', rejected: false });
    expect(inside.otherwise).toBeUndefined();
    expect(recognizer.stats()).toMatchObject({ understood: 1, nothing: 0, late: 0 });
    // its sound stays where it is
    expect(listener.results.some((result) => 'sound' in result)).toBe(false);
    listener.stream.close();
  });

  it('hears the beginning of what goes on, where that is asked for, and nothing waits for it', async () => {
    const listener = new Listener(recognizer, { ...BANKING, besidesAtMs: [700, 1400, 60_000] });
    const segment = listener.begin(await caller.says('there is somebody at the door and it is raining'));
    const besides = () => listener.partials(segment).flatMap(({ otherwise }) => otherwise?.text ?? []);
    await listener.until(() => besides().length === 2);
    expect(besides()[1]).toMatch(/^there is some/);
    expect(besides()[0]!.length).toBeLessThan(besides()[1]!.length);
    expect(listener.final(segment)).toBeUndefined();
    listener.end();
    await listener.until(() => listener.final(segment) !== undefined);
    expect(recognizer.stats().besides).toEqual({ understood: 2, nothing: 0, late: 0 });
    expect(listener.results.some((result) => 'sound' in result)).toBe(false);
    // as soon as something else is expected, nothing is heard besides any more
    listener.stream.hint(BANKING);
    const next = listener.begin(await caller.says('where is my card'));
    listener.end();
    await listener.until(() => listener.final(next) !== undefined);
    expect(listener.partials(next).some(({ otherwise }) => otherwise !== undefined)).toBe(false);
    listener.stream.close();
  });

  it('hears in noise also what the grammar believes, but no secret', async () => {
    const noisy = inNoise(await caller.says('what is my savings account balance'), 15);
    const listener = new Listener(recognizer, BANKING);
    const believed = await listener.hears(noisy);
    expect(believed).toMatchObject({ text: 'what is my savings account balance', rejected: false, noisy: true });
    expect(believed.otherwise?.text).toContain('balance');
    listener.stream.close();
    const secretly = new Listener(recognizer, { ...BANKING, secret: true });
    expect((await secretly.hears(noisy)).otherwise).toBeUndefined();
    secretly.stream.close();
  });

  it('tells in noise how well the sentences fit that may have been said; on a quiet line nobody asks', async () => {
    const asked: (readonly string[])[] = [];
    const mayHaveBeen = (guess: string, otherwise: string) => {
      asked.push([guess, otherwise]);
      return ['what is my savings account balance', 'where is my card'];
    };
    const listener = new Listener(recognizer, { ...BANKING, mayHaveBeen });
    const speech = await caller.says('what is my savings account balance');
    expect((await listener.hears(speech)).otherwise).toBeUndefined();
    expect(asked).toEqual([]);
    const { otherwise, text } = await listener.hears(inNoise(speech, 15));
    expect(asked).toEqual([[text, otherwise!.text]]);
    const [said, other] = otherwise!.fits!;
    expect(said!.text).toBe('what is my savings account balance');
    expect(said!.fit).toBeGreaterThan(other!.fit + 1);
    // as soon as something else is expected, it is not asked about
    listener.stream.hint(BANKING);
    expect((await listener.hears(inNoise(speech, 15))).otherwise?.fits).toBeUndefined();
    listener.stream.close();
  });

  it('begins in noise when the caller falls silent; who goes on is heard anew, and a quiet line at its end', async () => {
    const { ahead } = recognizer.stats();
    const since = () => {
      const now = recognizer.stats().ahead;
      return { served: now.served - ahead.served, forNothing: now.forNothing - ahead.forNothing };
    };
    const mayHaveBeen = () => ['what is my savings account balance', 'where is my card'];
    const listener = new Listener(recognizer, { ...BANKING, mayHaveBeen });
    const [speech, rest] = await Promise.all([
      caller.says('what is my savings account balance'),
      caller.says('thank you'),
    ]);
    const says = async (...parts: Int16Array[]) => {
      const segment = listener.begin(parts[0]!);
      listener.pause();
      for (const part of parts.slice(1)) listener.resume(part);
      listener.end();
      await listener.until(() => listener.final(segment) !== undefined);
      return listener.final(segment)!;
    };
    const { otherwise, ...plain } = await says(inNoise(speech, 15));
    expect(otherwise?.text).toContain('balance');
    expect(otherwise?.fits?.map(({ text }) => text)).toEqual(mayHaveBeen());
    expect(plain).not.toHaveProperty('heardInPause');
    expect(since()).toEqual({ served: 1, forNothing: 0 });
    expect((await says(inNoise(speech, 15), inNoise(rest, 15))).otherwise?.text).toMatch(/balance \w/);
    expect(since()).toEqual({ served: 1, forNothing: 1 });
    await says(speech);
    expect(since()).toEqual({ served: 1, forNothing: 1 });
    expect(listener.partials().some((result) => 'sound' in result)).toBe(false);
    listener.stream.close();
  });

  it('keeps the order of what is said one after the other', async () => {
    const listener = new Listener(recognizer, BANKING);
    const [first, second] = await Promise.all([caller.says('put the kettle on'), caller.says('where is my card')]);
    listener.begin(first);
    listener.end();
    await listener.hears(second);
    const finals = listener.results.filter(({ kind }) => kind === 'final');
    expect(finals.map(({ segment }) => segment)).toEqual([1, 2]);
    expect(listener.results.findIndex(({ segment }) => segment === 2)).toBeGreaterThan(
      listener.results.indexOf(finals[0]!),
    );
    listener.stream.close();
  });

  it('holds nobody up who cannot wait', async () => {
    const hasty = await start(1);
    const listener = new Listener(hasty, BANKING);
    const outside = await listener.hears(await caller.says('there is somebody at the door'));
    expect(outside).toMatchObject({ rejected: true });
    expect(outside.otherwise).toBeUndefined();
    expect(hasty.stats()).toMatchObject({ understood: 0, nothing: 0, late: 1 });
    listener.stream.close();
    await hasty.close();
  });

  it('that cannot be started leaves all as the grammar has it', async () => {
    const deaf = new SecondEarRecognizer({
      recognizer: await SoundswallowerRecognizer.start({ workers: 1, log: silentLogger }),
      transcriber: new MoonshineTranscriber({ folder: '/nowhere', log: silentLogger }),
      log: silentLogger,
      withinMs: 60_000,
    });
    const listener = new Listener(deaf, BANKING);
    expect(await listener.hears(await caller.says('dinner is ready'))).toMatchObject({ rejected: true });
    expect(await listener.hears(await caller.says('where is my card'))).toMatchObject({ text: 'where is my card' });
    listener.stream.close();
    await deaf.close();
  });
});
