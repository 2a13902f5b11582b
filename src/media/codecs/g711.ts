import type { Pcm } from '../audio.ts';
import { type AudioDecoder, type AudioEncoder, anyPacketMs, type Codec } from './codec.ts';

/** ITU-T G.711 by tables: 256 entries to decode, 65,536 to encode, one lookup per sample either way. */
export interface G711 extends Codec {
  readonly name: 'PCMU' | 'PCMA';
  /** The octet of linear zero. */
  readonly silence: number;
  /** octet -> sample */
  readonly toLinear: Int16Array;
  /** sample & 0xffff -> octet */
  readonly fromLinear: Uint8Array;
}

const MU_BIAS = 0x84;
const MU_CLIP = 32635;

function muLawOctet(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), MU_CLIP) + MU_BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function muLawSample(octet: number): number {
  const value = ~octet & 0xff;
  const exponent = (value >> 4) & 0x07;
  const magnitude = (((value & 0x0f) << 3) + MU_BIAS) << exponent;
  return (value & 0x80) !== 0 ? MU_BIAS - magnitude : magnitude - MU_BIAS;
}

function aLawOctet(sample: number): number {
  // One's complement for negative values, as the ITU-T software tools (G.191) do: the code is symmetric about -0.5.
  const magnitude = sample < 0 ? ~sample : sample;
  const sign = sample < 0 ? 0 : 0x80;
  if (magnitude < 256) return (sign | (magnitude >> 4)) ^ 0x55;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  return (sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) ^ 0x55;
}

function aLawSample(octet: number): number {
  const value = octet ^ 0x55;
  const segment = (value >> 4) & 0x07;
  const mantissa = (value & 0x0f) << 4;
  const magnitude = segment === 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1);
  return (value & 0x80) !== 0 ? magnitude : -magnitude;
}

function tables(octet: (sample: number) => number, sample: (octet: number) => number) {
  const fromLinear = new Uint8Array(65536);
  for (let s = -32768; s <= 32767; s++) fromLinear[s & 0xffff] = octet(s);
  const toLinear = new Int16Array(256);
  for (let o = 0; o < 256; o++) toLinear[o] = sample(o);
  return { fromLinear, toLinear };
}

class G711Decoder implements AudioDecoder {
  readonly codec: G711;

  constructor(codec: G711) {
    this.codec = codec;
  }

  decode(data: Uint8Array, offset: number, length: number, out: Pcm, at: number): number {
    const { toLinear } = this.codec;
    for (let i = 0; i < length; i++) out[at + i] = toLinear[data[offset + i]!]!;
    return length;
  }

  close(): void {}
}

class G711Encoder implements AudioEncoder {
  readonly codec: G711;

  constructor(codec: G711) {
    this.codec = codec;
  }

  encode(pcm: Pcm | undefined, from: number, length: number, out: Uint8Array, at: number): number {
    const { fromLinear, silence } = this.codec;
    // For so few octets a loop is quicker than fill.
    if (pcm === undefined) for (let i = 0; i < length; i++) out[at + i] = silence;
    else for (let i = 0; i < length; i++) out[at + i] = fromLinear[pcm[from + i]! & 0xffff]!;
    return length;
  }

  drop(): void {}

  close(): void {}
}

function g711(law: Pick<G711, 'name' | 'staticPayloadType' | 'silence' | 'toLinear' | 'fromLinear'>): G711 {
  const codec: G711 = {
    ...law,
    clockRate: 8000,
    packetMs: anyPacketMs,
    maxBytes: (packetSamples) => packetSamples,
    samplesIn: (_data, _offset, length) => length,
    // Without state: one serves all calls of a thread.
    decoder: () => decoder,
    encoder: () => encoder,
  };
  const decoder = new G711Decoder(codec);
  const encoder = new G711Encoder(codec);
  return codec;
}

export const PCMU = g711({ name: 'PCMU', staticPayloadType: 0, silence: 0xff, ...tables(muLawOctet, muLawSample) });
export const PCMA = g711({ name: 'PCMA', staticPayloadType: 8, silence: 0xd5, ...tables(aLawOctet, aLawSample) });
