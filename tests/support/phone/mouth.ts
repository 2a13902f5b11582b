import type { Ms } from '../../../src/core/clock.ts';
import { encode, type G711, PAYLOAD_TYPE } from './g711.ts';
import { seededRandom } from './impairments.ts';
import { isVoiced, levelDbfs, trimSilence, WINDOW } from './level.ts';
import { buildEvent, buildRtp, eventOf } from './rtp-packet.ts';

const FRAME_SAMPLES = 160;
const SILENCE: Record<G711, Uint8Array> = {
  PCMU: encode('PCMU', new Int16Array(FRAME_SAMPLES)),
  PCMA: encode('PCMA', new Int16Array(FRAME_SAMPLES)),
};

/** Something the caller says or keys; times are when its packets were sent, monotonic ms. */
export interface Speech {
  readonly durationMs: Ms;
  /** First voiced window, or first packet of the first key. */
  startedAt: Ms | undefined;
  /** Last voiced window so far, or last packet of the last key. Final once `done` has resolved. */
  endedAt: Ms | undefined;
  /** First packet of the last key, for keys: a far end that needs no release may answer from then on. */
  lastKeyAt: Ms | undefined;
  /** Resolves when all of it was sent, or it was dropped by `stop`. */
  readonly done: Promise<void>;
}

export interface KeyOptions {
  /** How long each key is held. Default 100. */
  readonly keyMs?: Ms;
  /** Silence between keys. Default 80. */
  readonly gapMs?: Ms;
  /** How many of the three end packets are sent (RFC 4733 section 2.5.1.4). Default 3; 0 loses them all. */
  readonly endPackets?: 0 | 1 | 2 | 3;
  /** Marker bit on the first packet. Default true. */
  readonly marker?: boolean;
}

export interface MouthOptions {
  /** Where packets go; called once per 20 ms while sending. */
  readonly send: (packet: Buffer, at: Ms) => void;
  /** What was said, frame by frame, for the recording. */
  readonly onFrame?: (pcm: Int16Array, at: Ms) => void;
  readonly seed?: number;
  readonly firstSequence?: number;
  readonly firstTimestamp?: number;
  /** Level of line noise under everything, e.g. -55. Left out: digital silence. */
  readonly noiseDbfs?: number;
}

interface Words {
  readonly kind: 'words';
  readonly pcm: Int16Array;
  position: number;
  readonly speech: MutableSpeech;
}

interface Key {
  readonly kind: 'key';
  readonly event: number;
  readonly frames: number;
  readonly endPackets: number;
  readonly marker: boolean;
  frame: number;
  timestamp: number;
  readonly gapFrames: number;
  readonly speech: MutableSpeech;
  readonly last: boolean;
}

interface MutableSpeech extends Speech {
  finish(): void;
}

/** The sending half of the line: one RTP packet per pacer tick, of speech, of a key, or of silence. */
export class Mouth {
  codec: G711 = 'PCMU';
  telephoneEvent: number | undefined;
  /** False while on hold: time goes on, nothing is sent. */
  sending = true;
  packetsSent = 0;
  readonly #options: MouthOptions;
  readonly #random: () => number;
  readonly #noise: Int16Array | undefined;
  #queue: (Words | Key)[] = [];
  #sequence: number;
  #timestamp: number;
  #ssrc: number;
  #talking = false;

