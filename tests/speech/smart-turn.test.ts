import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { doubled } from '../../src/speech/double-rate.ts';
import { MixedRadixDft } from '../../src/speech/smart-turn/dft.ts';
import { EndOfTurnRecognizer } from '../../src/speech/smart-turn/end-of-turn-recognizer.ts';
import { LogMel } from '../../src/speech/smart-turn/log-mel.ts';
import { SmartTurnModel } from '../../src/speech/smart-turn/smart-turn-model.ts';
import { TURN_SAMPLES, TurnAudio } from '../../src/speech/smart-turn/turn-audio.ts';
import { SoundswallowerRecognizer } from '../../src/speech/soundswallower/soundswallower-recognizer.ts';
import { BANKING, Listener } from './support/listener.ts';
import { writeLogisticModel } from './support/onnx-model.ts';
import { Caller } from './support/telephone.ts';

const FRAMES = 800;
const folder = mkdtempSync(join(tmpdir(), 'smart-turn-'));
const fadingModel = join(folder, 'fading.onnx');
let sentence: Int16Array;
let cutShort: Int16Array;

/** Thinks that a speaker is done whose voice has given way to silence in the last 150 ms: small, but a real model. */
function writeFadingModel(path: string): void {
  const weights = new Float32Array(80 * FRAMES);
  for (let band = 0; band < 80; band++) {
    for (let frame = 740; frame < 770; frame++) weights[band * FRAMES + frame] = 12 / (80 * 30);
    for (let frame = 788; frame < 800; frame++) weights[band * FRAMES + frame] = -12 / (80 * 12);
  }
  writeLogisticModel(path, { input: 'input_features', shape: [80, FRAMES], weights, bias: -4 });
}

beforeAll(async () => {
  writeFadingModel(fadingModel);
  const caller = await Caller.start('rms');
  sentence = await caller.says('what is my savings account balance');
  await caller.close();
  // In the middle of "account": the voice is there to the last sample.
  cutShort = sentence.slice(0, Math.round(sentence.length * 0.62));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what the end-of-turn model gets to hear', () => {
  it('is a spectrum like that of the definition', () => {
    const signal = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 });
    const dft = new MixedRadixDft(60);
    fc.assert(
      fc.property(signal, signal, (a, b) => {
        const [powerA, powerB] = [new Float64Array(31), new Float64Array(31)];
        dft.powers(Float64Array.from(a), Float64Array.from(b), powerA, powerB);
        for (let k = 0; k <= 30; k++) {
          expect(powerA[k]).toBeCloseTo(powerByDefinition(a, k), 8);
          expect(powerB[k]).toBeCloseTo(powerByDefinition(b, k), 8);
        }
      }),
      { numRuns: 30 },
    );
    expect(() => new MixedRadixDft(34)).toThrow('prime');
  });

  it('has a tone in the mel band where it belongs, at the frame when it sounds', () => {
    const samples = new Float32Array(8 * 16_000);
    for (let i = 0; i < 16_000; i++) samples[64_000 + i] = Math.sin((2 * Math.PI * 1000 * i) / 16_000);
    const mel = new LogMel().of(samples);
    expect(mel).toHaveLength(80 * FRAMES);
    const at = (frame: number) => Array.from({ length: 80 }, (_, band) => mel[band * FRAMES + frame]!);
    const during = at(450);
    // Slaney: 1 kHz is 15 mel; bands are 45.245 / 81 mel apart
    expect(during.indexOf(Math.max(...during))).toBe(26);
    expect(Math.max(...at(390))).toBe(Math.min(...during));
    expect(Math.max(...at(510))).toBe(Math.min(...during));
    // floored 8 (log10 of power) below the loudest, divided by four
    expect(Math.max(...during) - Math.min(...during)).toBeCloseTo(2, 3);
  });

  it('is the last eight seconds of the caller, with silence before a shorter utterance, at variance one', () => {
    const audio = new TurnAudio();
    const voice = Int16Array.from({ length: 800 }, (_, i) => 8000 * Math.sin(i / 3));
    audio.push(voice);
    const short = audio.normalized();
    expect(short).toHaveLength(2 * TURN_SAMPLES);
    const energy = (from: number, to: number) => short.subarray(from, to).reduce((sum, x) => sum + x * x, 0);
    expect(energy(0, short.length - 1600 - 64)).toBeLessThan(1);
    expect(energy(0, short.length) / short.length).toBeCloseTo(1, 3);

    for (let i = 0; i < 100; i++) audio.push(new Int16Array(1000).fill(i));
    const long = audio.normalized();
    // 64,000 samples of the 64 latest pieces: 36 and up
    expect(long[0]!).toBeLessThan(long.at(-1)!);
    audio.begin();
    audio.push(voice);
    expect(audio.normalized()).toEqual(short);
  });

  it('keeps a voice as it is when its rate is doubled', () => {
    const tone = (rate: number) =>
      Float32Array.from({ length: rate / 10 }, (_, i) => Math.sin((2 * Math.PI * 700 * i) / rate));
    const twice = doubled(tone(8000));
    const wanted = tone(16_000);
    for (let i = 200; i < 1400; i++) expect(twice[i]).toBeCloseTo(wanted[i]!, 2);
  });
});

