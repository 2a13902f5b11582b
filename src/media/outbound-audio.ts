import { randomBytes } from 'node:crypto';
import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from './audio.ts';
import type { RtpPosition } from './continuity.ts';
import { encodeG711, type G711, g711, PCMU } from './g711.ts';
import type { RemoteAudio } from './ports.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from './rtp-packet.ts';

/** Packet buffers used in turn: a send the kernel cannot take at once still reads its buffer for a while. */
const BUFFERS = 8;
const MAX_PAYLOAD = (SAMPLE_RATE * 60) / 1000;

/** Sends one packet; the bytes stay untouched for the next seven packets. */
export type SendPacket = (packet: Uint8Array) => void;

/**
 * The bot's direction: a frame of 20 ms in at every tick, RTP packets of the peer's ptime out. Sequence numbers have
 * no gaps and timestamps follow real time, also over holds, so the peer's clock recovery never jumps.
 */
export class OutboundAudio {
  sent = 0;
  readonly #send: SendPacket;
  readonly #buffers: { bytes: Uint8Array; views: Map<number, Uint8Array> }[];
  #turn = 0;
  #codec: G711 = PCMU;
  #payloadType = 0;
  #packetSamples = FRAME_SAMPLES;
  #fill = 0;
  #sequence: number;
  #timestamp: number;
  readonly #ssrc: number;
  readonly #position: RtpPosition = { ssrc: 0, sequence: 0, timestamp: 0 };
  #sending = false;
  #marker = true;

  /** `initial`: another worker's stream that goes on; or it fixes what RFC 3550 wants random, for tests of wrapping. */
  constructor(send: SendPacket, initial?: { sequence: number; timestamp: number; ssrc?: number }) {
    const random = randomBytes(10);
    this.#send = send;
    this.#ssrc = initial?.ssrc ?? random.readUInt32BE(0);
    this.#sequence = initial?.sequence ?? random.readUInt16BE(4);
    this.#timestamp = initial?.timestamp ?? random.readUInt32BE(6);
    this.#buffers = Array.from({ length: BUFFERS }, () => ({
      bytes: new Uint8Array(RTP_HEADER_BYTES + MAX_PAYLOAD),
      views: new Map(),
    }));
  }

  get sending(): boolean {
    return this.#sending;
  }

  /** Where the stream stands. The object is used again. */
  get position(): RtpPosition {
    this.#position.ssrc = this.#ssrc;
    this.#position.sequence = this.#sequence;
    this.#position.timestamp = (this.#timestamp + this.#fill) >>> 0;
    return this.#position;
  }

  connect(remote: RemoteAudio): void {
    const samples = (Math.max(10, Math.min(60, remote.ptimeMs)) * SAMPLE_RATE) / 1000;
    if (!remote.send || samples !== this.#packetSamples || remote.codec !== this.#codec.name) this.#dropPartial();
    if (remote.send && !this.#sending) this.#marker = true;
    this.#codec = g711(remote.codec);
    this.#payloadType = remote.payloadType;
    this.#packetSamples = samples;
    this.#sending = remote.send;
  }

  /** Twenty milliseconds of the bot; undefined is silence, which is sent too. */
  frame(pcm: Pcm | undefined): void {
    if (!this.#sending) {
      this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
      return;
    }
    let from = 0;
    while (from < FRAME_SAMPLES) {
      const take = Math.min(FRAME_SAMPLES - from, this.#packetSamples - this.#fill);
      const { bytes } = this.#buffers[this.#turn]!;
      const at = RTP_HEADER_BYTES + this.#fill;
      if (pcm === undefined) bytes.fill(this.#codec.silence, at, at + take);
      else encodeG711(this.#codec, pcm, from, take, bytes, at);
      from += take;
      this.#fill += take;
      if (this.#fill === this.#packetSamples) this.#flush();
    }
  }

  /** Time has passed without frames. */
  skip(frames: number): void {
    this.#dropPartial();
    this.#timestamp = (this.#timestamp + frames * FRAME_SAMPLES) >>> 0;
    this.#marker = true;
  }

  #flush(): void {
    const buffer = this.#buffers[this.#turn]!;
    this.#turn = (this.#turn + 1) % BUFFERS;
    writeRtpHeader(buffer.bytes, this.#payloadType, this.#marker, this.#sequence, this.#timestamp, this.#ssrc);
    this.#marker = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + this.#packetSamples) >>> 0;
    this.#fill = 0;
    this.sent++;
    const length = RTP_HEADER_BYTES + this.#packetSamples;
    let view = buffer.views.get(length);
    if (view === undefined) {
      view = buffer.bytes.subarray(0, length);
      buffer.views.set(length, view);
    }
    this.#send(view);
  }

  #dropPartial(): void {
    this.#timestamp = (this.#timestamp + this.#fill) >>> 0;
    this.#fill = 0;
  }
}
