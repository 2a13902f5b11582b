import type { Ms } from '../../../src/core/clock.ts';
import { monotonicNow } from '../../../src/core/clock.ts';
import type { HeardPacket } from '../../../tests/support/phone/ear.ts';
import { decode, encode } from '../../../tests/support/phone/g711.ts';
import type { RtpLine } from '../../../tests/support/phone/rtp-line.ts';
import { clip } from '../audio/levels.ts';

const PER_MS = 8;
const RTP_HEADER = 12;
const PCMU = 0;
/** What was heard is kept this long: more than any echo's delay. */
const KEPT = 8000 * 4;
/** A loudspeaker and a desk: the direct sound and three reflections, delays in samples. */
const REFLECTIONS: readonly (readonly [delay: number, gain: number])[] = [
  [0, 0.8],
  [23, 0.4],
  [61, -0.3],
  [118, 0.2],
];
/** The reading position may wander this far from the clock (packets come in lumps) before it is set anew. */
const RESYNC = 40 * PER_MS;

export interface MicrophoneOptions {
  /** Looped under everything the caller sends, speaking or not. */
  readonly noise?: Int16Array;
  readonly echo?: { readonly attenuationDb: number; readonly delayMs: number };
  /** What goes out in the end, for the recording. */
  readonly onFrame?: (pcm: Int16Array, at: Ms) => void;
}

/**
 * The room around the phone: adds noise and the loudspeaker's sound to what the mouth sends. It stands between the
 * mouth and the socket, so that the phone's own measures are still those of the clean voice. PCMU only; key packets
 * pass as they are.
 */
export class Microphone {
  readonly #options: MicrophoneOptions;
  readonly #gain: number;
  readonly #loudspeaker = new Int16Array(KEPT);
  readonly #startedAt = monotonicNow();
  /** Behind the last sample heard, on the loudspeaker's time line. */
  #heardUntil = 0;
  #readAt: number | undefined;

  constructor(options: MicrophoneOptions) {
    this.#options = options;
    this.#gain = options.echo ? 10 ** (-options.echo.attenuationDb / 20) : 0;
  }

  /** From now on everything the line sends goes through this microphone. */
  attach(line: RtpLine): void {
    const send = line.sendRaw.bind(line);
    line.sendRaw = (packet) => send(this.through(packet, monotonicNow()));
  }

  /** What the caller's loudspeaker plays. */
  heard(pcm: Int16Array, packet: HeardPacket): void {
    const arrival = Math.round((packet.at - this.#startedAt) * PER_MS);
    const drift = arrival - this.#heardUntil;
    if (Math.abs(drift) > RESYNC) {
      // A gap in what was received: silence on the loudspeaker.
      for (let i = Math.max(this.#heardUntil, arrival - KEPT); i < arrival; i++) this.#loudspeaker[i % KEPT] = 0;
      this.#heardUntil = arrival;
    }
    for (const sample of pcm) this.#loudspeaker[this.#heardUntil++ % KEPT] = sample;
  }

  /** The packet as it leaves the room. */
  through(packet: Buffer, now: Ms): Buffer {
    const pcmu = packet.length > RTP_HEADER && (packet[1]! & 0x7f) === PCMU;
    if (!pcmu) return packet;
    const pcm = decode('PCMU', packet.subarray(RTP_HEADER));
    this.#addNoise(pcm, packet.readUInt32BE(4));
    this.#addEcho(pcm, now);
    this.#options.onFrame?.(pcm, now);
    return Buffer.concat([packet.subarray(0, RTP_HEADER), encode('PCMU', pcm)]);
  }

  /** By the packet's timestamp, so that a lost packet leaves a hole in the noise too. */
  #addNoise(pcm: Int16Array, timestamp: number): void {
    const noise = this.#options.noise;
    if (!noise || noise.length === 0) return;
    for (let i = 0; i < pcm.length; i++) pcm[i] = clip(pcm[i]! + noise[(timestamp + i) % noise.length]!);
  }

  #addEcho(pcm: Int16Array, now: Ms): void {
    const { echo } = this.#options;
    if (!echo) return;
    const due = Math.round((now - this.#startedAt - echo.delayMs) * PER_MS);
    if (this.#readAt === undefined || Math.abs(due - this.#readAt) > RESYNC) this.#readAt = due;
    for (let i = 0; i < pcm.length; i++) {
      let sum = 0;
      for (const [delay, gain] of REFLECTIONS) {
        const at = this.#readAt + i - delay;
        if (at >= 0 && at < this.#heardUntil && at > this.#heardUntil - KEPT)
          sum += gain * this.#loudspeaker[at % KEPT]!;
      }
      pcm[i] = clip(pcm[i]! + sum * this.#gain);
    }
    this.#readAt += pcm.length;
  }
}
