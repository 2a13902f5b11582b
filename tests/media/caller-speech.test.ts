import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Ms } from '../../src/core/clock.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../../src/media/audio.ts';
import { SearchBudget } from '../../src/media/echo/echo-search.ts';
import { PlayoutDesk } from '../../src/media/outbound/playout-desk.ts';
import type { MediaEvent } from '../../src/media/ports.ts';
import { CallerSpeech } from '../../src/media/voice-activity/caller-speech.ts';
import type { VadEngine } from '../../src/media/voice-activity/vad.ts';
import { VadBatch } from '../../src/media/voice-activity/vad-batch.ts';
import { babble, microphone, whiteNoise } from './echo-room.ts';

/** A call without a network: what the caller's microphone picks up goes in frame by frame, as does time. */
class Room {
  now: Ms = 1000;
  readonly events: MediaEvent[] = [];
  readonly playout: PlayoutDesk;
  readonly speech: CallerSpeech;
  /** What the loudspeaker gives back, sample by sample; silence where there is none. */
  readonly #air: number[];
  readonly #gain: number;
  readonly #vad: VadBatch;
  #near: ArrayLike<number> = [];
  #said = 0;
  #position = 0;

  /** The far end has begun to send. */
  sends = true;

  /** `echo`: how late and how much weaker the bot comes back. */
  constructor(echo?: { delayMs: number; attenuationDb: number }, engine?: VadEngine) {
    this.#air = new Array((echo?.delayMs ?? FRAME_MS) * 8).fill(0);
    this.#gain = echo ? 10 ** (-echo.attenuationDb / 20) : 0;
    const clock = { now: () => this.now, wall: () => new Date(this.now) };
    this.playout = new PlayoutDesk(() => undefined, clock);
    this.#vad = new VadBatch(engine, clock, { log: () => undefined });
    this.speech = new CallerSpeech({
      vad: this.#vad,
      searches: new SearchBudget(),
      playout: this.playout,
      now: clock.now,
      raise: (event) => this.events.push(event),
    });
    this.speech.arm(true);
  }

  get paused(): boolean {
    return this.playout.queue.paused;
  }

  /** The bot begins a turn. */
  botSays(turnId: number, pcm: Int16Array): void {
    this.playout.begin(turnId);
    this.playout.write(turnId, { pcm, words: [] }, () => undefined);
  }

  /** The caller begins to say this in the coming frame. */
  callerSays(pcm: ArrayLike<number>): void {
    this.#near = pcm;
    this.#said = 0;
  }

  async passes(ms: Ms): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) await this.#frame();
  }

  count(type: MediaEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async #frame(): Promise<void> {
    const heard = microphone(
      Float64Array.from({ length: FRAME_SAMPLES }, () => this.#air.shift()! + (this.#near[this.#said++] ?? 0)),
    );
    this.speech.hear(heard, this.now - FRAME_MS, this.#position, this.sends);
    this.#position += FRAME_SAMPLES;
    this.now += FRAME_MS;
    this.speech.take(heard, this.now - 2 * FRAME_MS);
    this.speech.pass();
    const sent = this.playout.pull(new Int16Array(FRAME_SAMPLES), this.now);
    this.speech.sent(sent);
    for (let i = 0; i < FRAME_SAMPLES; i++) this.#air.push(this.#gain * (sent?.[i] ?? 0));
    this.#vad.run(this.now + FRAME_MS);
    await turn();
    await turn();
  }
}

describe('a caller on a loudspeaker', () => {
  test('is not taken to interrupt when the bot hears itself, and is when they speak', async () => {
    const room = new Room({ delayMs: 110, attenuationDb: 12 });
    room.botSays(1, babble(6000, 11, 180, -18));
    await room.passes(2500);
    expect([room.count('barge-in'), room.count('speech-start')]).toEqual([0, 0]);
    const { echoFrames, echoPath } = room.speech.stats();
    expect(echoFrames).toBeGreaterThan(50);
    // The phone's delay, and the frame that was on its way.
    expect(echoPath!.lagMs).toBeGreaterThan(100);
    expect(echoPath!.lagMs).toBeLessThan(160);
    room.callerSays(babble(800, 12, 110, -20));
    await room.passes(400);
    expect(room.count('barge-in')).toBe(1);
    expect(room.events.find(({ type }) => type === 'barge-in')).toMatchObject({ echoes: true });
    expect(room.paused).toBe(true);
  });
});

describe('a caller in a room full of voices', () => {
  test('who begins to send a moment into the call is not taken to speak before they do', async () => {
    // to a VAD other people's voices are voices
    const engine: VadEngine = {
      windowSamples: 256,
      open: () => ({ reset: () => undefined }),
      infer: (windows) =>
        Promise.resolve(Float32Array.from(windows, ({ pcm }) => (pcm.some((sample) => sample > 100) ? 0.9 : 0.1))),
      close: () => Promise.resolve(),
    };
    const room = new Room(undefined, engine);
    room.sends = false;
    await room.passes(600);
    room.sends = true;
    const others = whiteNoise(8000 * 3, -36);
    room.callerSays(others);
    await room.passes(2000);
    expect(room.count('speech-start')).toBe(0);
    const words = babble(600, 12, 110, -18);
    room.callerSays(others.map((sample, i) => sample + (words[i] ?? 0)));
    await room.passes(400);
    expect(room.count('speech-start')).toBe(1);
  });
});

describe('a caller on a quiet line', () => {
  let room: Room;
  beforeEach(async () => {
    room = new Room();
    room.botSays(1, babble(8000, 11, 180, -18));
    await room.passes(1200);
  });

  test('silences the bot with the first frame of a hiss, before it is speech', async () => {
    room.callerSays(whiteNoise(FRAME_SAMPLES * 6, -30));
    await room.passes(FRAME_MS);
    expect(room.paused).toBe(true);
    expect(room.events).toEqual([]);
  });

  test('and hears it go on from where it was, when nothing follows', async () => {
    const { sent } = room.playout.queue.account!;
    room.callerSays(whiteNoise(FRAME_SAMPLES, -30));
    await room.passes(FRAME_MS);
    expect(room.paused).toBe(true);
    await room.passes(300);
    expect(room.paused).toBe(false);
    expect(room.playout.queue.account!.sent).toBeGreaterThan(sent);
    expect(room.count('barge-in')).toBe(0);
    expect(room.speech.stats().falseDucks).toBe(1);
  });

  test('with a hiss that becomes a word hears no more of the bot between the two', async () => {
    const hiss = whiteNoise(FRAME_SAMPLES * 6, -32);
    room.callerSays([...hiss, ...new Float64Array(3 * FRAME_SAMPLES), ...babble(600, 12, 110, -20)]);
    await room.passes(FRAME_MS);
    const { sent } = room.playout.queue.account!;
    await room.passes(700);
    expect(room.count('barge-in')).toBe(1);
    expect(room.playout.queue.account!.sent).toBe(sent);
  });

  test('interrupts once, however long they speak', async () => {
    room.callerSays(babble(1500, 12, 110, -20));
    await room.passes(1500);
    expect(room.count('barge-in')).toBe(1);
    expect(room.events.find(({ type }) => type === 'barge-in')).toMatchObject({ turn: 1, echoes: false });
  });
});
