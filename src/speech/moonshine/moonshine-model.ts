import { join } from 'node:path';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { doubled } from '../double-rate.ts';
import { loaded, openOnnx } from '../onnx-model.ts';

/** Moonshine tiny: its decoder's layers, and the shape of what each of them keeps. */
const LAYERS = 6;
const HEADS = 8;
const HEAD_WIDTH = 36;
const START = 1;
const END = 2;
/** The model was taught to stop behind so many tokens for a second of speech: more are a loop (arXiv 2410.15608). */
const TOKENS_PER_SECOND = 6.5;
/** Less than this is no word, and the encoder's three convolutions want a few hundred samples. */
const LEAST_SAMPLES = 800;
const SURELY_NOTHING = Math.log(0.9);
/** At 8 kHz. It heard up to thirty seconds at once when it learned, but of several sentences it sometimes leaves the last ones out. */
export const MOST_SAMPLES = 8 * 8000;

export interface Decoded {
  /** Of the model's vocabulary, without start and end. */
  readonly tokens: readonly number[];
  /** Mean logarithm of the probability of each token, the end among them: 0 is certain, below -0.7 is mostly invented. */
  readonly logProbability: number;
}

type Tensors = Record<string, Tensor>;

/**
 * Moonshine tiny (Useful Sensors, arXiv 2410.15608; MIT), English of any words, in the two ONNX files that the package
 * moonshine-js carries: an encoder that hears samples at 16 kHz and a decoder that writes token by token, here always the
 * likeliest one. One thread; takes about a tenth of the speech's length.
 */
export class MoonshineModel {
  readonly #encoder: InferenceSession;
  readonly #decoder: InferenceSession;

  private constructor(encoder: InferenceSession, decoder: InferenceSession) {
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  /** Rejects with Failure free-speech-unavailable when a file is missing, no model, or of another kind. */
  static load(folder: string): Promise<MoonshineModel> {
    return loaded('the model for free speech', 'free-speech-unavailable', async () => {
      const encoder = await openOnnx(join(folder, 'encoder_model.onnx'));
      const decoder = await openOnnx(join(folder, 'decoder_model_merged.onnx'));
      const model = new MoonshineModel(encoder, decoder);
      // Of another kind, it fails here and not in the first call.
      await model.decode(new Int16Array(8000));
      return model;
    });
  }

  /** `pcm`: 8 kHz, at most MOST_SAMPLES of it are heard. */
  async decode(pcm: Int16Array): Promise<Decoded> {
    if (pcm.length < LEAST_SAMPLES) return { tokens: [], logProbability: 0 };
    const heard = await this.#encode(pcm.subarray(0, MOST_SAMPLES));
    const most = Math.max(4, Math.ceil((TOKENS_PER_SECOND * pcm.length) / 8000));
    const tokens: number[] = [];
    let [kept, last, sum] = [nothingKept(), START, 0];
    while (tokens.length < most) {
      const output = await this.#decoder.run({
        input_ids: new Tensor('int64', BigInt64Array.of(BigInt(last)), [1, 1]),
        encoder_hidden_states: heard,
        use_cache_branch: new Tensor('bool', [tokens.length > 0], [1]),
        ...kept,
      });
      const logits = output.logits!.data as Float32Array;
      const { token, logProbability } = tokens.length === 0 ? firstOf(logits) : likeliest(logits);
      sum += logProbability;
      if (token === END) return { tokens, logProbability: sum / (tokens.length + 1) };
      kept = keptBehind(output, kept, tokens.length === 0);
      tokens.push(token);
      last = token;
    }
    return { tokens, logProbability: sum / tokens.length };
  }

  async #encode(pcm: Int16Array): Promise<Tensor> {
    const samples = doubled(Float32Array.from(pcm, (sample) => sample / 32_768));
    const output = await this.#encoder.run({ input_values: new Tensor('float32', samples, [1, samples.length]) });
    return output.last_hidden_state as Tensor;
  }
}

const KEPT = Array.from({ length: LAYERS }, (_, layer) =>
  ['decoder', 'encoder'].flatMap((side) => ['key', 'value'].map((what) => `${layer}.${side}.${what}`)),
).flat();

function nothingKept(): Tensors {
  const empty = () => new Tensor('float32', new Float32Array(0), [0, HEADS, 1, HEAD_WIDTH]);
  return Object.fromEntries(KEPT.map((name) => [`past_key_values.${name}`, empty()]));
}

/** What the decoder has made of its own words grows with each; what it made of the sound comes once, with the first. */
function keptBehind(output: InferenceSession.OnnxValueMapType, kept: Tensors, first: boolean): Tensors {
  const fresh = KEPT.filter((name) => first || name.includes('decoder'));
  return {
    ...kept,
    ...Object.fromEntries(fresh.map((name) => [`past_key_values.${name}`, output[`present.${name}`] as Tensor])),
  };
}

/**
 * The model is quick to say that nothing was said, as when something is quiet before the speech: only when it is sure.
 */
function firstOf(logits: Float32Array): { token: number; logProbability: number } {
  const best = likeliest(logits);
  if (best.token !== END || best.logProbability > SURELY_NOTHING) return best;
  const nothing = logits[END]!;
  logits[END] = Number.NEGATIVE_INFINITY;
  const next = likeliest(logits);
  logits[END] = nothing;
  return next;
}

function likeliest(logits: Float32Array): { token: number; logProbability: number } {
  let token = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[token]!) token = i;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - logits[token]!);
  return { token, logProbability: -Math.log(sum) };
}
