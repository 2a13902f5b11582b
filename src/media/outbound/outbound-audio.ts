import type { Ms } from '../../core/clock.ts';
import { fewRandomBytes } from '../../core/random-pool.ts';
import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from '../audio.ts';
import type { AudioEncoder } from '../codecs/codec.ts';
import { PCMU } from '../codecs/g711.ts';
import { codecNamed } from '../codecs/index.ts';
import { EVENT_BYTES, KeySender } from '../keys/key-sender.ts';
import type { RemoteAudio } from '../ports.ts';
import { PacketBuffer } from '../rtp/packet-buffers.ts';
import type { SentStream } from '../rtp/rtcp-session.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../rtp/rtp-packet.ts';
import type { RtpPosition } from '../workers/continuity.ts';

/** Frames of silence that are sent as such before comfort noise takes over: between words nothing changes. */
const SILENCE_BEFORE_NOISE = 15;
/** Frames between descriptions of noise that stays the same: often enough for NAT bindings and watchful far ends. */
const NOISE_EVERY = 50;
/** -70 dBov: the line is not dead, and nobody listens to it. */
const NOISE_LEVEL = 70;
/** Longer payloads of one frame there are none of: Opus has the longest. */
const LONGEST_OF_FRAME = 1275;
/** For all calls of this thread whose packets are made within one frame. */
const shared = new PacketBuffer(RTP_HEADER_BYTES + LONGEST_OF_FRAME);

/** Sends one packet, or takes a copy: the bytes are of use during the call only. */
export type SendPacket = (packet: Uint8Array) => void;

/**
 * The bot's direction: a frame of 20 ms in at every tick, RTP packets of the peer's ptime out. Sequence numbers have
 * no gaps and timestamps follow real time, also over holds, so the peer's clock recovery never jumps.
 */
export class OutboundAudio {
  sent = 0;
  /** Bytes of payload sent. */
  octets = 0;
  readonly #send: SendPacket;
  /** Where the packet under way is written. */
  #buffer = shared;
  #encoder: AudioEncoder = PCMU.encoder(FRAME_SAMPLES);
  #format: string | undefined;
  #payloadType = 0;
  #packetSamples = FRAME_SAMPLES;
  /** Units of the timestamp per sample. */
  #unit = 1;
  /** Samples and bytes of the packet under way. */
  #fill = 0;
  #bytes = 0;
  #sequence: number;
  #timestamp: number;
  readonly #ssrc: number;
  readonly #position: RtpPosition = { ssrc: 0, sequence: 0, timestamp: 0 };
  #sending = false;
  #marker = true;
  /** Of comfort noise; undefined: silence is sent as it is. */
  #noisePayloadType: number | undefined;
  /** In a row. */
  #silentFrames = 0;
  readonly #keys = new KeySender();
  #keysAs: RemoteAudio['keysAs'];
  #keyTimestamp = 0;

  /** `initial`: another worker's stream that goes on; or it fixes what RFC 3550 wants random, for tests of wrapping. */
  constructor(send: SendPacket, initial?: { sequence: number; timestamp: number; ssrc?: number }) {
    const random = fewRandomBytes(10);
    this.#send = send;
    this.#ssrc = initial?.ssrc ?? random.readUInt32BE(0);
    this.#sequence = initial?.sequence ?? random.readUInt16BE(4);
    this.#timestamp = initial?.timestamp ?? random.readUInt32BE(6);
  }

  get sending(): boolean {
    return this.#sending;
  }

  /** Where the stream stands. The object is used again. */
  get position(): RtpPosition {
    this.#position.ssrc = this.#ssrc;
    this.#position.sequence = this.#sequence;
    this.#position.timestamp = (this.#timestamp + this.#fill * this.#unit) >>> 0;
    return this.#position;
  }

  /** What was sent so far, for RTCP. */
  get stream(): SentStream {
    const { ssrc, timestamp } = this.position;
    return { ssrc, timestamp, packets: this.sent, octets: this.octets };
  }

  /** Units of the RTP timestamp per second. */
  get clockRate(): number {
    return this.#encoder.codec.clockRate;
  }

