import { beforeEach, describe, expect, test } from 'vitest';
import { levelDb } from '../../src/media/level.ts';
import { EnergyVad } from '../../src/media/voice-activity/energy-vad.ts';
import { SpeechDetector, type SpeechEvent } from '../../src/media/voice-activity/speech-detector.ts';
import type { VadEngine, VadState, VadWindow } from '../../src/media/voice-activity/vad.ts';
import { VadBatch } from '../../src/media/voice-activity/vad-batch.ts';
import { VoiceWatch } from '../../src/media/voice-activity/voice-watch.ts';
import { createVadEngine } from '../../src/speech/silero/vad-engine.ts';
import { babble, random, whiteNoise } from './echo-room.ts';
import { tone } from './support.ts';

const voice = babble(6000, 3, 120, -22);
const hiss = Int16Array.from(whiteNoise(48_000, -25));

function suspicions(pcm: Int16Array, windowMs = 32): number {
  const watch = new VoiceWatch();
  const samples = windowMs * 8;
  let count = 0;
  for (let i = 0; i + samples <= pcm.length; i += samples) if (watch.push(levelDb(pcm, i, samples), windowMs)) count++;
  return count;
}

describe('voice that the VAD does not hear', () => {
  test('is noticed after two seconds', () => {
    expect(suspicions(voice)).toBeGreaterThanOrEqual(2);
    expect(suspicions(voice.subarray(0, 15_000))).toBe(0);
  });

  test('is not imagined in silence, hiss, a tone or a short word', () => {
    expect(suspicions(new Int16Array(48_000))).toBe(0);
    expect(suspicions(hiss)).toBe(0);
    expect(suspicions(tone(48_000, 425))).toBe(0);
    const words = new Int16Array(80_000);
    for (let at = 0; at < 80_000; at += 16_000) words.set(voice.subarray(0, 4000), at);
    expect(suspicions(words)).toBe(0);
  });
});

/** Cut off and on again every few hundred milliseconds. */
function pieces(pcm: Int16Array): Int16Array {
  const next = random(7);
  for (let at = 0; at < pcm.length; ) {
    at += Math.round(400 + 3000 * next());
    const gap = Math.round(200 + 1600 * next());
    pcm.fill(0, at, at + gap);
    at += gap;
  }
  return pcm;
}

/** Plucked strings: chords that ring out, three a second. */
function music(ms: number): Int16Array {
  const next = random(11);
  const out = new Float64Array(ms * 8);
  const scale = [262, 294, 330, 392, 440, 523, 587, 659];
  for (let at = 0; at < out.length; at += 2600) {
    const notes = [0, 2, 4].map((step) => scale[(Math.floor(next() * 4) + step) % scale.length]!);
    for (let i = at; i < Math.min(out.length, at + 8000); i++) {
      const fade = Math.exp(-(i - at) / 1200);
      for (const hz of notes) out[i]! += 3000 * fade * Math.sin((2 * Math.PI * hz * (i - at)) / 8000);
    }
  }
  return Int16Array.from(out, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample))));
}

/** Hears what it is told to; counts what is asked of it. */
class ToldVad implements VadEngine {
  readonly windowSamples = 160;
  resets = 0;
  closed = false;
  batches: number[] = [];
  readonly #answer: (window: VadWindow) => number | Promise<never>;

  constructor(answer: (window: VadWindow) => number | Promise<never>) {
    this.#answer = answer;
  }

  open(): VadState {
    return { reset: () => this.resets++ };
  }

