import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { readModels } from '../../src/speech/soundswallower/acoustic-model.ts';
import { CompiledOnce } from '../../src/speech/soundswallower/compiled-once.ts';
import { GrammarDecoder } from '../../src/speech/soundswallower/decoder.ts';
import { Dictionary } from '../../src/speech/soundswallower/dictionary.ts';
import { type EngineImage, imageOnce, roomForImage } from '../../src/speech/soundswallower/engine-image.ts';
import { FastGaussians } from '../../src/speech/soundswallower/gaussians/fast-gaussians.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { BANKING } from './support/listener.ts';
import { Caller, inNoise } from './support/telephone.ts';

const LIBRARY = dirname(createRequire(import.meta.url).resolve('soundswallower'));
const MODELS = `${LIBRARY}/model/`;
const OTHER = {
  key: 'other',
  jsgf: '#JSGF V1.0; grammar g; public <g> = where is my card | stop the payment please ;',
};

const small = (): EngineImage => ({
  memory: Uint8Array.of(1, 2, 3, 4),
  decoder: 8,
  acmod: 16,
  models: { quiet: 24, 'steady-noise': 32 },
  tables: { memory: Uint8Array.of(5, 6), runs: 7 },
});

it('a decoder begins with no words but ours, whatever this process has had in memory', async () => {
  const cache = new GrammarCache(await Dictionary.load(`${MODELS}en-us/dict.txt`));
  const models = await readModels(`${MODELS}en-us/`);
  const other = cache.get(OTHER);
  // As large as what a file of unknown length is read into, with words that the grammar brings, and let go of again.
  const line = Buffer.from('where W EH R\npayment P EY M AH N T\n');
  for (let n = 0; n < 400; n++) Buffer.allocUnsafeSlow(65_536).fill(line);
  await collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const decoder = await GrammarDecoder.create(MODELS, models);
  expect(() => decoder.load(other)).not.toThrow();
});

describe('a decoder that is a copy of another', () => {
  let started: GrammarDecoder;
  let copy: GrammarDecoder;
  let speech: Int16Array[];
  let cache: GrammarCache;

  beforeAll(async () => {
    cache = new GrammarCache(await Dictionary.load(`${MODELS}en-us/dict.txt`));
    const gaussians = new FastGaussians();
    started = await GrammarDecoder.create(MODELS, await readModels(`${MODELS}en-us/`), gaussians);
    const image = await imageOnce(roomForImage(), async () => started.image(gaussians));
    const code = await WebAssembly.compile(await readFile(`${LIBRARY}/soundswallower.node.wasm`));
    copy = await GrammarDecoder.copy(image, code, new FastGaussians(image.tables));
    const awb = await Caller.start('awb');
    const said = await awb.says('what is my savings account balance');
    speech = [said, inNoise(said, 12)];
    await awb.close();
  });

  const heard = (decoder: GrammarDecoder) =>
    speech.flatMap((pcm) => [decoder.again(pcm, 'quiet'), decoder.again(pcm, 'steady-noise')]);

  it('hears the same, to the last figure of its guesses, with any grammar', () => {
    for (const hints of [OTHER, BANKING]) {
      for (const decoder of [started, copy]) decoder.load(cache.get(hints));
      expect(heard(copy)).toEqual(heard(started));
    }
    expect(heard(copy)[0]!.text).toBe('what is my savings account balance');
  });

  it('takes over the grammar of another, and later ones as well', () => {
    started.load(cache.get(OTHER));
    copy.takeAfter(started);
    expect([copy.key, copy.grammarSize]).toEqual([started.key, started.grammarSize]);
    expect(heard(copy)).toEqual(heard(started));
    for (const decoder of [started, copy]) decoder.load(cache.get(BANKING));
    expect(heard(copy)).toEqual(heard(started));
  });
});

describe('the image of an engine', () => {
  it('is made by one thread; another one that asks meanwhile gets it when it is there', async () => {
    const room = roomForImage();
    const module = JSON.stringify(new URL('../../src/speech/soundswallower/engine-image.ts', import.meta.url).href);
    const other = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       import(${module}).then(async ({ imageOnce }) => {
         parentPort.postMessage('asks');
         parentPort.postMessage(await imageOnce(workerData, () => { throw new Error('made twice'); }));
       });`,
      { eval: true, workerData: room },
    );
    const said: unknown[] = [];
    const failed = new Promise((_, reject) => other.once('error', reject));
    const next = () => Promise.race([new Promise((resolve) => other.once('message', resolve)), failed]);
    const made = await imageOnce(room, async () => {
      said.push(await next());
      return small();
    });
    said.push(await next());
    await other.terminate();
    expect(said).toEqual(['asks', made]);
    expect(made).toEqual(small());
  });

  it('is made by the next one where making it has failed', async () => {
    const room = roomForImage();
    const broken = imageOnce(room, () => Promise.reject(new Error('no memory')));
    await expect(broken).rejects.toThrow('no memory');
    expect(await imageOnce(room, async () => small())).toEqual(small());
    expect(await imageOnce(room, () => Promise.reject(new Error('made twice')))).toEqual(small());
  });
});

describe('a grammar that several threads need', () => {
  it('is compiled by one of them, and by another when that one has died', () => {
    const once = new CompiledOnce<string>();
    expect([once.mayAsk('g', 'first'), once.mayAsk('g', 'second'), once.mayAsk('g', 'first')]).toEqual([
      true,
      false,
      true,
    ]);
    once.forget('first');
    expect(once.mayAsk('g', 'second')).toBe(true);
    once.put('g', Uint8Array.of(1));
    expect([once.mayAsk('g', 'third'), once.get('g')]).toEqual([true, Uint8Array.of(1)]);
  });
});