  constructor(options: MouthOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32));
    this.#sequence = options.firstSequence ?? Math.floor(this.#random() * 65536);
    this.#timestamp = options.firstTimestamp ?? Math.floor(this.#random() * 2 ** 32);
    this.#ssrc = Math.floor(this.#random() * 2 ** 32);
    this.#noise = options.noiseDbfs === undefined ? undefined : this.#makeNoise(options.noiseDbfs);
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  /** Queues 8 kHz audio; silence at its ends is cut so that it starts and stops when the caller does. */
  say(pcm: Int16Array): Speech {
    const trimmed = trimSilence(pcm) ?? new Int16Array(0);
    const speech = createSpeech(trimmed.length / 8);
    if (trimmed.length === 0) speech.finish();
    else this.#queue.push({ kind: 'words', pcm: trimmed, position: 0, speech });
    return speech;
  }

  /** Queues keys 0-9 * # A-D as RFC 4733 events. */
  press(digits: string, options: KeyOptions = {}): Speech {
    if (this.telephoneEvent === undefined) throw new Error('the far end does not take telephone-event');
    const frames = Math.max(1, Math.round((options.keyMs ?? 100) / 20));
    const gapFrames = Math.max(1, Math.round((options.gapMs ?? 80) / 20));
    const events = [...digits].map(eventOf);
    const speech = createSpeech(events.length * (frames + gapFrames) * 20);
    if (events.length === 0) speech.finish();
    events.forEach((event, i) => {
      this.#queue.push({
        kind: 'key',
        event,
        frames,
        gapFrames,
        endPackets: options.endPackets ?? 3,
        marker: options.marker ?? true,
        frame: 0,
        timestamp: 0,
        speech,
        last: i === events.length - 1,
      });
    });
    return speech;
  }

  /** Falls silent at once. */
  stop(): void {
    for (const item of this.#queue.splice(0)) item.speech.finish();
  }

  /** Goes on as another stream, as after a transfer inside the caller's network: SSRC, sequence and timestamp jump. */
  changeSsrc(): void {
    this.#ssrc = Math.floor(this.#random() * 2 ** 32);
    this.#sequence = Math.floor(this.#random() * 65536);
    this.#timestamp = Math.floor(this.#random() * 2 ** 32);
  }

  tick(now: Ms, skipped: number): void {
    this.#timestamp += FRAME_SAMPLES * skipped;
    if (this.sending) {
      const item = this.#queue[0];
      if (item?.kind === 'key') this.#sendKey(item, now);
      else this.#sendAudio(item, now);
    } else this.#options.onFrame?.(new Int16Array(FRAME_SAMPLES), now);
    this.#timestamp += FRAME_SAMPLES;
  }

  #sendAudio(words: Words | undefined, now: Ms): void {
    const frame = new Int16Array(FRAME_SAMPLES);
    if (words) {
      frame.set(words.pcm.subarray(words.position, words.position + FRAME_SAMPLES));
      words.position += FRAME_SAMPLES;
    }
    if (this.#noise) this.#addNoise(frame);
    this.#options.onFrame?.(frame, now);
    // Most of what hundreds of phones send is silence: it is not encoded anew each time.
    const payload = words || this.#noise ? encode(this.codec, frame) : SILENCE[this.codec];
    this.#packet(PAYLOAD_TYPE[this.codec], words !== undefined && !this.#talking, payload, now);
    this.#talking = words !== undefined;
    if (!words) return;
    for (let at = 0; at < FRAME_SAMPLES; at += WINDOW) {
      if (!isVoiced(levelDbfs(frame, at, at + WINDOW))) continue;
      words.speech.startedAt ??= now;
      words.speech.endedAt = now;
    }
    if (words.position < words.pcm.length) return;
    this.#queue.shift();
    words.speech.finish();
  }

  #sendKey(key: Key, now: Ms): void {
    if (key.frame === 0) key.timestamp = this.#timestamp;
    const updates = key.frames - 1;
    const silentFrom = updates + key.endPackets;
    if (key.frame < silentFrom) {
      const end = key.frame >= updates;
      const duration = Math.min(key.frame + 1, key.frames) * FRAME_SAMPLES;
      const payload = buildEvent(key.event, end, 10, duration);
      this.#packet(this.telephoneEvent!, key.marker && key.frame === 0, payload, now, key.timestamp);
      key.speech.startedAt ??= now;
      if (key.frame === 0 && key.last) key.speech.lastKeyAt = now;
      // The key is complete with its first end packet; the others only repeat it.
      if (key.frame <= updates) key.speech.endedAt = now;
      this.#options.onFrame?.(new Int16Array(FRAME_SAMPLES), now);
    } else this.#sendAudio(undefined, now);
    key.frame++;
    if (key.frame < Math.max(silentFrom, key.frames) + key.gapFrames) return;
    this.#queue.shift();
    if (key.last) key.speech.finish();
  }

  #packet(payloadType: number, marker: boolean, payload: Uint8Array, now: Ms, timestamp = this.#timestamp): void {
    const packet = buildRtp({
      payloadType,
      marker,
      sequence: this.#sequence,
      timestamp,
      ssrc: this.#ssrc,
      payload,
    });
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packetsSent++;
    this.#options.send(packet, now);
  }

  #makeNoise(dbfs: number): Int16Array {
    // Uniform noise: RMS is its peak divided by the square root of three.
    const peak = 32768 * 10 ** (dbfs / 20) * Math.sqrt(3);
    return Int16Array.from({ length: 8000 }, () => (this.#random() * 2 - 1) * peak);
  }

  #addNoise(frame: Int16Array): void {
    const noise = this.#noise!;
    const from = Math.floor(this.#random() * (noise.length - FRAME_SAMPLES));
    for (let i = 0; i < frame.length; i++) {
      frame[i] = Math.max(-32768, Math.min(32767, frame[i]! + noise[from + i]!));
    }
  }
}

function createSpeech(durationMs: Ms): MutableSpeech {
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { durationMs, startedAt: undefined, endedAt: undefined, lastKeyAt: undefined, done, finish: () => finish() };
}
