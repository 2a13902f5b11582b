import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE, saturated } from '../audio.ts';
import type { AudioDecoder, AudioEncoder, Codec } from './codec.ts';
import { libopus, MAX_BYTES, MAX_SAMPLES } from './libopus.ts';

const SET_BITRATE = 4002;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS = 4014;

/** Transparent for a telephone's band. */
const BITRATE = 20_000;
/** Of 10. At 5 a packet takes three times as long to code, and the difference is not heard at 8 kHz. */
const COMPLEXITY = 1;
/** libopus 1.3 adds no redundancy below this. */
const FEC_COMPLEXITY = 2;
/** The loss that redundancy is dimensioned for when the peer asks for it, %. */
const EXPECTED_LOSS = 10;
/** libopus conceals in steps of 2.5 ms. */
const CONCEALED_STEP = SAMPLE_RATE / 400;
const FRAME_MS = [10, 20, 40, 60] as const;

/** Loads libopus into this thread: for who cannot stand still later. */
export function loadOpus(): void {
  libopus();
}

/**
 * Duration of a packet by its first bytes (RFC 6716 section 3.1), in samples at 8 kHz; 0 when it is malformed. An empty
 * payload is not even that.
 */
function opusSamples(data: Uint8Array, offset: number, length: number): number {
  if (length < 1) return 0;
  const toc = data[offset]!;
  const config = toc >> 3;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : length < 2 ? 0 : data[offset + 1]! & 0x3f;
  const samples = frames * frameSamples(config);
  return samples > MAX_SAMPLES ? 0 : samples;
}

/**
 * Does the packet carry the frame before it once more (LBRR)? Said by the bits behind the voice activity of each 20 ms, of
 * SILK and hybrid packets (RFC 6716 section 4.2.3). Packets of several frames are not looked into.
 */
function hasRedundancy(data: Uint8Array, offset: number, length: number): boolean {
  if (length < 2) return false;
  const toc = data[offset]!;
  const config = toc >> 3;
  if (config >= 16 || (toc & 3) !== 0) return false;
  const frames = Math.max(1, frameSamples(config) / FRAME_SAMPLES);
  return ((data[offset + 1]! >> (7 - frames)) & 1) === 1;
}

/** SILK has 10 to 60 ms, the hybrid 10 and 20, CELT 2.5 to 20 ms. */
function frameSamples(config: number): number {
  if (config < 12) return [80, 160, 320, 480][config & 3]!;
  if (config < 16) return (config & 1) === 0 ? 80 : 160;
  return 20 << (config & 3);
}

class OpusDecoder implements AudioDecoder {
  readonly codec = OPUS;
  readonly #state = libopus().newDecoder();
  #closed = false;
  /** Has decoded a packet: there is something to go on from. */
  #begun = false;

  decode(data: Uint8Array, offset: number, length: number, out: Pcm, at: number): number {
    const expected = opusSamples(data, offset, length);
    if (expected === 0 || !this.#decode(data.subarray(offset, offset + length), expected, false, out, at)) return 0;
    this.#begun = true;
    return expected;
  }

  /** RFC 6716 section 4.4. */
  conceal(out: Pcm, at: number, length: number): boolean {
    return this.#lost(undefined, out, at, length);
  }

  /** The redundancy of the packet behind the loss (RFC 6716 section 2.1.7); without any libopus conceals. */
  recover(data: Uint8Array, offset: number, bytes: number, out: Pcm, at: number, length: number): boolean {
    return hasRedundancy(data, offset, bytes) && this.#lost(data.subarray(offset, offset + bytes), out, at, length);
  }

  close(): void {
    if (!this.#closed) libopus().deleteDecoder(this.#state);
    this.#closed = true;
  }

  #lost(next: Uint8Array | undefined, out: Pcm, at: number, length: number): boolean {
    if (!this.#begun || length > MAX_SAMPLES || length % CONCEALED_STEP !== 0) return false;
    return this.#decode(next, length, true, out, at);
  }

  #decode(packet: Uint8Array | undefined, samples: number, lost: boolean, out: Pcm, at: number): boolean {
    if (this.#closed || (packet !== undefined && packet.length > MAX_BYTES)) return false;
    const opus = libopus();
    if (opus.decode(this.#state, packet, samples, lost) !== samples) return false;
    const pcm = opus.decoded();
    for (let i = 0; i < samples; i++) out[at + i] = saturated(Math.round(pcm[i]! * 32_768));
    return true;
  }
}

class OpusEncoder implements AudioEncoder {
  readonly codec = OPUS;
  readonly #packetSamples: number;
  readonly #collected: Int16Array;
  readonly #state = libopus().newEncoder();
  #closed = false;
  #fill = 0;

  constructor(packetSamples: number, format: string) {
    this.#packetSamples = packetSamples;
    this.#collected = new Int16Array(packetSamples);
    const wished = Number(/(?:^|;)\s*maxaveragebitrate=(\d+)/i.exec(format)?.[1] ?? BITRATE);
    const redundant = /(?:^|;)\s*useinbandfec=1/i.test(format);
    const set = (request: number, value: number) => libopus().control(this.#state, request, value);
    set(SET_BITRATE, Math.max(6000, Math.min(BITRATE, wished)));
    set(SET_COMPLEXITY, redundant ? FEC_COMPLEXITY : COMPLEXITY);
    if (!redundant) return;
    set(SET_INBAND_FEC, 1);
    set(SET_PACKET_LOSS, EXPECTED_LOSS);
  }

  encode(from: Pcm | undefined, at: number, length: number, out: Uint8Array, outAt: number): number {
    if (from === undefined) this.#collected.fill(0, this.#fill, this.#fill + length);
    else for (let i = 0; i < length; i++) this.#collected[this.#fill + i] = from[at + i]!;
    this.#fill += length;
    if (this.#fill < this.#packetSamples || this.#closed) return 0;
    this.#fill = 0;
    const opus = libopus();
    const pcm = opus.toEncode();
    for (let i = 0; i < this.#packetSamples; i++) pcm[i] = this.#collected[i]! / 32_768;
    const bytes = opus.encode(this.#state, this.#packetSamples);
    const packet = opus.encoded();
    for (let i = 0; i < bytes; i++) out[outAt + i] = packet[i]!;
    return Math.max(0, bytes);
  }

  drop(): void {
    this.#fill = 0;
  }

  close(): void {
    if (!this.#closed) libopus().deleteEncoder(this.#state);
    this.#closed = true;
  }
}

/**
 * Opus (RFC 6716, RFC 7587) by libopus in WASM: decoded and encoded mono at 8 kHz by libopus itself, whatever the
 * sender's bandwidth and channels. Redundancy is asked for: a lost packet is heard out of the one behind it.
 */
export const OPUS: Codec = {
  name: 'opus',
  // RFC 7587 sections 4.1 and 7: always 48000, always two channels in rtpmap.
  clockRate: 48_000,
  channels: 2,
  format: 'maxplaybackrate=8000;sprop-maxcapturerate=8000;stereo=0;useinbandfec=1',
  maxBytes: () => MAX_BYTES,
  packetMs: (wish) => FRAME_MS.findLast((ms) => ms <= wish) ?? FRAME_MS[0],
  samplesIn: opusSamples,
  decoder: () => new OpusDecoder(),
  encoder: (packetSamples = FRAME_SAMPLES, format = '') => new OpusEncoder(packetSamples, format),
};
