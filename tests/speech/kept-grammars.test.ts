import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { Dictionary, dictionaryIn } from '../../src/speech/soundswallower/dictionary.ts';
import { engineMadeBy } from '../../src/speech/soundswallower/engine-makers.ts';
import { GrammarCache } from '../../src/speech/soundswallower/grammar-cache.ts';
import { KeptGrammars } from '../../src/speech/soundswallower/kept-grammars.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { BANKING, Listener } from './support/listener.ts';
import { Caller } from './support/telephone.ts';

const LIBRARY = dirname(createRequire(import.meta.url).resolve('soundswallower'));
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

const kept = async (what = '') =>
  (await readdir(join(folder, what)).catch(() => [])).filter((name) => !name.includes('.'));

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
  await expect.poll(() => kept('grammars')).toHaveLength(1);
  const [grammar, engine] = await Promise.all(
    ['grammars', 'engine'].map(async (what) => join(folder, what, (await kept(what))[0]!)),
  );
  const writtenAt = async () => (await Promise.all([stat(grammar!), stat(engine!)])).map(({ mtimeMs }) => mtimeMs);
  const before = await writtenAt();
  expect(await heardBy(caller, 'please block my card')).toBe(first);
  expect(first).toBe('please block my card');
  // Made anew they would have been written anew.
  expect(await writtenAt()).toEqual(before);
  const whole = await readFile(engine!);
  const half = Buffer.from(whole).fill(0, whole.length >> 1);
  await writeFile(engine!, half);
  expect(await heardBy(caller, 'please block my card')).toBe(first);
  const again = await readFile(engine!);
  expect([again.length, again.equals(half)]).toEqual([whole.length, false]);
  await caller.close();
});

test('a grammar is that of its words and of its compiler, whole or not there', async () => {
  const compiled = new GrammarCache(await Dictionary.load(dictionaryIn(`${LIBRARY}/model/`))).get(GRAMMAR);
  new KeptGrammars(folder, 'one').put(GRAMMAR, compiled);
  expect(new KeptGrammars(folder, 'one').get(GRAMMAR)).toEqual(compiled);
  expect(new KeptGrammars(folder, 'another').get(GRAMMAR)).toBeUndefined();
  const more = GRAMMAR.jsgf.replace('block', 'please block');
  expect(new KeptGrammars(folder, 'one').get({ ...GRAMMAR, jsgf: more })).toBeUndefined();
  const file = join(folder, (await kept())[0]!);
  await truncate(file, (await readFile(file)).length - 1);
  expect(new KeptGrammars(folder, 'one').get(GRAMMAR)).toBeUndefined();
});

test('what is made is known by what it is made by', async () => {
  const hash = engineMadeBy(LIBRARY);
  expect(engineMadeBy(LIBRARY)).toBe(hash);
  await cp(LIBRARY, folder, { recursive: true });
  const copied = engineMadeBy(folder);
  await truncate(join(folder, 'model/en-us/means'), 10);
  const cut = engineMadeBy(folder);
  await writeFile(join(folder, 'package.json'), '{"name":"soundswallower","version":"0.7.0"}');
  expect(new Set([hash, copied, cut, engineMadeBy(folder)]).size).toBe(4);
});
