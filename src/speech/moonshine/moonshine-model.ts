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
/** What may stand behind a sentence: nothing more, or . ? ! and , */
const ENDS = [END, 29_889, 29_973, 29_991, 29_892];
const VOCABULARY = 32_768;
/** The model was taught to stop behind so many tokens for a second of speech: more are a loop (arXiv 2410.15608). */
const TOKENS_PER_SECOND = 6.5;
/** Less than this is no word, and the encoder's three convolutions want a few hundred samples. */
const LEAST_SAMPLES = 800;
/** e to the minus that, of all tokens together, is below 1e-4. */
const NEGLIGIBLE = 20;
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

/** What the model has made of a stretch of speech, from which it writes, or tells how well a sentence fits. Some 10 kB for 10 ms. */
export interface HeardSound {
  readonly seconds: number;
  readonly sound: Tensor;
  /** Of the first step of the decoder: what comes first, and what it keeps of the sound. */
  readonly first: InferenceSession.OnnxValueMapType;
}

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
      await model.decode(await model.hear(new Int16Array(8000)));
      return model;
    });
  }

  /** `pcm`: 8 kHz, at most MOST_SAMPLES of it are heard. Undefined: it is too short for a word. */
  async hear(pcm: Int16Array): Promise<HeardSound | undefined> {
    if (pcm.length < LEAST_SAMPLES) return undefined;
    const heard = pcm.subarray(0, MOST_SAMPLES);
    const samples = doubled(Float32Array.from(heard, (sample) => sample / 32_768));
    const output = await this.#encoder.run({ input_values: new Tensor('float32', samples, [1, samples.length]) });
    const sound = output.last_hidden_state as Tensor;
    const first = await this.#run(BigInt64Array.of(BigInt(START)), 1, sound, nothingKept());
    return { seconds: heard.length / 8000, sound, first };
  }

  async decode(heard: HeardSound | undefined): Promise<Decoded> {
    if (heard === undefined) return { tokens: [], logProbability: 0 };
    const most = Math.max(4, Math.ceil(TOKENS_PER_SECOND * heard.seconds));
    const tokens: number[] = [];
    let [output, kept, sum] = [heard.first, nothingKept(), 0];
    while (tokens.length < most) {
      const logits = output.logits!.data as Float32Array;
      const { token, logProbability } = tokens.length === 0 ? firstOf(logits) : likeliest(logits);
      sum += logProbability;
      if (token === END) return { tokens, logProbability: sum / (tokens.length + 1) };
      kept = keptBehind(output, kept, tokens.length === 0);
      tokens.push(token);
      if (tokens.length < most) output = await this.#run(BigInt64Array.of(BigInt(token)), 1, heard.sound, kept);
    }
    return { tokens, logProbability: sum / tokens.length };
  }

  /**
   * How likely it is that the model would have written each of these, ln P of all its tokens and of an end of a sentence
   * behind them. All in one run: each is written as if the model had chosen its tokens itself (teacher forcing).
   */
  async fit({ sound, first }: HeardSound, sentences: readonly (readonly number[])[]): Promise<number[]> {
    const most = Math.max(...sentences.map(({ length }) => length));
    const tokens = new BigInt64Array(sentences.length * most).fill(BigInt(END));
    sentences.forEach((sentence, n) => {
      sentence.forEach((token, k) => {
        tokens[n * most + k] = BigInt(token);
      });
    });
    const kept = Object.fromEntries(
      KEPT.map((name) => [
        `past_key_values.${name}`,
        // what it made of the sound is the same for all, and need not be copied
        name.includes('decoder')
          ? repeated(first[`present.${name}`] as Tensor, sentences.length)
          : (first[`present.${name}`] as Tensor),
      ]),
    );
    const output = await this.#run(tokens, sentences.length, sound, kept);
    const logits = output.logits!.data as Float32Array;
    const begins = first.logits!.data as Float32Array;
    return sentences.map((sentence, n) => {
      const behind = (k: number) => (k === 0 ? begins : at(logits, n * most + k - 1));
      const words = sentence.reduce((sum, token, k) => sum + logLikelihood(behind(k), [token]), 0);
      return words + logLikelihood(behind(sentence.length), ENDS);
    });
  }

  #run(tokens: BigInt64Array, sentences: number, sound: Tensor, kept: Tensors) {
    const goesOn = kept[`past_key_values.${KEPT[0]}`]!.dims[0] !== 0;
    return this.#decoder.run({
      input_ids: new Tensor('int64', tokens, [sentences, tokens.length / sentences]),
      encoder_hidden_states: sound,
      use_cache_branch: new Tensor('bool', [goesOn], [1]),
      ...kept,
    });
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

function repeated({ data, dims }: Tensor, times: number): Tensor {
  const one = data as Float32Array;
  const all = new Float32Array(one.length * times);
  for (let i = 0; i < times; i++) all.set(one, i * one.length);
  return new Tensor('float32', all, [times, ...dims.slice(1)]);
}

/** Of the token at `index`, counted through all sentences. */
function at(logits: Float32Array, index: number): Float32Array {
  return logits.subarray(index * VOCABULARY, (index + 1) * VOCABULARY);
}

/** ln of the probability of any of these. */
function logLikelihood(logits: Float32Array, tokens: readonly number[]): number {
  const greatest = logits[greatestOf(logits)]!;
  return Math.log(
    tokens.reduce((all, token) => all + Math.exp(logits[token]! - greatest), 0) / sumOf(logits, greatest),
  );
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
  const token = greatestOf(logits);
  return { token, logProbability: -Math.log(sumOf(logits, logits[token]!)) };
}

function greatestOf(logits: Float32Array): number {
  let token = 0;
  let greatest = logits[0]!;
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit > greatest) {
      greatest = logit;
      token = i;
    }
  }
  return token;
}

/** Of the probabilities, that of `greatest` taken as 1. */
function sumOf(logits: Float32Array, greatest: number): number {
  const least = greatest - NEGLIGIBLE;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit > least) sum += Math.exp(logit - greatest);
  }
  return sum;
}
