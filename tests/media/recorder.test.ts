import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { completeRecording, lostMs, Recorder } from '../../src/media/recording/recorder.ts';
import { RecordingBuffer } from '../../src/media/recording/recording-buffer.ts';
import { readRecording } from '../../src/media/recording/recording-reader.ts';
import { chunkAt, HEADER_BYTES, newSeal, rewrapped, type Seal } from '../../src/media/recording/sealed-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorder-'));
});
afterAll(() => rm(folder, { recursive: true }));

const DELAY = 3;
const spec = (path: string, seal?: Seal) => ({ path, seal, buffer: RecordingBuffer.memory(DELAY) });
const fail = (message: string) => expect.fail(message);
/** A recorder whose frames come 20 ms apart, from the moment 0 on. */
function recorderOf(path: string, seal?: Seal, buffer = RecordingBuffer.memory(DELAY)) {
  const recorder = new Recorder({ path, seal, buffer }, fail);
  let at = -20;
  const push = (left?: Int16Array, right?: Int16Array) => {
    at += 20;
    recorder.push(left, right, at);
    recorder.handOn();
  };
  return { recorder, buffer, push };
}

const frame = (value: number) => new Int16Array(160).fill(value);

function channels(wav: Buffer): { left: Int16Array; right: Int16Array } {
  const values = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
  return { left: values.filter((_, i) => i % 2 === 0), right: values.filter((_, i) => i % 2 === 1) };
}

describe('a recording', () => {
  test('is stereo at 8 kHz, the caller left and the bot right, aligned in time', async () => {
    const path = join(folder, 'a/b/call.wav');
    const { recorder, push } = recorderOf(path);
    for (let i = 0; i < 125; i++) push(i < 60 ? frame(100 + i) : undefined, i >= 50 ? frame(-i) : undefined);
    const result = await recorder.close();
    expect(result).toMatchObject({ path, durationMs: 2500, bytes: 44 + 2500 * 32, droppedSeconds: 0 });
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
    const { recorder, push } = recorderOf(join(folder, 'masked.wav'));
    push(frame(7), frame(9));
    recorder.masked = true;
    push(frame(7), frame(9));
    recorder.masked = false;
    push(frame(7), frame(9));
    await recorder.close();
    const { left, right } = channels(await readFile(join(folder, 'masked.wav')));
    expect([left[0], left[160], left[320]]).toEqual([7, 0, 7]);
    expect([right[0], right[160], right[320]]).toEqual([9, 9, 9]);
  });

  test('can be played while it is still being written', async () => {
    const path = join(folder, 'live.wav');
    const { recorder, push } = recorderOf(path);
    for (let i = 0; i < 50 * (6 + DELAY); i++) push(frame(1), frame(2));
    await expect.poll(async () => (await readFile(path)).readUInt32LE(40)).toBeGreaterThanOrEqual(5 * 32_000);
    await recorder.close();
  });

  test('memory is bounded: what a slow disk cannot take is silence in its place', async () => {
    const path = join(folder, 'slow.wav');
    const { recorder, push } = recorderOf(path);
    // All in one go: the disk gets no turn before the end.
    for (let i = 0; i < 50 * 40; i++) push(frame(Math.floor(i / 50) + 1), undefined);
    const result = await recorder.close();
    // Twenty wait for the disk, the last three have not waited long enough before the end.
    expect(result!.droppedSeconds).toBe(40 - 20 - DELAY);
    expect(result!.durationMs).toBe(40_000);
    const { left } = channels(await readFile(path));
    const seconds = Array.from({ length: 40 }, (_, s) => left[s * 8000]!);
    for (const [s, value] of seconds.entries()) expect([0, s + 1]).toContain(value);
    expect(seconds.filter((value) => value === 0)).toHaveLength(40 - 20 - DELAY);
    expect(seconds.at(-1)).toBe(40);
  });

  test('touches no disk while packets of calls are leaving, and loses nothing by being handed on a second later', async () => {
    const path = join(folder, 'between.wav');
    const recorder = new Recorder(spec(path), fail);
    for (let i = 0; i < (DELAY + 2) * 50; i++) recorder.push(frame(1 + Math.floor(i / 50)), undefined, i * 20);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(stat(path)).rejects.toThrow('ENOENT');
    recorder.handOn();
    await expect
      .poll(() =>
        stat(path).then(
          ({ size }) => size,
          () => 0,
        ),
      )
      .toBe(44 + 2 * 32_000);
    await recorder.close();
    const { left } = channels(await readFile(path));
    expect(Array.from({ length: DELAY + 2 }, (_, second) => left[second * 8000])).toEqual([1, 2, 3, 4, 5]);
  });

  test('a disk error is reported once and ends only the recording', async () => {
    await writeFile(join(folder, 'file'), '');
    const failures: string[] = [];
    const recorder = new Recorder(spec(join(folder, 'file/call.wav')), (message) => failures.push(message));
    for (let i = 0; i < 120; i++) recorder.push(frame(1), frame(2), i * 20);
    expect(await recorder.close()).toBeUndefined();
    expect(failures).toHaveLength(1);
    recorder.push(frame(1), frame(2), 2400);
  });

  test('a disk that is full from the beginning holds no file open', async () => {
    const reasons: string[] = [];
    const recorder = new Recorder(spec('/dev/full'), (reason) => reasons.push(reason));
    expect(await recorder.close()).toBeUndefined();
    expect(reasons).toEqual([expect.stringContaining('ENOSPC')]);
    const open = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    expect(await Promise.all(open)).not.toContain('/dev/full');
  });

  test('that is paused is silent on both sides for as long, and goes on in its place', async () => {
    const { recorder, push } = recorderOf(join(folder, 'paused.wav'));
    for (const paused of [false, true, false]) {
      recorder.paused = paused;
      for (let i = 0; i < 60; i++) push(frame(7), frame(9));
    }
    await recorder.close();
    const { left, right } = channels(await readFile(join(folder, 'paused.wav')));
    expect([left[0], left[60 * 160], left[119 * 160], left[120 * 160]]).toEqual([7, 0, 0, 7]);
    expect([right[0], right[60 * 160], right[119 * 160], right[120 * 160]]).toEqual([9, 0, 0, 9]);
  });
});

