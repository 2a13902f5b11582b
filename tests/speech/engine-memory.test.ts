import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModels } from '../../src/speech/soundswallower/acoustic-model.ts';
import { GrammarDecoder } from '../../src/speech/soundswallower/decoder.ts';
import { Dictionary } from '../../src/speech/soundswallower/dictionary.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';
import { BANKING } from './support/listener.ts';
import { Caller, inNoise } from './support/telephone.ts';

const MODELS = `${dirname(createRequire(import.meta.url).resolve('soundswallower'))}/model/`;

let decoder: GrammarDecoder;
let speech: Int16Array;

beforeAll(async () => {
  const dictionary = await Dictionary.load(`${MODELS}en-us/dict.txt`);
  decoder = await GrammarDecoder.create(MODELS, await readModels(`${MODELS}en-us/`));
  decoder.load(new GrammarCache(dictionary).get(BANKING));
  const awb = await Caller.start('awb');
  speech = await awb.says('what is my savings account balance');
  await awb.close();
});
afterAll(() => decoder.abandon());

describe('the engine behind the decoder', () => {
  it('goes on from how this caller sounded before, and learns more of it', () => {
    const before = { mean: Array.from({ length: 13 }, (_, i) => 40 - i), frames: 100 };
    decoder.start({ acoustics: 'quiet', mean: before });
    expect(decoder.mean.frames).toBe(100);
    for (const [i, value] of decoder.mean.mean.entries()) expect(value).toBeCloseTo(before.mean[i]!, 3);
    for (let at = 0; at < speech.length; at += 160) decoder.write(speech.subarray(at, at + 160));
    expect(decoder.finish().text).toBe('what is my savings account balance');
    expect(decoder.mean.frames).toBeGreaterThan(100 + speech.length / 80 - 60);
    expect(decoder.mean.mean).not.toEqual(before.mean);
  });

  it('looks at a whole utterance by itself, without a trace in what it knows of the caller', () => {
    const far = { mean: Array.from({ length: 13 }, () => 30), frames: 150 };
    decoder.start({ acoustics: 'quiet', mean: far });
    decoder.abandon();
    const { mean } = decoder;
    expect(decoder.again(speech, 'quiet').text).toBe('what is my savings account balance');
    expect(decoder.mean).toEqual(mean);
  });

  it('has a model for steady noise beside that for quiet lines', () => {
    const costOf = (acoustics: 'quiet' | 'steady-noise', pcm: Int16Array) =>
      decoder
        .again(pcm, acoustics)
        .segments.filter(({ t }) => /^[a-z]/.test(t))
        .reduce((sum, { p, d }, _, all) => sum - Math.log(p) / d / all.length, 0);
    const noisy = inNoise(speech, 12);
    expect(costOf('steady-noise', noisy)).toBeLessThan(costOf('quiet', noisy));
    expect(decoder.again(speech, 'quiet').text).toBe('what is my savings account balance');
  });
});
