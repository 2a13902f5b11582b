import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyRing } from '../../src/media/recording/key-ring.ts';
import { MAX_PACKET_BYTES, OggPager } from '../../src/media/recording/ogg-pager.ts';
import { encodeRecording, OPUS_CHUNK_BYTES } from '../../src/media/recording/opus-file.ts';
import { Recorder } from '../../src/media/recording/recorder.ts';
import { RecordingBuffer } from '../../src/media/recording/recording-buffer.ts';
import { readRecording } from '../../src/media/recording/recording-reader.ts';
import { HEADER_BYTES, newSeal } from '../../src/media/recording/sealed-file.ts';
import { readWav } from '../support/phone/wav.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opus-recording-'));
});
afterAll(() => rm(folder, { recursive: true }));

const RING = new KeyRing([{ id: 'k1', key: new Uint8Array(32).fill(4) }]);

interface Page {
  flags: number;
  granule: number;
  sequence: number;
  packets: Buffer[];
  /** Every packet of it ends in it. */
  whole: boolean;
}

/** Reads pages by RFC 3533 alone, the CRC bit by bit. Throws at the first that is wrong. */
function pagesOf(file: Buffer): Page[] {
  const pages: Page[] = [];
  for (let at = 0; at < file.length; ) {
    expect(file.toString('latin1', at, at + 4)).toBe('OggS');
    const lacing = [...file.subarray(at + 27, at + 27 + file[at + 26]!)];
    let from = at + 27 + lacing.length;
    const end = from + lacing.reduce((sum, one) => sum + one, 0);
    const packets: Buffer[] = [];
    let length = 0;
    for (const piece of lacing) {
      length += piece;
      if (piece === 255) continue;
      packets.push(file.subarray(from, from + length));
      from += length;
      length = 0;
    }
    const page = Buffer.from(file.subarray(at, end));
    page.writeUInt32LE(0, 22);
    let crc = 0n;
    for (const byte of page) {
      crc ^= BigInt(byte) << 24n;
      for (let bit = 0; bit < 8; bit++) crc = ((crc << 1n) ^ (crc & 0x80000000n ? 0x104c11db7n : 0n)) & 0x1ffffffffn;
    }
    expect(file.readUInt32LE(at + 22)).toBe(Number(crc));
    pages.push({
      flags: file[at + 5]!,
      granule: Number(file.readBigUInt64LE(at + 6)),
      sequence: file.readUInt32LE(at + 18),
      packets,
      whole: lacing.at(-1) !== 255,
    });
    at = end;
  }
  return pages;
}

test('pages of Ogg give back the packets, whole, in order, with their positions', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(fc.nat(70), fc.constantFrom(254, 255, 256, 510, 1275, 65_024)), fc.boolean()), {
        minLength: 1,
        maxLength: 30,
      }),
      (sizes) => {
        const pager = new OggPager(0xdeadbeef);
        const packets = sizes.map(([size], i) => Buffer.alloc(size, i + 1));
        const written: Buffer[] = [];
        for (const [i, packet] of packets.entries()) {
          const full = pager.add(packet, i + 1);
          if (full) written.push(full);
          if (sizes[i]![1] && i < packets.length - 1) written.push(pager.page());
        }
        written.push(pager.page(true));
        const pages = pagesOf(Buffer.concat(written));
        expect(pages.flatMap((page) => page.packets).map((one) => one.toString('hex'))).toEqual(
          packets.map((one) => one.toString('hex')),
        );
        expect(pages.map(({ sequence }) => sequence)).toEqual(pages.map((_, i) => i));
        expect(pages.map(({ flags }) => flags)).toEqual(
          pages.map((_, i) => (i === 0 ? 2 : 0) | (i === pages.length - 1 ? 4 : 0)),
        );
        let packetsSoFar = 0;
        for (const page of pages) {
          packetsSoFar += page.packets.length;
          expect([page.granule, page.whole]).toEqual([packetsSoFar, true]);
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(() => new OggPager(1).add(new Uint8Array(MAX_PACKET_BYTES + 1), 0)).toThrow(RangeError);
});

