import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from '../audio.ts';
import type { AudioEncoder } from '../codecs/codec.ts';
import { OPUS } from '../codecs/opus.ts';
import { OggPager } from './ogg-pager.ts';
import { CHANNELS, FRAMES_PER_SECOND } from './recording-buffer.ts';

/** Of each side, bit/s, while it speaks; silence takes a fifth of it. */
const BITRATE = 16_000;
/** Positions in the stream count 48,000 a second, whatever the rate of the audio (RFC 7845 section 4). */
const GRANULE_RATE = 48_000;
const FRAME_GRANULES = GRANULE_RATE / FRAMES_PER_SECOND;
/** What libopus looks ahead: 2.5 ms, and 4 ms that make its modes equally late. A decoder leaves it out. */
const PRE_SKIP = GRANULE_RATE * 0.0065;
const PACKET_ROOM = 1276;

/**
 * Ogg Opus (RFC 7845) of two people who hardly ever speak at the same time: two independent mono streams in one file
 * (channel mapping family 1, nothing coupled). Opus's own stereo codes what both sides have in common and gives each a
 * little of the other; here a silenced side is silent. A page is a second.
 */
export class OggOpusStream {
  readonly #pager: OggPager;
  readonly #encoders: AudioEncoder[] = Array.from({ length: CHANNELS }, () =>
    OPUS.encoder(FRAME_SAMPLES, `maxaveragebitrate=${BITRATE}`),
  );
  readonly #scratch = new Uint8Array(PACKET_ROOM);
  readonly #side: Pcm = new Int16Array(FRAME_SAMPLES);
  #frames = 0;

  constructor(serial: number) {
    this.#pager = new OggPager(serial);
  }

  /** The two pages that come first: what the stream is, and who made it. */
  begin(): Buffer {
    this.#pager.add(opusHead(), 0);
    const head = this.#pager.page();
    this.#pager.add(opusTags(), 0);
    return Buffer.concat([head, this.#pager.page()]);
  }

  /** 20 ms, left and right by turns. Returns a page when one is full, else no bytes. */
  push(frame: Pcm): Buffer {
    const packet = this.#encode(frame);
    this.#frames++;
    const before = this.#pager.add(packet, this.#frames * FRAME_GRANULES);
    const second = this.#frames % FRAMES_PER_SECOND === 0 ? this.#pager.page() : undefined;
    return Buffer.concat([before ?? NOTHING, second ?? NOTHING]);
  }

  /**
   * The end. One more frame brings out what the encoder still holds, and the position of the last page says where in it
   * to stop (RFC 7845 section 4.4).
   */
  finish(): Buffer {
    const packet = this.#encode(new Int16Array(FRAME_SAMPLES * CHANNELS));
    const before = this.#pager.add(packet, PRE_SKIP + this.#frames * FRAME_GRANULES);
    return Buffer.concat([before ?? NOTHING, this.#pager.page(true)]);
  }

  close(): void {
    for (const encoder of this.#encoders) encoder.close();
  }

  #encode(frame: Pcm): Buffer {
    const packets = this.#encoders.map((encoder, channel) => {
      for (let i = 0; i < FRAME_SAMPLES; i++) this.#side[i] = frame[CHANNELS * i + channel]!;
      const bytes = encoder.encode(this.#side, 0, FRAME_SAMPLES, this.#scratch, 0);
      return Buffer.from(this.#scratch.subarray(0, bytes));
    });
    return Buffer.concat(packets.map((packet, i) => (i < packets.length - 1 ? selfDelimited(packet) : packet)));
  }
}

const NOTHING = Buffer.alloc(0);

/** RFC 6716 appendix B: all streams of a packet but the last say how long they are. Of one frame, as ours are. */
function selfDelimited(packet: Buffer): Buffer {
  const toc = packet[0];
  if (toc === undefined || (toc & 3) !== 0) throw new RangeError('not an Opus packet of one frame');
  const length = packet.length - 1;
  // Section 3.2.1: one byte up to 251, else two.
  const size = length < 252 ? [length] : [252 + (length & 3), (length - (252 + (length & 3))) >> 2];
  return Buffer.concat([Uint8Array.of(toc, ...size), packet.subarray(1)]);
}

/** RFC 7845 section 5.1. */
function opusHead(): Buffer {
  const head = Buffer.alloc(23);
  head.write('OpusHead', 'latin1');
  head[8] = 1;
  head[9] = CHANNELS;
  head.writeUInt16LE(PRE_SKIP, 10);
  head.writeUInt32LE(SAMPLE_RATE, 12);
  // Family 1: streams, of these coupled, and the stream of each channel.
  head.set([1, CHANNELS, 0, 0, 1], 18);
  return head;
}

/** Section 5.2. */
function opusTags(): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value, 'utf8');
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return Buffer.concat([size, bytes]);
  };
  const one = Buffer.from([1, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from('OpusTags', 'latin1'),
    text('libopus'),
    one,
    text('DESCRIPTION=left: the caller, right: the bot'),
  ]);
}
