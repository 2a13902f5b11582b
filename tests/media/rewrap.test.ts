import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyRing, readKeyRing } from '../../src/media/recording/key-ring.ts';
import { readRecording } from '../../src/media/recording/recording-reader.ts';
import { newSeal, sealWhole } from '../../src/media/recording/sealed-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rewrap-'));
});
afterAll(() => rm(folder, { recursive: true }));

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);

describe('an operator who rotates the key of recordings', () => {
  test('runs one command, after which the old key opens nothing and the new one all', async () => {
    const recordings = join(folder, 'recordings', '2026-11-26');
    await mkdir(recordings, { recursive: true });
    const old = new KeyRing([{ id: 'old', key: OLD }]);
    const audio = Buffer.alloc(100_000, 'audio');
    for (const name of ['a.wav.sealed', 'a.wav.peaks.sealed', 'b.wav.sealed']) {
      await writeFile(join(recordings, name), sealWhole(newSeal(old, 'ogg', 32_000), audio));
    }
    await writeFile(join(recordings, 'plain.wav'), 'RIFF');
    await writeFile(join(recordings, 'broken.wav.sealed'), 'SVCSEAL1');
    const file = join(folder, 'new-key');
    await writeFile(file, NEW.toString('base64'));
    const script = fileURLToPath(new URL('../../scripts/recordings.ts', import.meta.url));
    const rewrap = (setting: string) =>
      promisify(execFile)(process.execPath, [script, 'rewrap'], {
        cwd: folder,
        env: { PATH: process.env.PATH, DATA_DIR: folder, RECORDING_KEY: setting, OLD_KEY: OLD.toString('hex') },
      }).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        (error: { code: number; stdout: string; stderr: string }) => error,
      );
    const first = await rewrap(`new=file:new-key, old=env:OLD_KEY`);
    expect(first.stdout).toBe('3 files are now under key new, 0 were already, 1 failed\n');
    expect(first.stderr).toContain('broken.wav.sealed');
    expect(first.code).toBe(1);
    const renewed = new KeyRing([{ id: 'new', key: NEW }]);
    expect((await readRecording(join(recordings, 'a.wav.sealed'), renewed)).equals(audio)).toBe(true);
    await expect(readRecording(join(recordings, 'a.wav.sealed'), old)).rejects.toMatchObject({ code: 'recording-key' });
    expect(await readFile(join(recordings, 'plain.wav'), 'utf8')).toBe('RIFF');
    await rm(join(recordings, 'broken.wav.sealed'));
    expect((await rewrap('new=file:new-key')).stdout).toBe('0 files are now under key new, 3 were already, 0 failed\n');
  });
});

describe('the setting', () => {
  const resolve = (_: string, name: string) => ({ GOOD: OLD.toString('hex'), SHORT: 'c2hvcnQ=' })[name] ?? fail(name);
  const fail = (name: string): never => {
    throw new Error(`no ${name}`);
  };

  test('names keys by reference and never holds one', () => {
    expect(readKeyRing('', resolve)).toBeUndefined();
    expect(readKeyRing('a=env:GOOD', resolve)!.current.id).toBe('a');
    for (const [setting, complaint] of [
      [OLD.toString('hex'), 'entry 1 is not id=env:NAME or id=file:PATH'],
      ['a=env:SHORT', 'key "a" is not 32 bytes'],
      ['a=env:MISSING', 'key "a" cannot be read: no MISSING'],
      ['a=env:GOOD,a=env:GOOD', 'two keys have one id'],
    ] as const) {
      expect(() => readKeyRing(setting, resolve), setting).toThrow(complaint);
      expect(() => readKeyRing(setting, resolve)).not.toThrow(OLD.toString('hex'));
    }
  });
});
