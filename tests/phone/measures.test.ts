import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ear, type HeardPacket } from '../support/phone/ear.ts';
import { encode } from '../support/phone/g711.ts';
import { measurePacing, measureTurn, measureTurns, summarize, type Turn } from '../support/phone/measures.ts';
import { buildRtp, parseRtp } from '../support/phone/rtp-packet.ts';
import { tone } from '../support/phone/voice.ts';

const turn = (over: Partial<Turn> = {}): Turn => ({
  kind: 'say',
  text: 'where is my card',
  expectsReply: true,
  startedAt: 1000,
  endedAt: 2000,
  ...over,
});

describe('a turn of the caller', () => {
  test('is answered by the first sound after its last voiced window', () => {
    const spells = [
      { startAt: 100, lastSoundAt: 800 },
      { startAt: 2420, lastSoundAt: 4000 },
      { startAt: 4300, lastSoundAt: 5000 },
    ];
    expect(measureTurn(turn(), spells, 9000)).toMatchObject({
      replyAt: 2420,
      replyMs: 420,
      missed: false,
      falseCutOff: false,
      bargeInToSilenceMs: undefined,
    });
  });

  test('by keys is answered from the last key on, also before that key is up', () => {
    const spells = [
      { startAt: 500, lastSoundAt: 1010 },
      { startAt: 1960, lastSoundAt: 4700 },
      { startAt: 5000, lastSoundAt: 6000 },
    ];
    expect(measureTurn(turn({ kind: 'press', lastKeyAt: 1900 }), spells, 9000)).toMatchObject({
      replyMs: 60,
      missed: false,
      bargeInToSilenceMs: 10,
    });
  });

  test('is missed when nothing answers before the next turn', () => {
    const spells = [{ startAt: 3500, lastSoundAt: 4000 }];
    const [first, second] = measureTurns([turn(), turn({ startedAt: 3000, endedAt: 3200 })], spells, 9000);
    expect(first).toMatchObject({ missed: true, replyMs: undefined });
    expect(second).toMatchObject({ missed: false, replyMs: 300 });
  });

  test('that expects no answer is not missed', () => {
    expect(measureTurn(turn({ expectsReply: false }), [], 9000).missed).toBe(false);
  });

  test('into the bot’s speech is measured to the bot’s last packet with sound', () => {
    const spells = [
      { startAt: 500, lastSoundAt: 1120 },
      { startAt: 2400, lastSoundAt: 3000 },
    ];
    expect(measureTurn(turn({ kind: 'interrupt' }), spells, 9000)).toMatchObject({
      bargeInToSilenceMs: 120,
      replyMs: 400,
      falseCutOff: false,
    });
  });

  test('into a breath of the bot counts what the bot still says of that sentence', () => {
    const spells = [
      { startAt: 500, lastSoundAt: 900 },
      { startAt: 1110, lastSoundAt: 1180 },
    ];
    expect(measureTurn(turn(), spells, 9000)).toMatchObject({ bargeInToSilenceMs: 180, falseCutOff: false });
  });

  test('that the bot answers before it is over was cut off', () => {
    const spells = [{ startAt: 1600, lastSoundAt: 1900 }];
    expect(measureTurn(turn(), spells, 9000)).toMatchObject({ falseCutOff: true, missed: true });
  });
});

describe('the ear', () => {
  const silence = new Int16Array(160);
  const packet = (sequence: number, pcm: Int16Array) =>
    buildRtp({
      payloadType: 0,
      marker: false,
      sequence,
      timestamp: sequence * 160,
      ssrc: 1,
      payload: encode('PCMU', pcm),
    });

  test('hears sound from -38 dBFS on and tells spells apart by 200 ms of silence', () => {
    const ear = new Ear();
    const levels = [-60, -39, -30, -20, -60, -60, -30];
    levels.forEach((dbfs, i) => {
      ear.receive(packet(i, tone(400, 20, dbfs)), 1000 + 20 * i);
    });
    for (let i = 0; i < 12; i++) ear.receive(packet(7 + i, silence), 1140 + 20 * i);
    ear.receive(packet(30, tone(400, 20, -20)), 1400);
    expect(ear.packets.slice(0, 7).map((heard) => heard.sound)).toEqual([false, false, true, true, false, false, true]);
    expect(ear.spells).toEqual([
      { startAt: 1040, lastSoundAt: 1120 },
      { startAt: 1400, lastSoundAt: 1400 },
    ]);
  });

  test('takes nothing but RTP', () => {
    const ear = new Ear();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        ear.receive(Buffer.from(bytes), 0);
      }),
    );
    ear.receive(Buffer.from('OPTIONS'), 0);
    expect(ear.refused).toBeGreaterThan(0);
  });
});

test('an RTP packet is read back as it was built', () => {
  fc.assert(
    fc.property(
      fc.record({
        payloadType: fc.integer({ min: 0, max: 71 }),
        marker: fc.boolean(),
        sequence: fc.nat(0xffff),
        timestamp: fc.nat(0xffffffff),
        ssrc: fc.nat(0xffffffff),
        payload: fc.uint8Array({ maxLength: 200 }),
      }),
      (fields) => {
        const read = parseRtp(buildRtp(fields));
        expect(read && { ...read, payload: Uint8Array.from(read.payload) }).toEqual(fields);
      },
    ),
  );
});

describe('pacing', () => {
  const arrivals = (sequences: number[], ssrc = 1): HeardPacket[] =>
    sequences.map((sequence, i) => ({
      at: 20 * i,
      sequence,
      timestamp: 0,
      ssrc,
      payloadType: 0,
      marker: false,
      payloadBytes: 160,
      levelDbfs: -120,
      sound: false,
    }));

  test('counts what is missing, doubled and out of order, across the wrap', () => {
    expect(measurePacing(arrivals([65534, 65535, 1, 0, 0, 4]))).toMatchObject({
      sequenceGaps: 2,
      duplicates: 1,
      reordered: 1,
      intervals: [20, 20, 20, 20, 20],
    });
  });

  test('counts exactly the packets that were left out, wherever the stream starts', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.uniqueArray(fc.integer({ min: 1, max: 998 }), { maxLength: 50 }),
        (start, lost) => {
          const sequences = Array.from({ length: 1000 }, (_, i) => i)
            .filter((i) => !lost.includes(i))
            .map((i) => (start + i) & 0xffff);
          expect(measurePacing(arrivals(sequences)).sequenceGaps).toBe(lost.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('does not take a new SSRC for a gap', () => {
    expect(measurePacing([...arrivals([10, 11]), ...arrivals([40_000, 40_001], 2)]).sequenceGaps).toBe(0);
  });
});

test('percentiles are values that were measured, by nearest rank', () => {
  expect(summarize([])).toBeUndefined();
  expect(summarize([7])).toEqual({ n: 1, p50: 7, p95: 7, p99: 7, max: 7 });
  expect(summarize(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({
    n: 100,
    p50: 50,
    p95: 95,
    p99: 99,
    max: 100,
  });
});