describe('a recording of G.711', () => {
  test('waits in half the memory, and loses nothing of what came and went as octets', async () => {
    const path = join(folder, 'companded.wav');
    const buffer = RecordingBuffer.memory(DELAY, 'companded');
    expect(buffer.byteLength).toBeLessThan(RecordingBuffer.memory(DELAY).byteLength * 0.51);
    const { recorder, push } = recorderOf(path, undefined, buffer);
    const octets = Int16Array.from({ length: 160 }, (_, i) => PCMU.toLinear[i]!);
    const others = Int16Array.from({ length: 160 }, (_, i) => PCMU.toLinear[(i + 96) & 0xff]!);
    for (let i = 0; i < 260; i++) push(octets, i % 50 === 7 ? undefined : others);
    recorder.silence(4000, 4500);
    await recorder.close();
    const { left, right } = channels(await readFile(path));
    for (let i = 0; i < 260; i++) {
      const silenced = i >= 200 && i < 226;
      expect(left.subarray(i * 160, i * 160 + 160)).toEqual(silenced ? frame(0) : octets);
      expect(right.subarray(i * 160, i * 160 + 160)).toEqual(i % 50 === 7 ? frame(0) : others);
    }
  });
});

describe('the memory of a recording', () => {
  test('serves the next call, which finds nothing of the one before in it', async () => {
    const memory = RecordingBuffer.memory(DELAY, 'companded');
    const first = recorderOf(join(folder, 'first.wav'), undefined, memory);
    for (let i = 0; i < 60; i++) first.push(frame(1000), frame(2000));
    await first.recorder.close();
    RecordingBuffer.recycle(memory);
    expect(RecordingBuffer.memory(DELAY)).not.toBe(memory);
    expect(RecordingBuffer.memory(DELAY, 'companded')).toBe(memory);
    const buffer = new RecordingBuffer(memory);
    expect([buffer.frames, buffer.secondsOnDisk, buffer.at]).toEqual([0, 0, 0]);
    const second = recorderOf(join(folder, 'second.wav'), undefined, memory);
    for (let i = 0; i < 10; i++) second.push(undefined, undefined);
    expect((await second.recorder.close())!.durationMs).toBe(200);
    const { left, right } = channels(await readFile(join(folder, 'second.wav')));
    expect([...left, ...right].every((value) => value === 0)).toBe(true);
  });
});

