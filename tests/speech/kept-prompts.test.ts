import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { FliteSynthesizer } from '../../src/speech/flite/flite-synthesizer.ts';
import { KeptRuns } from '../../src/speech/flite/kept-runs.ts';

const PROMPT = 'Welcome to the bank.';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prompts-'));
});
beforeEach(() => rm(folder, { recursive: true, force: true }));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a connector that is started, makes its prompts ready and is stopped again has to say. */
async function started(keepIn: string, say = PROMPT): Promise<Int16Array> {
  const voice = await FliteSynthesizer.start({ workers: 1, voice: 'kal', keepIn, log: silentLogger });
  try {
    await voice.warm([PROMPT], { lasting: true });
    const chunks = await Array.fromAsync(voice.speak(say, new AbortController().signal));
    return Int16Array.from(chunks.flatMap(({ pcm }) => [...pcm]));
  } finally {
    await voice.close();
  }
}
const kept = async () => (await readdir(folder)).sort();
const written = async () => Promise.all((await kept()).map((name) => readFile(join(folder, name))));

test('prompts stay from one start to the next and sound the same; what is only said in a call stays nowhere', async () => {
  const first = await started(folder);
  const files = await kept();
  expect(files.length).toBeGreaterThan(0);
  expect(await started(folder)).toEqual(first);
  await started(folder, 'Your balance is low.');
  expect(await kept()).toEqual(files);
});

test('what is there is used, and not made again; but for what has changed on the disk', async () => {
  const first = await started(folder);
  const whole = await written();
  const writtenAt = async () =>
    Promise.all((await kept()).map(async (name) => (await stat(join(folder, name))).mtimeMs));
  const before = await writtenAt();
  await started(folder);
  expect(await writtenAt()).toEqual(before);
  for (const name of await kept()) {
    const bytes = await readFile(join(folder, name));
    await writeFile(join(folder, name), bytes.fill(0, bytes.length >> 1));
  }
  expect(await started(folder)).toEqual(first);
  expect(await written()).toEqual(whole);
});

test('a file that was cut off is made anew, and a folder that cannot be made is none', async () => {
  const first = await started(folder);
  const whole = await written();
  for (const name of await kept()) await truncate(join(folder, name), 20);
  expect(await started(folder)).toEqual(first);
  expect(await written()).toEqual(whole);
  // There is a file of that name.
  expect(await started(join(folder, (await kept())[0]!))).toEqual(first);
});

test('another version of the program has speech of its own', () => {
  const run = { exitCode: 0, stdout: 'pau 0.1', file: new Uint8Array([1, 2, 3]) };
  new KeptRuns(folder, 'flite 1').put(['-t', 'hello'], run);
  expect(new KeptRuns(folder, 'flite 1').get(['-t', 'hello'])).toMatchObject({ stdout: 'pau 0.1', exitCode: 0 });
  expect(new KeptRuns(folder, 'flite 1').get(['-t hello'])).toBeUndefined();
  expect(new KeptRuns(folder, 'flite 2').get(['-t', 'hello'])).toBeUndefined();
});

test('there is room for so much: what was made first goes', async () => {
  const runs = new KeptRuns(folder, 'flite 1');
  const run = { exitCode: 0, stdout: '', file: new Uint8Array(16 << 20) };
  for (let i = 0; i < 5; i++) runs.put([String(i)], run);
  expect(await kept()).toHaveLength(5);
  new KeptRuns(folder, 'flite 1');
  expect(await kept()).toHaveLength(1);
});
