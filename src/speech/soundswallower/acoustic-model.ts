import { readFile } from 'node:fs/promises';
import { brotliDecompressSync } from 'node:zlib';
import type { Decoder, SoundSwallowerModule } from 'soundswallower';
import { Failure } from '../../core/errors.ts';
import { CEPSTRA } from './engine-memory.ts';

/** For what kind of line a model was made. */
export type Acoustics = 'quiet' | 'steady-noise';

/** soundswallower's en-us model: a codebook for each phone, in it 128 Gaussians for each of three streams of cepstra. */
export const GAUSSIANS = 42 * 3 * 128;
export const PARAMETERS = GAUSSIANS * CEPSTRA;

/** Steps in which the weights of steady-noise.bin.br are written: means in standard deviations, variances in octaves. */
export const MEAN_STEP = 1 / 12;
export const VARIANCE_STEP = 1 / 6;

const WEIGHTS = new URL('./steady-noise.bin.br', import.meta.url);
const END_OF_HEADER = 'endhdr\n';
/** Mark of the byte order, three counts, three lengths, number of values. */
const COUNTS = 4 * 8;

/** A file of Gaussian parameters (Sphinx 3 format), without its checksum. */
export interface ModelFile {
  bytes: Buffer;
  /** Offset of the first of PARAMETERS little-endian floats. */
  at: number;
}

/** The files of both models: means and variances. */
export interface ModelFiles {
  readonly means: Record<Acoustics, Buffer>;
  readonly variances: Record<Acoustics, Buffer>;
  readonly mixtures: Buffer;
}

/**
 * Reads soundswallower's model and makes the one for steady noise of it: each Gaussian is moved and widened as speech of
 * its kind is by noise and by what our noise reduction leaves of it (single-pass retraining, Gales 1995). The weights
 * were made by scripts/eval/noise-model.ts, see there. `folder` is that of the model, with a trailing slash.
 * Rejects with Failure bad-engine when the model is another one.
 */
export async function readModels(folder: string): Promise<ModelFiles> {
  const [means, variances, mixtures, weights] = await Promise.all([
    readFile(`${folder}means`),
    readFile(`${folder}variances`),
    readFile(`${folder}sendump`),
    readFile(WEIGHTS),
  ]);
  const quiet = { means: modelFile(means), variances: modelFile(variances) };
  const noisy = { means: modelFile(means), variances: modelFile(variances) };
  const steps = brotliDecompressSync(weights);
  if (steps.length !== 2 * PARAMETERS) {
    throw new Failure('the weights of the model for noise have another size', { code: 'bad-engine', blame: 'us' });
  }
  const widening = Float64Array.from({ length: 256 }, (_, octet) => 2 ** (((octet << 24) >> 24) * VARIANCE_STEP));
  const [mean, variance] = [parametersOf(quiet.means), parametersOf(quiet.variances)];
  const shift = new Int8Array(steps.buffer, steps.byteOffset, PARAMETERS);
  for (let i = 0; i < PARAMETERS; i++) {
    mean[i] = mean[i]! + shift[i]! * MEAN_STEP * Math.sqrt(variance[i]!);
    variance[i] = variance[i]! * widening[steps[PARAMETERS + i]!]!;
  }
  noisy.means.bytes.set(new Uint8Array(mean.buffer), noisy.means.at);
  noisy.variances.bytes.set(new Uint8Array(variance.buffer), noisy.variances.at);
  return {
    means: { quiet: quiet.means.bytes, 'steady-noise': noisy.means.bytes },
    variances: { quiet: quiet.variances.bytes, 'steady-noise': noisy.variances.bytes },
    mixtures,
  };
}

/** A copy of the file's values. Typed arrays are little-endian on all machines there is a soundswallower for. */
function parametersOf({ bytes, at }: ModelFile): Float32Array<ArrayBuffer> {
  return new Float32Array(new Uint8Array(bytes.subarray(at, at + 4 * PARAMETERS)).buffer);
}

/** A copy whose checksum nobody asks for; throws Failure bad-engine when it is no file of this shape. */
export function modelFile(original: Buffer): ModelFile {
  const bytes = Buffer.from(original);
  const header = bytes.indexOf(END_OF_HEADER) + END_OF_HEADER.length;
  const checksum = bytes.indexOf('chksum0');
  if (checksum > 0 && checksum < header) bytes.write('comment', checksum);
  const at = header + COUNTS;
  if (header < END_OF_HEADER.length || bytes.readInt32LE(at - 4) !== PARAMETERS) {
    throw new Failure('the acoustic model has another shape', { code: 'bad-engine', blame: 'us' });
  }
  return { bytes, at };
}

/** Makes `decoder`, not initialized yet, load both models; `loaded` is told after each, when the engine uses it. */
export function loadModels(
  engine: SoundSwallowerModule,
  decoder: Decoder,
  files: ModelFiles,
  loaded: (which: Acoustics) => void,
): void {
  const place = (bytes: Buffer) => {
    const address = engine._malloc(bytes.length);
    engine.HEAPU8.set(bytes, address);
    return address;
  };
  decoder.load_gmm = async () => {
    // The engine goes on reading the mixtures where they are; both models have the same.
    const mixtures = place(files.mixtures);
    for (const which of ['steady-noise', 'quiet'] as const) {
      const addresses = [place(files.means[which]), place(files.variances[which])];
      const [means, variances] = addresses.map((at) => engine._s3file_init(at, files.means[which].length));
      const weights = engine._s3file_init(mixtures, files.mixtures.length);
      if (engine._load_gmm(decoder.cdecoder, means!, variances!, 0, weights) < 0) {
        throw new Failure('the engine refuses the acoustic model', { code: 'bad-engine', blame: 'us' });
      }
      for (const file of [means!, variances!]) engine._s3file_free(file);
      for (const address of addresses) engine._free(address);
      loaded(which);
    }
  };
}