describe('a secret that is recognised only after it was said', () => {
  test('never reaches the disk: the caller is silenced from its beginning to its end, the bot is not', async () => {
    const path = join(folder, 'secret.wav');
    const { recorder, buffer, push } = recorderOf(path);
    for (let i = 0; i < 250; i++) push(frame(i + 1), frame(1000));
    // Said from 2.1 to 4 s, known at 5 s; the end of it is still to come.
    recorder.silence(2100, 4000);
    recorder.silence(4800, 5200);
    await expect.poll(() => new RecordingBuffer(buffer).secondsOnDisk).toBe(2);
    expect((await readFile(path)).length).toBe(44 + 2 * 32_000);
    for (let i = 250; i < 300; i++) push(frame(i + 1), frame(1000));
    await recorder.close();
    const { left, right } = channels(await readFile(path));
    const silent = Array.from({ length: 300 }, (_, i) => i).filter((i) => left[i * 160] === 0);
    expect(silent).toEqual([...range(105, 200), ...range(240, 260)]);
    expect(right.every((value) => value === 1000)).toBe(true);
  });

  test('and what is on the disk already stays: the delay is a bound, not a promise', async () => {
    const path = join(folder, 'late.wav');
    const { recorder, push } = recorderOf(path);
    for (let i = 0; i < 500; i++) push(frame(1), undefined);
    await expect.poll(async () => (await readFile(path)).length).toBe(44 + (10 - DELAY) * 32_000);
    recorder.silence(0, 10_000);
    await recorder.close();
    const { left } = channels(await readFile(path));
    expect(Array.from({ length: 10 }, (_, s) => left[s * 8000])).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
  });
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('a recording whose worker dies', () => {
  test('goes on in another with nothing lost but the gap, sealed or not', async () => {
    for (const seal of [undefined, newSeal(RING, 'pcm', 32_000)]) {
      const path = join(folder, `two-workers.${seal ? 'sealed' : 'wav'}`);
      const first = recorderOf(path, seal);
      for (let i = 0; i < 285; i++) first.push(frame(i + 1), undefined);
      await expect.poll(() => new RecordingBuffer(first.buffer).secondsOnDisk).toBe(5 - DELAY);
      expect(lostMs({ path, seal, buffer: first.buffer })).toBe(0);
      const second = recorderOf(path, seal, first.buffer);
      second.recorder.skip(40);
      for (let i = 0; i < 30; i++) second.push(frame(500 + i), undefined);
      const result = await second.recorder.close();
      expect(result!.durationMs).toBe((285 + 40 + 30) * 20);
      const { left } = channels(await readRecording(path, RING));
      expect(Array.from({ length: 355 }, (_, i) => left[i * 160])).toEqual([
        ...range(1, 285),
        ...Array(40).fill(0),
        ...range(500, 529),
      ]);
    }
  });

  test('or lets go of it: what has not waited long enough is still to be silenced in the other', async () => {
    const path = join(folder, 'handed-over.wav');
    const first = recorderOf(path);
    for (let i = 0; i < 285; i++) first.push(frame(i + 1), undefined);
    await first.recorder.leave();
    first.push(frame(9), undefined);
    expect((await readFile(path)).length).toBe(44 + (5 - DELAY) * 32_000);
    const second = recorderOf(path, undefined, first.buffer);
    second.recorder.silence(4000, 4500);
    await second.recorder.close();
    const { left } = channels(await readFile(path));
    expect(Array.from({ length: 285 }, (_, i) => left[i * 160])).toEqual([
      ...range(1, 200),
      ...Array(26).fill(0),
      ...range(227, 285),
    ]);
  });

  test('and that nobody goes on with is completed from what it left in memory', async () => {
    const path = join(folder, 'left.wav');
    const { buffer, push } = recorderOf(path);
    for (let i = 0; i < 130; i++) push(frame(i + 1), undefined);
    const result = await completeRecording({ path, seal: undefined, buffer });
    expect(result).toMatchObject({ durationMs: 2600, bytes: 44 + 2600 * 32 });
    expect(channels(await readFile(path)).left[129 * 160]).toBe(130);
    expect(await completeRecording(spec(join(folder, 'none.wav')))).toBeUndefined();
  });
});

const key = (fill: number) => new Uint8Array(32).fill(fill);
const RING = new KeyRing([{ id: '2026', key: key(1) }]);

describe('a recording at rest', () => {
  /** A sealed recording of `frames`, each with its number in it. */
  async function sealed(name: string, frames: number, ring = RING): Promise<string> {
    const path = join(folder, `${name}.sealed`);
    const { recorder, push } = recorderOf(path, newSeal(ring, 'pcm', 32_000));
    for (let i = 0; i < frames; i++) push(frame(i + 1), frame(-1000));
    const result = await recorder.close();
    expect(result).toMatchObject({ durationMs: frames * 20, bytes: 44 + frames * 640 });
    return path;
  }
  const reading = (path: string, ring: KeyRing | undefined = RING) => readRecording(path, ring);

  test('is the same WAV for who has the key, and noise for who has not', async () => {
    const path = await sealed('sealed', 175);
    const wav = await reading(path);
    expect(wav.length).toBe(44 + 175 * 640);
    expect(wav.readUInt32LE(40)).toBe(175 * 640);
    const { left } = channels(wav);
    expect(Array.from({ length: 175 }, (_, i) => left[i * 160])).toEqual(range(1, 175));
    const file = (await readFile(path)).subarray(HEADER_BYTES);
    // As likely as in noise: every value of a byte, none much more often than another.
    const counts = new Array<number>(256).fill(0);
    for (const byte of file) counts[byte]!++;
    const expected = file.length / 256;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(400);
    await expect(readRecording(path, undefined)).rejects.toMatchObject({ code: 'recording-key' });
    await expect(reading(path, new KeyRing([{ id: '2026', key: key(2) }]))).rejects.toMatchObject({
      code: 'recording-key',
    });
    await expect(reading(path, new KeyRing([{ id: 'other', key: key(1) }]))).rejects.toThrow('"2026"');
  });

  test('is found out when a byte is changed, when chunks change places, when it is cut or comes from another', async () => {
    const path = await sealed('whole', 175);
    const other = await readFile(await sealed('other', 175));
    const file = await readFile(path);
    const [at, next, last] = [0, 1, 3].map((index) => chunkAt(32_000, index)) as [number, number, number];
    const tampered: Record<string, Buffer> = {
      swapped: Buffer.concat([
        file.subarray(0, at),
        file.subarray(next, 2 * next - at),
        file.subarray(at, next),
        file.subarray(2 * next - at),
      ]),
      foreign: Buffer.concat([file.subarray(0, at), other.subarray(at, next), file.subarray(next)]),
      doubled: Buffer.concat([file.subarray(0, next), file.subarray(at)]),
    };
    for (const [name, bytes] of Object.entries(tampered)) {
      await writeFile(join(folder, `${name}.sealed`), bytes);
      await expect(reading(join(folder, `${name}.sealed`)), name).rejects.toMatchObject({ code: 'recording-damaged' });
    }
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: file.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (where, bits) => {
          const changed = Buffer.from(file);
          changed[where]! ^= bits;
          await writeFile(join(folder, 'changed.sealed'), changed);
          // The header's rest is unused; anything else is noticed.
          if (where >= 140 && where < HEADER_BYTES) return;
          await expect(reading(join(folder, 'changed.sealed'))).rejects.toThrow();
        },
      ),
      { numRuns: 60 },
    );
    for (const end of [last, last - 1, file.length - 1, next]) {
      await writeFile(join(folder, 'cut.sealed'), file.subarray(0, end));
      await expect(reading(join(folder, 'cut.sealed'))).rejects.toThrow(/not whole|changed|cut off/);
    }
  });

  test('whose process was killed can be read up to the last chunk, and says that it is not whole', async () => {
    const file = await readFile(await sealed('killed', 175));
    const cut = join(folder, 'torn.sealed');
    await writeFile(cut, file.subarray(0, chunkAt(32_000, 2) + 1000));
    const { bytes, complete } = await readRecording(cut, RING, { whole: false });
    expect(complete).toBe(false);
    expect(bytes.length).toBe(44 + 2 * 32_000);
    expect(channels(bytes).left[99 * 160]).toBe(100);
  });

  test('goes over to a new key by its header alone; old ones are read as long as their key is there', async () => {
    const path = await sealed('rotated', 60);
    const rotated = new KeyRing([
      { id: '2027', key: key(3) },
      { id: '2026', key: key(1) },
    ]);
    expect((await reading(path, rotated)).length).toBe(44 + 60 * 640);
    const before = await readFile(path);
    const header = rewrapped(before.subarray(0, HEADER_BYTES), rotated);
    await writeFile(path, Buffer.concat([header, before.subarray(HEADER_BYTES)]));
    const onlyNew = new KeyRing([{ id: '2027', key: key(3) }]);
    expect((await reading(path, onlyNew)).length).toBe(44 + 60 * 640);
    await expect(reading(path, RING)).rejects.toThrow('"2027"');
  });
});
