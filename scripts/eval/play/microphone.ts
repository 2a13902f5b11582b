import type { Ms } from '../../../src/core/clock.ts';
import { monotonicNow } from '../../../src/core/clock.ts';
import { decode, encode } from '../../../tests/support/phone/g711.ts';
import type { RtpLine } from '../../../tests/support/phone/rtp-line.ts';
import { clip } from '../audio/levels.ts';

const PER_MS = 8;
const RTP_HEADER = 12;
const PCMU = 0;
/** A packet of what was heard may wait this much longer than usual before the phone gives up its order. 100 ms. */
const MOST_LATE = 100 * PER_MS;
/** A loudspeaker and a desk: the direct sound and three reflections, delays in samples. */
const REFLECTIONS: readonly (readonly [delay: number, gain: number])[] = [
  [0, 0.8],
  [23, 0.4],
  [61, -0.3],
  [118, 0.2],
];
const LONGEST_REFLECTION = Math.max(...REFLECTIONS.map(([delay]) => delay));

export interface MicrophoneOptions {
  /** Looped under everything the caller sends, speaking or not. */
  readonly noise?: Int16Array;
  readonly echo?: { readonly attenuationDb: number; readonly delayMs: number };
  /** What goes out in the end, for the recording. */
  readonly onFrame?: (pcm: Int16Array, at: Ms) => void;
}

/**
 * The room around the phone: adds noise and the loudspeaker's sound to what the mouth sends. It stands between the
 * mouth and the socket, so that the phone's own measures are still those of the clean voice. Loudspeaker and microphone
 * have one clock, as in any phone: with every frame that is sent, as much of what was heard is played, the echo's delay
 * behind it. PCMU only; key packets pass as they are.
 */
export class Microphone {
  readonly #options: MicrophoneOptions;
  readonly #gain: number;
  readonly #delay: number;
  /** Heard and not yet played, behind what the reflections still need. */
  #loudspeaker = new Int16Array(LONGEST_REFLECTION);

  constructor(options: MicrophoneOptions) {
    this.#options = options;
    this.#gain = options.echo ? 10 ** (-options.echo.attenuationDb / 20) : 0;
    this.#delay = (options.echo?.delayMs ?? 0) * PER_MS;
  }

  /** Nothing has been heard yet, or the phone has run out of it. */
  get #empty(): boolean {
    return this.#loudspeaker.length <= LONGEST_REFLECTION;
  }

  /** From now on everything the line sends goes through this microphone. */
  attach(line: RtpLine): void {
    const send = line.sendRaw.bind(line);
    line.sendRaw = (packet) => send(this.through(packet, monotonicNow()));
  }

  /** What the caller's loudspeaker plays. */
  heard(pcm: Int16Array): void {
    if (!this.#options.echo) return;
    const before = this.#empty ? new Int16Array(LONGEST_REFLECTION + this.#delay) : this.#loudspeaker;
    // A phone whose microphone stood still, or that was sent more than it can play, drops the oldest.
    const kept = before.subarray(Math.max(0, before.length + pcm.length - this.#delay - MOST_LATE));
    this.#loudspeaker = new Int16Array(kept.length + pcm.length);
    this.#loudspeaker.set(kept);
    this.#loudspeaker.set(pcm, kept.length);
  }

  /** The packet as it leaves the room. */
  through(packet: Buffer, now: Ms): Buffer {
    const pcmu = packet.length > RTP_HEADER && (packet[1]! & 0x7f) === PCMU;
    if (!pcmu) return packet;
    const pcm = decode('PCMU', packet.subarray(RTP_HEADER));
    this.#addNoise(pcm, packet.readUInt32BE(4));
    this.#addEcho(pcm);
    this.#options.onFrame?.(pcm, now);
    return Buffer.concat([packet.subarray(0, RTP_HEADER), encode('PCMU', pcm)]);
  }

  /** By the packet's timestamp, so that a lost packet leaves a hole in the noise too. */
  #addNoise(pcm: Int16Array, timestamp: number): void {
    const noise = this.#options.noise;
    if (!noise || noise.length === 0) return;
    for (let i = 0; i < pcm.length; i++) pcm[i] = clip(pcm[i]! + noise[(timestamp + i) % noise.length]!);
  }

  #addEcho(pcm: Int16Array): void {
    const line = this.#loudspeaker;
    if (this.#empty) return;
    for (let i = 0; i < pcm.length; i++) {
      let sum = 0;
      for (const [delay, gain] of REFLECTIONS) sum += gain * (line[LONGEST_REFLECTION + i - delay] ?? 0);
      pcm[i] = clip(pcm[i]! + sum * this.#gain);
    }
    this.#loudspeaker = line.slice(pcm.length);
  }
}