/** Bursts of a tone like a voice's, from one moment to another, in seconds. */
const said = (hertz: number, spans: readonly (readonly [number, number])[]) => (t: number) =>
  spans.some(([from, to]) => t >= from && t < to)
    ? 5000 * Math.sin(2 * Math.PI * hertz * t) + 2500 * Math.sin(2 * Math.PI * 2.7 * hertz * t)
    : 0;
const caller = said(210, [
  [0.5, 1.5],
  [3, 5],
]);
const bot = said(330, [
  [1.5, 3],
  [4, 6],
]);
const SECONDS = 6.34;

/** A call of some seconds as the recorder writes it; the caller is masked from 4.5 s on. */
async function recorded(name: string, sealed: boolean): Promise<string> {
  const path = join(folder, sealed ? `${name}.wav.sealed` : `${name}.wav`);
  const seal = sealed ? newSeal(RING, 'pcm', 32_000) : undefined;
  const recorder = new Recorder({ path, seal, buffer: RecordingBuffer.memory(1) }, (message) => expect.fail(message));
  for (let i = 0; i < SECONDS * 50; i++) {
    const frame = (voice: (t: number) => number) =>
      Int16Array.from({ length: 160 }, (_, n) => Math.round(voice((i * 160 + n) / 8000)));
    recorder.masked = i >= 225;
    recorder.push(frame(caller), frame(bot), i * 20);
    recorder.handOn();
  }
  expect(await recorder.close()).toMatchObject({ durationMs: SECONDS * 1000 });
  return path;
}

/** As libopusfile, the reference, plays it; what it says of the file besides. */
async function decoded(ogg: Buffer): Promise<{ left: Float64Array; right: Float64Array; info: string }> {
  const file = join(folder, 'decode.ogg');
  await writeFile(file, ogg);
  const info = spawnSync('opusinfo', [file], { encoding: 'utf8' });
  const wav = spawnSync('opusdec', ['--quiet', '--no-dither', '--rate', '8000', file, `${file}.wav`], {
    encoding: 'utf8',
  });
  expect([wav.status, wav.stderr]).toEqual([0, '']);
  const { pcm, channels, sampleRate } = readWav(await readFile(`${file}.wav`));
  expect([channels, sampleRate]).toEqual([2, 8000]);
  const side = (channel: number) => Float64Array.from(pcm.filter((_, i) => i % 2 === channel));
  return { left: side(0), right: side(1), info: info.stdout + info.stderr };
}

const level = (side: Float64Array, from: number, to: number) => {
  const part = side.subarray(Math.round(from * 8000), Math.round(to * 8000));
  return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
};

