import { mkdtemp, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { Dictionary, dictionaryIn } from '../../src/speech/soundswallower/dictionary.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';
import { compilerHash, KeptGrammars } from '../../src/speech/soundswallower/kept-grammars.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { BANKING, Listener } from './support/listener.ts';
import { Caller } from './support/telephone.ts';

const DICTIONARY = dictionaryIn(`${dirname(createRequire(import.meta.url).resolve('soundswallower'))}/model/`);
const GRAMMAR = {
  key: 'short',
  jsgf: '#JSGF V1.0;\ngrammar short;\npublic <short> = block my card | where is my card;\n',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grammars-'));
});
beforeEach(() => rm(folder, { recursive: true, force: true }));
afterAll(() => rm(folder, { recursive: true, force: true }));

const kept = async () => (await readdir(folder).catch(() => [])).filter((name) => !name.includes('.'));

/** What a recogniser that is started, told what callers will say, and stopped again understands. */
async function heardBy(caller: Caller, text: string): Promise<string> {
  const recognizer = await SoundswallowerRecognizer.start({
    workers: 1,
    decodersPerWorker: 1,
    keepIn: folder,
    log: silentLogger,
  });
  try {
    recognizer.prepare(BANKING);
    const listener = new Listener(recognizer, BANKING);
    const { text: heard } = await listener.hears(await caller.says(text));
    listener.stream.close();
    return heard;
  } finally {
    await recognizer.close();
  }
}

test('the next start takes the grammar that an earlier one has compiled, and understands the same', async () => {
  const caller = await Caller.start('rms');
  const first = await heardBy(caller, 'please block my card');
  await expect.poll(kept).toHaveLength(1);
  const file = join(folder, (await kept())[0]!);
  const { mtimeMs } = await stat(file);
  expect(await heardBy(caller, 'please block my card')).toBe(first);
  expect(first).toBe('please block my card');
  // Compiled anew it would have been written anew.
  expect((await stat(file)).mtimeMs).toBe(mtimeMs);
  await caller.close();
});

test('a grammar is that of its words and of its compiler, whole or not there', async () => {
  const compiled = new GrammarCache(await Dictionary.load(DICTIONARY)).get(GRAMMAR);
  new KeptGrammars(folder, 'one').put(GRAMMAR, compiled);
  expect(new KeptGrammars(folder, 'one').get(GRAMMAR)).toEqual(compiled);
  expect(new KeptGrammars(folder, 'another').get(GRAMMAR)).toBeUndefined();
  const more = GRAMMAR.jsgf.replace('block', 'please block');
  expect(new KeptGrammars(folder, 'one').get({ ...GRAMMAR, jsgf: more })).toBeUndefined();
  const file = join(folder, (await kept())[0]!);
  await truncate(file, (await readFile(file)).length - 1);
  expect(new KeptGrammars(folder, 'one').get(GRAMMAR)).toBeUndefined();
});

test('a compiler is known by its sources and its dictionary', async () => {
  const hash = await compilerHash(DICTIONARY);
  expect(await compilerHash(DICTIONARY)).toBe(hash);
  expect(await compilerHash(import.meta.filename)).not.toBe(hash);
});
