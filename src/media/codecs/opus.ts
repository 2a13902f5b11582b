import { createRequire } from 'node:module';
import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from '../audio.ts';
import type { AudioDecoder, AudioEncoder, Codec } from './codec.ts';

/** What the package's WASM build of libopus exports: the embind class behind its own API, which copies per packet. */
interface OpusModule {
  /** Replaced when the memory grows: to be read anew for each use. */
  readonly HEAPU8: Uint8Array;
  readonly HEAPU16: Uint16Array;
  _malloc(bytes: number): number;
  OpusScriptHandler: {
    new (samplingRate: number, channels: number, application: number): OpusHandler;
    destroy_handler(handler: OpusHandler): void;
  };
}

/**
 * One encoder and one decoder. Pointers are byte offsets into the heap; negative results are libopus errors. Samples
 * are two 16-bit words each, the low byte and the high byte: so the package's own API hands over a Buffer.
 */
interface OpusHandler {
  _encode(pcm: number, bytes: number, packet: number, samples: number): number;
  _decode(packet: number, bytes: number, pcm: number): number;
  _encoder_ctl(request: number, value: number): number;
}

const APPLICATION_VOIP = 2048;
const SET_BITRATE = 4002;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS = 4014;

/** Transparent for a telephone's band. */
const BITRATE = 20_000;
/** Of 10. At 5 a packet takes 1.7 times as long to code, and the difference is not heard at 8 kHz. */
const COMPLEXITY = 1;
/** The loss that redundancy is dimensioned for when the peer asks for it, %. */
const EXPECTED_LOSS = 10;
/** RFC 6716 section 3.2.1: no packet is longer than 120 ms, no frame than 1275 bytes. */
const MAX_SAMPLES = (SAMPLE_RATE * 120) / 1000;
const MAX_BYTES = 1275;
/** The package decodes with room for 60 ms at 48 kHz, whatever the rate. */
const DECODE_ROOM = 5760;
const FRAME_MS = [10, 20, 40, 60] as const;

interface Opus {
  module: OpusModule;
  /** Scratch for all calls of this thread, which are served one after another. */
  pcm: number;
  packet: number;
}

let loaded: Opus | undefined;

/** Compiles libopus: 20 ms, once per thread; called ahead by who cannot stand still later. */
export function loadOpus(): void {
  opus();
}

function opus(): Opus {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    const instantiate = require('opusscript/build/opusscript_native_wasm.js') as () => OpusModule;
    const module = instantiate();
    loaded = { module, pcm: module._malloc(DECODE_ROOM * 4), packet: module._malloc(MAX_BYTES) };
  }
  return loaded;
}

/**
 * Duration of a packet by its first bytes (RFC 6716 section 3.1), in samples at 8 kHz; 0 when it is malformed. An empty
 * payload is not even that.
 */
export function opusSamples(data: Uint8Array, offset: number, length: number): number {
  if (length < 1) return 0;
  const toc = data[offset]!;
  const config = toc >> 3;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : length < 2 ? 0 : data[offset + 1]! & 0x3f;
  const samples = frames * frameSamples(config);
  return samples > MAX_SAMPLES ? 0 : samples;
}

/** SILK has 10 to 60 ms, the hybrid 10 and 20, CELT 2.5 to 20 ms. */
function frameSamples(config: number): number {
  if (config < 12) return [80, 160, 320, 480][config & 3]!;
  if (config < 16) return (config & 1) === 0 ? 80 : 160;
  return 20 << (config & 3);
}

class OpusDecoder implements AudioDecoder {
  readonly codec = OPUS;
  #handler: OpusHandler | undefined = newHandler();
  /** Config and channels of the last packet. */
  #toc = -1;