  connect(remote: RemoteAudio): void {
    const codec = codecNamed(remote.codec);
    const samples = (codec.packetMs(remote.ptimeMs) * SAMPLE_RATE) / 1000;
    const changed = codec !== this.#encoder.codec || samples !== this.#packetSamples || remote.format !== this.#format;
    if (!remote.send || changed) this.#dropPartial();
    if (changed) {
      this.#encoder.close();
      this.#encoder = codec.encoder(samples, remote.format);
      // Between two frames others write theirs.
      const within = FRAME_SAMPLES % samples === 0 && codec.maxBytes(samples) <= LONGEST_OF_FRAME;
      this.#buffer = within ? shared : new PacketBuffer(RTP_HEADER_BYTES + codec.maxBytes(samples));
      this.#format = remote.format;
      this.#unit = codec.clockRate / SAMPLE_RATE;
    }
    if (remote.send && !this.#sending) this.#marker = true;
    this.#payloadType = remote.payloadType;
    this.#packetSamples = samples;
    this.#noisePayloadType = remote.suppressSilence ? remote.comfortNoisePayloadType : undefined;
    this.#silentFrames = 0;
    this.#sending = remote.send;
    this.#keysAs = remote.keysAs;
    if (!remote.send || remote.keysAs === undefined) this.#keys.clear();
  }

  /** A key, as telephone events in the place of the voice, which is not sent meanwhile (RFC 4733 section 2.5.1.2). */
  press(digit: string, durationMs: Ms): void {
    if (this.#sending && this.#keysAs !== undefined) this.#keys.press(digit, durationMs);
  }

  /** Twenty milliseconds of the bot; undefined is silence, which is sent too, or as comfort noise when it lasts. */
  frame(pcm: Pcm | undefined): void {
    if (!this.#sending) {
      this.#passTime(FRAME_SAMPLES);
      return;
    }
    if (this.#keys.active) {
      this.#sendKey(this.#keysAs!);
      return;
    }
    if (this.#isNoise(pcm)) return;
    let from = 0;
    while (from < FRAME_SAMPLES) {
      const take = Math.min(FRAME_SAMPLES - from, this.#packetSamples - this.#fill);
      this.#bytes += this.#encoder.encode(pcm, from, take, this.#buffer.bytes, RTP_HEADER_BYTES + this.#bytes);
      from += take;
      this.#fill += take;
      if (this.#fill === this.#packetSamples) this.#flush();
    }
  }

  /** Time has passed without frames. */
  skip(frames: number): void {
    this.#dropPartial();
    this.#passTime(frames * FRAME_SAMPLES);
    this.#marker = true;
  }

  /** Leaves sequence numbers out: those that another worker may have used for packets nobody knows of. */
  leap(packets: number): void {
    this.#sequence = (this.#sequence + packets) & 0xffff;
  }

  /** Frees what the codec holds. Idempotent; nothing is sent afterwards. */
  close(): void {
    this.#sending = false;
    this.#encoder.close();
  }

  /**
   * The frame need not be sent: silence has lasted, and the far end makes the noise it is told of. We know what comes, so
   * nothing of a word is ever cut: its first frame is sent as any other, marked as the beginning of a talk spurt.
   */
  #isNoise(pcm: Pcm | undefined): boolean {
    if (this.#noisePayloadType === undefined) return false;
    if (pcm !== undefined) this.#silentFrames = 0;
    // A packet that has begun is finished first.
    else if (this.#fill === 0 && this.#silentFrames >= SILENCE_BEFORE_NOISE) {
      if ((this.#silentFrames - SILENCE_BEFORE_NOISE) % NOISE_EVERY === 0) this.#sendNoise(this.#noisePayloadType);
      this.#silentFrames++;
      this.#marker = true;
      this.#passTime(FRAME_SAMPLES);
      return true;
    } else this.#silentFrames++;
    return false;
  }

  #sendNoise(payloadType: number): void {
    this.#buffer.bytes[RTP_HEADER_BYTES] = NOISE_LEVEL;
    this.#write(payloadType, false, 1);
  }

  #flush(): void {
    const bytes = this.#bytes;
    this.#fill = 0;
    this.#bytes = 0;
    this.#write(this.#payloadType, this.#marker, bytes);
    this.#marker = false;
    this.#passTime(this.#packetSamples);
  }

  #sendKey({ payloadType, clockRate }: NonNullable<RemoteAudio['keysAs']>): void {
    this.#dropPartial();
    const first = this.#keys.write(this.#buffer.bytes, RTP_HEADER_BYTES, clockRate / SAMPLE_RATE);
    if (first) this.#keyTimestamp = this.#timestamp;
    this.#write(payloadType, first, EVENT_BYTES, this.#keyTimestamp);
    this.#passTime(FRAME_SAMPLES);
  }

  /** Sends the payload that lies in the buffer. */
  #write(payloadType: number, marker: boolean, payloadBytes: number, timestamp = this.#timestamp): void {
    writeRtpHeader(this.#buffer.bytes, payloadType, marker, this.#sequence, timestamp, this.#ssrc);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.sent++;
    this.octets += payloadBytes;
    this.#send(this.#buffer.packet(RTP_HEADER_BYTES + payloadBytes));
  }

  #passTime(samples: number): void {
    this.#timestamp = (this.#timestamp + samples * this.#unit) >>> 0;
  }

  #dropPartial(): void {
    this.#passTime(this.#fill);
    this.#encoder.drop();
    this.#fill = 0;
    this.#bytes = 0;
  }
}