  async infer(batch: readonly VadWindow[]): Promise<Float32Array> {
    this.batches.push(batch.length);
    return Float32Array.from(await Promise.all(batch.map(this.#answer)));
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

let now: number;
let logs: string[];
let loaded: VadEngine[];
const hears = (window: VadWindow): number => (levelDb(window.pcm) > -40 ? 0.9 : 0.1);
const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  now = 1000;
  logs = [];
  loaded = [];
});

function batchOver(engine: VadEngine, next: () => VadEngine = () => new ToldVad(hears)): VadBatch {
  return new VadBatch(
    engine,
    { now: () => now, wall: () => new Date(0) },
    {
      log: (_level, message) => logs.push(message),
      load: async () => {
        loaded.push(next());
        return loaded.at(-1)!;
      },
    },
  );
}

function listen(batch: VadBatch): { detector: SpeechDetector; events: SpeechEvent[] } {
  const events: SpeechEvent[] = [];
  const detector: SpeechDetector = new SpeechDetector(batch.engine, {
    event: (event) => events.push(event),
    unheard: () => batch.suspect(detector),
  });
  batch.add(detector);
  return { detector, events };
}

/** Plays `pcm` to the detectors in ticks of 20 ms, as the worker would. */
async function play(batch: VadBatch, pcm: Int16Array, ...detectors: SpeechDetector[]): Promise<void> {
  for (let i = 0; i + 160 <= pcm.length; i += 160) {
    for (const detector of detectors) detector.push(pcm.subarray(i, i + 160), now);
    now += 20;
    batch.run(now + 20);
    await turnOfLoop();
  }
}

describe('an engine at fault', () => {
  test('that has gone deaf: first the stream starts afresh, then the engine is replaced, and the caller is heard', async () => {
    const deaf = new ToldVad(() => 0.02);
    const batch = batchOver(deaf);
    const { detector, events } = listen(batch);
    await play(batch, voice.subarray(0, 20_000), detector);
    expect(detector.resets).toBe(1);
    expect(loaded).toHaveLength(0);
    await play(batch, voice.subarray(20_000), detector);
    expect(loaded).toHaveLength(1);
    expect(batch.restarts).toBe(1);
    expect(deaf.closed).toBe(true);
    expect(events.some(({ type }) => type === 'start')).toBe(true);
    expect(logs).toEqual(['the VAD is started anew: a voice went unheard']);
  });

  test('that was right about a noise is not replaced over and over for the same call', async () => {
    const batch = batchOver(new ToldVad(() => 0.02), () => new ToldVad(() => 0.02));
    const { detector } = listen(batch);
    for (let i = 0; i < 10; i++) await play(batch, voice, detector);
    expect(loaded).toHaveLength(1);
    expect(detector.resets).toBe(1);
  });

  test.each([
    ['music on hold', music(12_000)],
    ['a tone that a starved browser sends in pieces', pieces(tone(96_000, 1300, 0.2))],
  ])('that says nothing of %s hears a voice when it is asked, and is kept', async (_what, sound) => {
    expect(suspicions(sound)).toBeGreaterThan(2);
    const silero = await createVadEngine({});
    const batch = batchOver(silero);
    const { detector } = listen(batch);
    for (let i = 0; i + 160 <= sound.length; i += 160) {
      detector.push(sound.subarray(i, i + 160), now);
      now += 20;
      batch.run(now + 20);
      // As long as there is something for the model.
      while (detector.hasNext) await turnOfLoop();
    }
    await batch.close();
    expect(detector.resets).toBeGreaterThan(0);
    expect(loaded).toEqual([]);
    expect(logs).toEqual([]);
    expect(detector.byLevel).toBe(false);
  });

  test('is asked once for all who may have gone unheard, and they are heard by level until another one is there', async () => {
    const deaf = new ToldVad(() => 0.02);
    const another = Promise.withResolvers<VadEngine>();
    const batch = new VadBatch(
      deaf,
      { now: () => now, wall: () => new Date(0) },
      { log: (_level, message) => logs.push(message), load: () => another.promise },
    );
    const [first, second] = [listen(batch), listen(batch)];
    await play(batch, voice, first.detector, second.detector);
    expect([first.detector.byLevel, second.detector.byLevel]).toEqual([true, true]);
    another.resolve(new ToldVad(hears));
    await turnOfLoop();
    expect([first.detector.byLevel, second.detector.byLevel]).toEqual([false, false]);
    expect(logs).toEqual(['the VAD is started anew: a voice went unheard']);
  });

  test('that fails: levels decide, and after five failures another one does', async () => {
    const batch = batchOver(new ToldVad(() => Promise.reject(new Error('out of memory'))));
    const { detector, events } = listen(batch);
    await play(batch, new Int16Array(320), detector);
    await play(batch, voice.subarray(0, 8000), detector);
    expect(events.some(({ type }) => type === 'start')).toBe(true);
    expect(batch.restarts).toBe(1);
    expect(batch.failures).toBe(5);
    expect(logs[0]).toContain('out of memory');
  });

  test('that hangs is given up after a second and a half; nobody is deaf for longer', async () => {
    const hung = new ToldVad(() => new Promise<never>(() => undefined));
    const batch = batchOver(hung);
    const { detector, events } = listen(batch);
    await play(batch, voice.subarray(0, 1500 * 8), detector);
    expect(events).toEqual([]);
    await play(batch, voice.subarray(1500 * 8, 2500 * 8), detector);
    expect(events.some(({ type }) => type === 'start')).toBe(true);
    expect(batch.restarts).toBe(1);
    await batch.close();
  });

  test('that cannot be replaced goes on as well as it can, and is tried again later', async () => {
    let broken = true;
    const batch = batchOver(new ToldVad(() => Promise.reject(new Error('broken'))), () => {
      if (broken) throw new Error('no model');
      return new ToldVad(hears);
    });
    const { detector, events } = listen(batch);
    await play(batch, voice, detector);
    expect(events.some(({ type }) => type === 'start')).toBe(true);
    expect(batch.restarts).toBe(0);
    broken = false;
    now += 60_000;
    await play(batch, voice, detector);
    expect(batch.restarts).toBe(1);
  });

  test('that answers nonsense for one call starts that call afresh and no other', async () => {
    let ill: VadState | undefined;
    const engine = new ToldVad((window) => (window.state === ill ? Number.NaN : hears(window)));
    const batch = batchOver(engine);
    const [first, second] = [listen(batch), listen(batch)];
    first.detector.push(voice.subarray(0, 160), now);
    ill = first.detector.next()?.state;
    first.detector.result(0);
    await play(batch, voice.subarray(0, 1600), first.detector, second.detector);
    expect(first.detector.resets).toBeGreaterThan(0);
    expect(second.detector.resets).toBe(0);
    expect(first.events.some(({ type }) => type === 'start')).toBe(true);
    expect(loaded).toHaveLength(0);
  });
});

describe('inference between two ticks', () => {
  test('takes only as many windows as fit, and every call gets its turn', async () => {
    const engine = new ToldVad(hears);
    // Each window takes half a millisecond.
    const slow: VadEngine = {
      windowSamples: 160,
      open: () => engine.open(),
      close: () => engine.close(),
      infer: (batch) => {
        now += 0.5 * batch.length;
        return engine.infer(batch);
      },
    };
    const batch = batchOver(slow);
    const calls = Array.from({ length: 60 }, () => listen(batch));
    let worst = 0;
    for (let tick = 0; tick < 100; tick++) {
      const due = 1000 + tick * 20;
      now = Math.max(now, due);
      for (const { detector } of calls) detector.push(voice.subarray(tick * 160, tick * 160 + 160), due);
      batch.run(due + 19);
      for (let i = 0; i < 8; i++) await turnOfLoop();
      if (tick > 30) worst = Math.max(worst, now - (due + 20));
    }
    expect(worst).toBeLessThanOrEqual(1);
    expect(Math.max(...engine.batches)).toBeLessThanOrEqual(32);
    expect(calls.filter(({ events }) => events.some(({ type }) => type === 'start')).length).toBe(60);
    expect(calls.every(({ detector }) => detector.dropped > 0)).toBe(true);
  });

  test('a plain level detector needs no engine', async () => {
    const batch = batchOver(new EnergyVad());
    const { detector, events } = listen(batch);
    await play(batch, Int16Array.from([...new Int16Array(1600), ...voice.subarray(0, 4000)]), detector);
    expect(events[0]).toMatchObject({ type: 'maybe' });
    expect(events.some(({ type }) => type === 'start')).toBe(true);
  });
});

test('windows of the bot’s own echo start nothing', async () => {
  const batch = batchOver(new ToldVad(hears));
  const { detector, events } = listen(batch);
  for (let i = 0; i < 100; i++) {
    detector.push(voice.subarray(i * 160, i * 160 + 160), now, true);
    now += 20;
    batch.run(now + 20);
    await turnOfLoop();
  }
  expect(events).toEqual([]);
  expect(detector.resets).toBe(0);
});
