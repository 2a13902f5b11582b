import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SAMPLE_RATE } from '../audio.ts';

/** What the WASM builds of libopus 1.3.1 in the package opus-encdec export. Pointers are byte offsets into the memory. */
interface OpusExports {
  readonly memory: WebAssembly.Memory;
  __wasm_call_ctors(): void;
  malloc(bytes: number): number;
}

interface DecoderExports extends OpusExports {
  opus_decoder_create(rate: number, channels: number, error: number): number;
  opus_decoder_destroy(state: number): void;
  opus_decode_float(state: number, data: number, bytes: number, pcm: number, samples: number, fec: 0 | 1): number;
}

interface EncoderExports extends OpusExports {
  opus_encoder_create(rate: number, channels: number, application: number, error: number): number;
  opus_encoder_destroy(state: number): void;
  /** C's variable arguments: `list` points at them. */
  opus_encoder_ctl(state: number, request: number, list: number): number;
  opus_encode_float(state: number, pcm: number, samples: number, data: number, bytes: number): number;
}

const APPLICATION_VOIP = 2048;
/** RFC 6716 section 3.2.1: no packet is longer than 120 ms, no frame than 1275 bytes. There is room for no more. */
export const MAX_SAMPLES = (SAMPLE_RATE * 120) / 1000;
export const MAX_BYTES = 1275;

/** libopus at 8 kHz, mono. States live in WASM memory: each is to be deleted. One scratch for all calls of a thread. */
export interface Libopus {
  /** Samples of the last decoding, or for the next encoding; full scale is 1. Look again after each call. */
  decoded(): Float32Array;
  toEncode(): Float32Array;
  /** Bytes of the last encoding. */
  encoded(): Uint8Array;
  newDecoder(): number;
  deleteDecoder(state: number): void;
  /**
   * Decodes `packet`; `lost`: what came before it instead, `samples` long, by its redundancy, or by concealment when there
   * is none, or no packet. Returns samples, or an error below 0.
   */
  decode(state: number, packet: Uint8Array | undefined, samples: number, lost: boolean): number;
  newEncoder(): number;
  deleteEncoder(state: number): void;
  control(state: number, request: number, value: number): void;
  /** Encodes `toEncode()`. Returns bytes, or an error below 0. */
  encode(state: number, samples: number): number;
}

let loaded: Libopus | undefined;

/** Compiles libopus on first use: 10 ms, once per thread. */
export function libopus(): Libopus {
  loaded ??= load();
  return loaded;
}

function load(): Libopus {
  const decoder = instantiate('libopus-decoder.wasm.wasm') as DecoderExports;
  const encoder = instantiate('libopus-encoder.wasm.wasm') as EncoderExports;
  const packet = new View(decoder, MAX_BYTES, Uint8Array);
  const decoded = new View(decoder, MAX_SAMPLES * 4, Float32Array);
  const toEncode = new View(encoder, MAX_SAMPLES * 4, Float32Array);
  const encoded = new View(encoder, MAX_BYTES, Uint8Array);
  const list = new View(encoder, 4, Int32Array);
  return {
    decoded: () => decoded.now(),
    toEncode: () => toEncode.now(),
    encoded: () => encoded.now(),
    newDecoder: () => decoder.opus_decoder_create(SAMPLE_RATE, 1, 0),
    deleteDecoder: (state) => decoder.opus_decoder_destroy(state),
    decode(state, bytes, samples, lost) {
      if (bytes) packet.now().set(bytes);
      const [data, length] = bytes ? [packet.pointer, bytes.length] : [0, 0];
      return decoder.opus_decode_float(state, data, length, decoded.pointer, samples, lost ? 1 : 0);
    },
    newEncoder: () => encoder.opus_encoder_create(SAMPLE_RATE, 1, APPLICATION_VOIP, 0),
    deleteEncoder: (state) => encoder.opus_encoder_destroy(state),
    control(state, request, value) {
      list.now()[0] = value;
      encoder.opus_encoder_ctl(state, request, list.pointer);
    },
    encode: (state, samples) => encoder.opus_encode_float(state, toEncode.pointer, samples, encoded.pointer, MAX_BYTES),
  };
}

/** A piece of WASM memory: its view is void when the memory grows. */
class View<T extends Uint8Array | Float32Array | Int32Array> {
  readonly pointer: number;
  readonly #memory: WebAssembly.Memory;
  readonly #make: () => T;
  #view: T;

  constructor(
    { memory, malloc }: OpusExports,
    bytes: number,
    Type: { new (buffer: ArrayBuffer, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
  ) {
    const pointer = malloc(bytes);
    this.pointer = pointer;
    this.#memory = memory;
    this.#make = () => new Type(memory.buffer, pointer, bytes / Type.BYTES_PER_ELEMENT);
    this.#view = this.#make();
  }

  now(): T {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = this.#make();
    return this.#view;
  }
}

/** Without the package's own loader, which is made for browsers: the module needs little. */
function instantiate(file: string): OpusExports {
  const require = createRequire(import.meta.url);
  const module = new WebAssembly.Module(readFileSync(require.resolve(`opus-encdec/dist/${file}`)));
  const refuse = () => {
    throw new Error('libopus gave up');
  };
  let memory: WebAssembly.Memory | undefined;
  const { exports }: { exports: object } = new WebAssembly.Instance(module, {
    env: {
      emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
        new Uint8Array(memory!.buffer).copyWithin(to, from, from + bytes);
      },
      emscripten_resize_heap: (bytes: number) => {
        try {
          memory!.grow(Math.ceil((bytes - memory!.buffer.byteLength) / 65_536));
          return 1;
        } catch {
          return 0;
        }
      },
      setTempRet0: () => undefined,
      abort: refuse,
    },
    // Only for messages of a fault.
    wasi_snapshot_preview1: { fd_close: refuse, fd_seek: refuse, fd_write: refuse },
  });
  const opus = exports as OpusExports;
  memory = opus.memory;
  opus.__wasm_call_ctors();
  return opus;
}
