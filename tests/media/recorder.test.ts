import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Recorder } from '../../src/media/recorder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorder-'));
});
afterAll(() => rm(folder, { recursive: true }));

const frame = (value: number) => new Int16Array(160).fill(value);

function channels(wav: Buffer): { left: Int16Array; right: Int16Array } {
  const values = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
  return { left: values.filter((_, i) => i % 2 === 0), right: values.filter((_, i) => i % 2 === 1) };
}

describe('a recording', () => {
  test('is stereo at 8 kHz, the caller left and the bot right, aligned in time', async () => {
    const path = join(folder, 'a/b/call.wav');
    const recorder = new Recorder(path, (message) => expect.fail(message));
    for (let i = 0; i < 125; i++) recorder.push(i < 60 ? frame(100 + i) : undefined, i >= 50 ? frame(-i) : undefined);
    const result = await recorder.close();
    expect(result).toMatchObject({ path, durationMs: 2500, bytes: 44 + 2500 * 32, droppedBatches: 0 });
    const wav = await readFile(path);
    expect(wav.length).toBe(result!.bytes);
    expect(wav.toString('latin1', 0, 4) + wav.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
    expect([
      wav.readUInt32LE(4),
      wav.readUInt16LE(22),
      wav.readUInt32LE(24),
      wav.readUInt16LE(34),
      wav.readUInt32LE(40),
    ]).toEqual([wav.length - 8, 2, 8000, 16, wav.length - 44]);
    const { left, right } = channels(wav);
    for (let i = 0; i < 125; i++) {
      expect(left[i * 160 + 80]).toBe(i < 60 ? 100 + i : 0);
      expect(right[i * 160 + 80]).toBe(i >= 50 ? -i : 0);
    }
  });

  test('hides the caller while masked, and keeps the bot', async () => {
    const recorder = new Recorder(join(folder, 'masked.wav'), (message) => expect.fail(message));
    recorder.push(frame(7), frame(9));
    recorder.masked = true;
    recorder.push(frame(7), frame(9));
    recorder.masked = false;
    recorder.push(frame(7), frame(9));
    await recorder.close();
    const { left, right } = channels(await readFile(join(folder, 'masked.wav')));
    expect([left[0], left[160], left[320]]).toEqual([7, 0, 7]);
    expect([right[0], right[160], right[320]]).toEqual([9, 9, 9]);
  });

  test('can be played while it is still being written', async () => {
    const path = join(folder, 'live.wav');
    const recorder = new Recorder(path, (message) => expect.fail(message));
    for (let i = 0; i < 50 * 6; i++) recorder.push(frame(1), frame(2));
    await expect.poll(async () => (await readFile(path)).readUInt32LE(40)).toBeGreaterThanOrEqual(5 * 32_000);
    await recorder.close();
  });

  test('memory is bounded: what a slow disk cannot take is silence in its place', async () => {
    const path = join(folder, 'slow.wav');
    const recorder = new Recorder(path, (message) => expect.fail(message));
    // All in one go: the disk gets no turn before the end.
    for (let i = 0; i < 50 * 40; i++) recorder.push(frame(Math.floor(i / 50) + 1), undefined);
    const result = await recorder.close();
    expect(result!.droppedBatches).toBe(20);
    expect(result!.durationMs).toBe(40_000);
    const { left } = channels(await readFile(path));
    const seconds = Array.from({ length: 40 }, (_, s) => left[s * 8000]!);
    for (const [s, value] of seconds.entries()) expect([0, s + 1]).toContain(value);
    expect(seconds.filter((value) => value === 0)).toHaveLength(20);
    expect(seconds.at(-1)).toBe(40);
  });

  test('a disk error is reported once and ends only the recording', async () => {
    await writeFile(join(folder, 'file'), '');
    const failures: string[] = [];
    const recorder = new Recorder(join(folder, 'file/call.wav'), (message) => failures.push(message));
    for (let i = 0; i < 120; i++) recorder.push(frame(1), frame(2));
    expect(await recorder.close()).toBeUndefined();
    expect(failures).toHaveLength(1);
    recorder.push(frame(1), frame(2));
  });
});
