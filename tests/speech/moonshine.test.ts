import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { MoonshineTranscriber } from '../../src/speech/moonshine/moonshine-transcriber.ts';
import { plainWords } from '../../src/speech/moonshine/plain-words.ts';
import { quietCuts } from '../../src/speech/moonshine/quiet-cuts.ts';
import { FREE_SPEECH_MODEL, hasFreeSpeechModel } from '../support/free-speech-model.ts';
import { Caller, inNoise, lineNoise, overTheLine } from './support/telephone.ts';

describe.skipIf(!hasFreeSpeechModel)('free speech', () => {
  const transcriber = new MoonshineTranscriber({ folder: FREE_SPEECH_MODEL, log: silentLogger });
  let caller: Caller;
  beforeAll(async () => {
    caller = await Caller.start('rms');
    await transcriber.prepare();
  });
  afterAll(() => Promise.all([caller.close(), transcriber.close()]));

  const heard = async (text: string) => transcriber.transcribe(await caller.says(text), 1);

  it('is understood in any words', async () => {
    expect(await heard('there is somebody at the door')).toMatchObject({ text: 'there is somebody at the door' });
    const shipped = await heard('I was wondering whether my card is on its way.');
    expect(shipped.text).toContain('wondering whether my card is on its way');
    expect(shipped.confidence).toBeGreaterThan(0.7);
  });

  it('has its figures in words, as the recogniser by grammar writes them', async () => {
    expect((await heard('seven two two, nine five')).text).toBe('seven two two nine five');
  });

  it('is believed less, or is nothing, where nobody speaks', async () => {
    const nothing = await transcriber.transcribe(overTheLine([lineNoise(1500)]), 1);
    expect(nothing.text === '' || nothing.confidence < 0.7, JSON.stringify(nothing)).toBe(true);
    expect(await transcriber.transcribe(new Int16Array(100), 1)).toEqual({ text: '', confidence: 1 });
  });

  it('is told apart from other sentences that may have been said, also where its words are lost in noise', async () => {
    const sentences = ['what is my balance', 'where is my credit card', 'where is my debit card', 'please verify me'];
    for (const [n, sentence] of sentences.entries()) {
      const said = inNoise(await caller.says(sentence), 5);
      await transcriber.transcribe(said, 1);
      const fits = await transcriber.fit(said, sentences, 1);
      expect(fits.indexOf(Math.max(...fits)), `${sentence}: ${fits}`).toBe(n);
      // asked again, or about what has not been transcribed
      const again = await transcriber.fit(said.slice(), sentences.toReversed(), 1);
      again.toReversed().forEach((fit, i) => {
        expect(fit).toBeCloseTo(fits[i]!, 3);
      });
    }
    expect(await transcriber.fit(lineNoise(1000), [], 1)).toEqual([]);
    const short = await transcriber.fit(new Int16Array(100), sentences, 1);
    expect(short.every((fit) => fit === Number.NEGATIVE_INFINITY)).toBe(true);
  });

  it('comes sooner for whom somebody waits by now', async () => {
    const order: string[] = [];
    const ask = (name: string) => {
      const said = lineNoise(1000);
      transcriber.transcribe(said, 1).then(
        () => order.push(name),
        () => undefined,
      );
      return said;
    };
    for (const name of ['running', 'second', 'third']) ask(name);
    // whether it has come to the thread's queue by then or not; none is done before anything else comes up here
    transcriber.hurry(ask('hurried'), 0);
    const last = ask('last');
    for (let i = 0; i < 20; i++) await undefined;
    transcriber.hurry(last, -1);
    await expect.poll(() => order.length, { timeout: 20_000 }).toBe(5);
    expect(order).toEqual(['running', 'last', 'hurried', 'second', 'third']);
  });

  it('fits no sentence of a bank where something else was said', async () => {
    const said = await caller.says('my sister plays the violin');
    const fits = await transcriber.fit(said, ['my sister plays the violin', 'what is my balance', 'goodbye'], 1);
    expect(fits[0]).toBeGreaterThan(0);
    expect(Math.max(fits[1]!, fits[2]!)).toBeLessThan(fits[0]! - 2);
  });

  it('is understood whole when it lasts longer than the model hears at once', async () => {
    const sentences = [
      'there is somebody at the door',
      'the train will be late again',
      'we will call you back tomorrow',
    ];
    const spoken = await Promise.all(sentences.map((text) => caller.says(text)));
    const pause = overTheLine([lineNoise(1200)]);
    const talk = overTheLine([0, 1, 2, 0, 1, 2, 0, 1, 2].flatMap((i) => [spoken[i]!, pause]));
    expect(talk.length).toBeGreaterThan(2 * 8 * 8000);
    const { text } = await transcriber.transcribe(talk, 1);
    for (const words of ['somebody at the door', 'late again', 'call you back']) {
      expect(text.split(words).length - 1, `${words}: ${text}`).toBe(3);
    }
  });

  it('goes on after its thread has died', async () => {
    const speech = await caller.says('There is somebody at the door.');
    const lost = transcriber.transcribe(speech, 1);
    await transcriber.killWorker();
    await expect(lost).rejects.toMatchObject({ code: 'worker-died', retryable: true });
    expect((await transcriber.transcribe(speech, 1)).text).toBe('there is somebody at the door');
  });
});

describe('a model that is none', () => {
  it('says so when it is asked, and again when it is asked again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'moonshine-'));
    writeFileSync(join(folder, 'encoder_model.onnx'), 'no model');
    const transcriber = new MoonshineTranscriber({ folder, log: silentLogger });
    for (let time = 0; time < 2; time++) {
      await expect(transcriber.transcribe(lineNoise(1000), 1)).rejects.toThrow(
        'the model for free speech does not load',
      );
    }
    await transcriber.close();
    rmSync(folder, { recursive: true });
  });
});

describe('what a transcript says', () => {
  it('is put as the recogniser puts it', () => {
    expect(plainWords(' Well, I’d like 75 dollars, please!')).toBe("well i'd like seventy five dollars please");
    expect(plainWords('No, I said six-five.')).toBe('no i said six five');
    expect(plainWords(' ')).toBe('');
  });

  it('has a loop only once', () => {
    expect(plainWords('nine zero two two two two two two')).toBe('nine zero two');
    expect(plainWords("I'm very grateful for you, I'm very grateful")).toBe(
      "i'm very grateful for you i'm very grateful",
    );
    expect(plainWords('yes it is yes it is yes it is yes it is')).toBe('yes it is');
  });
});

describe('speech that is too long to be heard at once', () => {
  it('is cut where it is quiet, and nothing of it is lost', () => {
    const speech = fc.array(fc.integer({ min: -3000, max: 3000 }), { minLength: 0, maxLength: 3000 });
    fc.assert(
      fc.property(speech, fc.integer({ min: 400, max: 1500 }), (samples, most) => {
        const pieces = quietCuts(Int16Array.from(samples), most);
        expect(pieces.every((piece) => piece.length <= most)).toBe(true);
        expect(pieces.flatMap((piece) => [...piece])).toEqual(samples);
      }),
    );
    const talk = new Int16Array(8000).fill(2000);
    talk.fill(0, 5200, 5600);
    const [first] = quietCuts(talk, 7000);
    expect(first!.length).toBeGreaterThan(5200);
    expect(first!.length).toBeLessThan(5600);
  });
});