describe('an end-of-turn model', () => {
  const tiny = { input: 'input_features', shape: [10], weights: new Float32Array(10), bias: 0 };

  it('tells a caller who is done from one who was cut off', async () => {
    const model = await SmartTurnModel.load(fadingModel);
    const verdict = (pcm: Int16Array) => {
      const audio = new TurnAudio();
      audio.push(pcm);
      return model.probability(audio);
    };
    expect(await verdict(sentence)).toBeGreaterThan(0.8);
    expect(await verdict(cutShort)).toBeLessThan(0.2);
    await model.close();
  });

  it.each([
    ['that is not there', () => undefined],
    ['that is no model', (path: string) => writeFileSync(path, 'what is this')],
    ['of another contract', (path: string) => writeLogisticModel(path, { ...tiny, input: 'audio' })],
    ['of another shape', (path: string) => writeLogisticModel(path, tiny)],
  ])('%s is refused with a reason', async (name, make) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.onnx`);
    make(path);
    await expect(SmartTurnModel.load(path)).rejects.toMatchObject({
      code: 'end-of-turn-unavailable',
      message: expect.stringMatching(/does not load: .{10,}/),
    });
  });
});

describe('a recogniser with an end-of-turn model', () => {
  const starting = async () =>
    EndOfTurnRecognizer.start({
      recognizer: await SoundswallowerRecognizer.start({ workers: 1, decodersPerWorker: 2, log: silentLogger }),
      model: fadingModel,
      log: silentLogger,
    });

  it('says in a pause whether the caller is done, with the words so far, and understands as before', async () => {
    const recognizer = await starting();
    const listener = new Listener(recognizer, BANKING);
    try {
      const verdict = () => listener.partials().find(({ endOfTurn }) => endOfTurn !== undefined);
      listener.begin(sentence);
      listener.pause();
      await listener.until(() => verdict() !== undefined);
      expect(verdict()!.endOfTurn).toBeGreaterThan(0.8);
      listener.end();
      await listener.until(() => listener.final() !== undefined);
      expect(listener.final()).toMatchObject({ text: 'what is my savings account balance', complete: true });

      listener.begin(cutShort);
      listener.pause();
      await listener.until(() => verdict() !== undefined);
      expect(verdict()!.endOfTurn).toBeLessThan(0.2);
      listener.end();
      await listener.until(() => listener.final() !== undefined);
    } finally {
      listener.stream.close();
      await recognizer.close();
    }
  });

  it('goes on with the words alone when its worker dies', async () => {
    const recognizer = await starting();
    const listener = new Listener(recognizer, BANKING);
    const next: Listener[] = [];
    try {
      recognizer.killWorker();
      await listener.until(({ failures }) => failures.length > 0);
      expect(await recognizer.health()).toMatchObject({
        ok: true,
        detail: expect.stringContaining('going on without'),
      });
      next.push(new Listener(recognizer, BANKING));
      expect(await next[0]!.hears(sentence)).toMatchObject({ text: 'what is my savings account balance' });
    } finally {
      for (const { stream } of [listener, ...next]) stream.close();
      await recognizer.close();
    }
  });
});

function powerByDefinition(signal: readonly number[], k: number): number {
  let [re, im] = [0, 0];
  signal.forEach((x, n) => {
    re += x * Math.cos((2 * Math.PI * k * n) / signal.length);
    im -= x * Math.sin((2 * Math.PI * k * n) / signal.length);
  });
  return re * re + im * im;
}