  decode(data: Uint8Array, offset: number, length: number, out: Pcm, at: number): number {
    const expected = opusSamples(data, offset, length);
    if (this.#handler === undefined || expected === 0 || length > MAX_BYTES) return 0;
    const { module, packet, pcm } = opus();
    module.HEAPU8.set(data.subarray(offset, offset + length), packet);
    if (this.#handler._decode(packet, length, pcm) !== expected) return 0;
    this.#toc = data[offset]! & 0xfc;
    this.#copy(module, pcm, expected, out, at);
    return expected;
  }

  /** A packet of nothing but its first byte is a frame that was not sent: libopus conceals it (RFC 6716 section 4.4). */
  conceal(out: Pcm, at: number, length: number): boolean {
    if (this.#handler === undefined || this.#toc < 0) return false;
    const frame = frameSamples(this.#toc >> 3);
    if (length % frame !== 0) return false;
    const { module, packet, pcm } = opus();
    for (let done = 0; done < length; done += frame) {
      module.HEAPU8[packet] = this.#toc;
      if (this.#handler._decode(packet, 1, pcm) !== frame) return false;
      this.#copy(module, pcm, frame, out, at + done);
    }
    return true;
  }

  close(): void {
    if (this.#handler) opus().module.OpusScriptHandler.destroy_handler(this.#handler);
    this.#handler = undefined;
  }

  #copy(module: OpusModule, pcm: number, length: number, out: Pcm, at: number): void {
    const words = module.HEAPU16;
    const from = pcm >> 1;
    for (let i = 0; i < length; i++) {
      out[at + i] = (words[from + 2 * i]! & 0xff) | (words[from + 2 * i + 1]! << 8);
    }
  }
}

class OpusEncoder implements AudioEncoder {
  readonly codec = OPUS;
  readonly #packetSamples: number;
  readonly #collected: Int16Array;
  #handler: OpusHandler | undefined = newHandler();
  #fill = 0;

  constructor(packetSamples: number, format: string) {
    this.#packetSamples = packetSamples;
    this.#collected = new Int16Array(packetSamples);
    const wished = Number(/(?:^|;)\s*maxaveragebitrate=(\d+)/i.exec(format)?.[1] ?? BITRATE);
    this.#handler!._encoder_ctl(SET_BITRATE, Math.max(6000, Math.min(BITRATE, wished)));
    this.#handler!._encoder_ctl(SET_COMPLEXITY, COMPLEXITY);
    if (/(?:^|;)\s*useinbandfec=1/i.test(format)) {
      this.#handler!._encoder_ctl(SET_INBAND_FEC, 1);
      this.#handler!._encoder_ctl(SET_PACKET_LOSS, EXPECTED_LOSS);
    }
  }

  encode(from: Pcm | undefined, at: number, length: number, out: Uint8Array, outAt: number): number {
    if (from === undefined) this.#collected.fill(0, this.#fill, this.#fill + length);
    else for (let i = 0; i < length; i++) this.#collected[this.#fill + i] = from[at + i]!;
    this.#fill += length;
    if (this.#fill < this.#packetSamples || this.#handler === undefined) return 0;
    this.#fill = 0;
    const { module, packet, pcm } = opus();
    const words = module.HEAPU16;
    for (let i = 0, word = pcm >> 1; i < this.#packetSamples; i++) {
      const sample = this.#collected[i]!;
      words[word++] = sample & 0xff;
      words[word++] = (sample >> 8) & 0xff;
    }
    const bytes = this.#handler._encode(pcm, this.#packetSamples * 2, packet, this.#packetSamples);
    const heap = module.HEAPU8;
    for (let i = 0; i < bytes; i++) out[outAt + i] = heap[packet + i]!;
    return Math.max(0, bytes);
  }

  drop(): void {
    this.#fill = 0;
  }

  close(): void {
    if (this.#handler) opus().module.OpusScriptHandler.destroy_handler(this.#handler);
    this.#handler = undefined;
  }
}

function newHandler(): OpusHandler {
  return new (opus().module.OpusScriptHandler)(SAMPLE_RATE, 1, APPLICATION_VOIP);
}

/**
 * Opus (RFC 6716, RFC 7587) by libopus in WASM: decoded and encoded mono at 8 kHz by libopus itself, whatever the
 * sender's bandwidth and channels. The package cannot decode a packet's redundancy (FEC), so none is asked for.
 */
export const OPUS: Codec = {
  name: 'opus',
  // RFC 7587 sections 4.1 and 7: always 48000, always two channels in rtpmap.
  clockRate: 48_000,
  channels: 2,
  format: 'maxplaybackrate=8000;sprop-maxcapturerate=8000;stereo=0',
  packetMs: (wish) => FRAME_MS.findLast((ms) => ms <= wish) ?? FRAME_MS[0],
  samplesIn: opusSamples,
  decoder: () => new OpusDecoder(),
  encoder: (packetSamples = FRAME_SAMPLES, format = '') => new OpusEncoder(packetSamples, format),
};