describe('a recording that became Opus', () => {
  test('is a whole Ogg file: as long as the call, each side in its place, a tenth of the size', async () => {
    const source = await recorded('plain', false);
    const target = join(folder, 'plain.ogg');
    const bytes = await encodeRecording(source, target, undefined, undefined);
    const ogg = await readFile(target);
    expect(ogg.length).toBe(bytes);
    expect(bytes).toBeLessThan((await readFile(source)).length / 8);
    const pages = pagesOf(ogg);
    expect(pages.map(({ granule }) => granule)).toEqual([
      0,
      0,
      ...[1, 2, 3, 4, 5, 6].map((second) => second * 48_000),
      312 + SECONDS * 48_000,
    ]);
    const { left, right, info } = await decoded(ogg);
    expect(info).not.toMatch(/warning|error/i);
    expect(info).toContain('DESCRIPTION=left: the caller, right: the bot');
    expect(left.length).toBe(SECONDS * 8000);
    for (const [side, voice] of [
      [left, caller],
      [right, bot],
    ] as const) {
      const spoken = (t: number) => voice(t) !== 0 || voice(t + 1 / 16_001) !== 0;
      for (let t = 0.1; t < 6.2; t += 0.25) {
        const masked = side === left && t > 4.5;
        const expected = spoken(t + 0.05) && !masked;
        expect(level(side, t, t + 0.1) > 1000, `${side === left ? 'caller' : 'bot'} at ${t}`).toBe(expected);
      }
    }
  });

  test('says nothing where a secret was masked, though the bot speaks', async () => {
    const target = join(folder, 'masked.ogg');
    await encodeRecording(await recorded('masked', false), target, undefined, undefined);
    const { left, right } = await decoded(await readFile(target));
    expect(level(right, 4.6, 5.9)).toBeGreaterThan(2000);
    expect(level(left, 4.6, 6.3)).toBeLessThan(3);
    expect(Math.max(...left.subarray(4.6 * 8000))).toBeLessThan(10);
  });

  test('is not late: a beginning stands where it stood, within a millisecond', async () => {
    const target = join(folder, 'aligned.ogg');
    await encodeRecording(await recorded('aligned', false), target, undefined, undefined);
    const { left } = await decoded(await readFile(target));
    const match = (shift: number) => {
      let sum = 0;
      for (let i = 4100; i < 11_900; i++) sum += left[i + shift]! * caller(i / 8000);
      return sum;
    };
    const shifts = Array.from({ length: 41 }, (_, i) => i - 20);
    const best = shifts.reduce((a, b) => (match(b) > match(a) ? b : a));
    expect(Math.abs(best)).toBeLessThanOrEqual(8);
  });

  test('is sealed where its WAV was: the same for who has the key, and noise for who has not', async () => {
    const source = await recorded('sealed', true);
    const target = join(folder, 'sealed.ogg.sealed');
    // Chunks of less than a page, so that there are several.
    const bytes = await encodeRecording(source, target, RING, newSeal(RING, 'ogg', 1000));
    const ogg = await readRecording(target, RING);
    expect(ogg.length).toBe(bytes);
    expect(pagesOf(ogg).at(-1)!.flags).toBe(4);
    expect((await decoded(ogg)).left.length).toBe(SECONDS * 8000);
    const file = await readFile(target);
    for (const word of ['OggS', 'OpusHead', 'caller']) expect(file.includes(word)).toBe(false);
    const counts = new Array<number>(256).fill(0);
    const noise = file.subarray(HEADER_BYTES);
    for (const byte of noise) counts[byte]!++;
    const expected = noise.length / 256;
    expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(400);
    await expect(readRecording(target, undefined)).rejects.toMatchObject({ code: 'recording-key' });
    await writeFile(target, file.subarray(0, file.length - 1028));
    await expect(readRecording(target, RING)).rejects.toThrow(/cut off|changed/);
  });

  test('leaves nothing half: a WAV that is damaged, or has no key, stays what it is', async () => {
    const source = await recorded('torn', true);
    const target = join(folder, 'torn.ogg.sealed');
    const seal = newSeal(RING, 'ogg', OPUS_CHUNK_BYTES);
    await expect(encodeRecording(source, target, undefined, seal)).rejects.toMatchObject({ code: 'recording-key' });
    const whole = await readFile(source);
    const changed = Buffer.from(whole);
    changed[HEADER_BYTES + 100_000]! ^= 1;
    await writeFile(source, changed);
    await expect(encodeRecording(source, target, RING, seal)).rejects.toMatchObject({ code: 'recording-damaged' });
    await writeFile(source, whole.subarray(0, HEADER_BYTES + 2 * 32_028));
    await expect(encodeRecording(source, target, RING, seal)).rejects.toMatchObject({ code: 'not-encoded' });
    expect((await readdir(folder)).filter((name) => name.startsWith('torn'))).toEqual(['torn.wav.sealed']);
  });
});
