import { devNull } from 'node:os';
import { join } from 'node:path';
import createModule, { type Decoder, type SoundSwallowerModule } from 'soundswallower';
import { Failure } from '../../core/errors.ts';
import { type Acoustics, loadModels, type ModelFiles } from './acoustic-model.ts';
import { loadGraph } from './engine-grammar.ts';
import { type EngineImage, fillMemory, memoryInUse } from './engine-image.ts';
import { type CepstralMean, EngineMemory, notAsIn06 } from './engine-memory.ts';
import { withText } from './engine-text.ts';
import { GARBAGE_WORDS } from './garbage.ts';
import type { FastGaussians } from './gaussians/fast-gaussians.ts';
import type { CompiledGrammar } from './grammar-cache.ts';
import type { Guess } from './verdict.ts';

/** A decoder whose memory has grown past this after long speech or many words is replaced. */
const HEAP_LIMIT = 96 << 20;

/**
 * Against the engine's defaults (wip 0.65, silprob 0.005). A dear word makes the garbage branch, whose words are single
 * phones, lose to short answers ("yes", "two"); a cheap pause keeps it from explaining the silence around them. What
 * garbage then no longer catches is left to judge().
 */
const TUNING = { wip: 0.03, silprob: 0.1 };

/**
 * Speech at telephone level on each kind of line, so that a call's first words are normalised by something near; of the
 * utterances that made the weights of acoustic-model.ts.
 */
const USUAL_MEAN: Record<Acoustics, readonly number[]> = {
  quiet: [45.5, 3, 7, 1, -1.5, -2, 0, 2, 2, 3, 2.5, 2, 1],
  'steady-noise': [43, 8, 7.5, 0.8, -1.2, -2.8, 2, 2.6, 2.4, 1.7, 2, 1.7, 1.1],
};
/** What was heard before counts as so many frames against those of the utterance that is being heard. */
const MEMORY_FRAMES = 150;
/** Samples between two updates of the mean within an utterance. */
const FOLLOW_EVERY = 800;

/**
 * There can be no such file, so the engine begins without a dictionary. Of an empty one, or of /dev/null, it would take all of
 * the 64 kB that Node.js reads it into, uncleared: whatever this process has had in memory, dictionaries among it, as words.
 */
const NO_FILE = join(devNull, 'none');

/** Samples of silence after which the engine's code is as fast as it gets. */
const WARM_UP = 12_000;

/** On what line an utterance is, and what this caller's were like on average before. */
export interface Manner {
  acoustics: Acoustics;
  mean?: CepstralMean | undefined;
}

/** A soundswallower module with what its JavaScript lets be set. */
async function newModule(settings: object): Promise<SoundSwallowerModule> {
  const before = process.listeners('uncaughtException');
  const silent = { print: () => undefined, printErr: () => undefined };
  const module = await createModule({ ...silent, ...settings } as Partial<SoundSwallowerModule>);
  // Emscripten's runtime adds one per instance, which only says again what is thrown anyway.
  for (const listener of process.listeners('uncaughtException')) {
    if (!before.includes(listener)) process.off('uncaughtException', listener);
  }
  return module;
}

/** One soundswallower engine in a WebAssembly instance of its own. All calls block. */
export class GrammarDecoder {
  readonly #module: SoundSwallowerModule;
  readonly #engine: Decoder;
  readonly #models: Record<Acoustics, number>;
  readonly #memory: EngineMemory;
  readonly #words = new Set<string>();
  #grammar: CompiledGrammar | undefined;
  #running = false;
  #followIn = FOLLOW_EVERY;
  #scratch = new Float32Array(160);

  private constructor(module: SoundSwallowerModule, engine: Decoder, models: Record<Acoustics, number>) {
    this.#module = module;
    this.#engine = engine;
    this.#models = models;
    this.#memory = new EngineMemory(module, engine);
  }

  /**
   * `modelBase` is the folder of soundswallower's models, with a trailing slash; `files` those of en-us; `gaussians`: of
   * this thread, without it the results are the same and take longer. About 40 ms.
   */
  static async create(modelBase: string, files: ModelFiles, gaussians?: FastGaussians): Promise<GrammarDecoder> {
    const module = await newModule({ modelBase, defaultModel: 'en-us' });
    // no dictionary: each grammar brings its words along
    const engine = new module.Decoder({ ...TUNING, samprate: 8000, loglevel: 'FATAL', dict: NO_FILE });
    const models = { quiet: 0, 'steady-noise': 0 };
    loadModels(module, engine, files, (which) => {
      models[which] = new EngineMemory(module, engine).model;
    });
    await engine.initialize();
    gaussians?.attach(module, models.quiet, models['steady-noise']);
    const decoder = new GrammarDecoder(module, engine, models);
    decoder.#addWords(GARBAGE_WORDS);
    return decoder;
  }

  /** A copy of the one that `image` was taken of; `code` is soundswallower's, compiled. A few milliseconds. */
  static async copy(image: EngineImage, code: WebAssembly.Module, gaussians: FastGaussians): Promise<GrammarDecoder> {
    const { decoder: cdecoder, acmod: cacmod, models } = image;
    const module = await newModule({
      instantiateWasm: (imports: WebAssembly.Imports, received: (instance: WebAssembly.Instance) => unknown) =>
        received(new WebAssembly.Instance(code, imports)),
    });
    fillMemory(module, image.memory);
    gaussians.attach(module, models.quiet, models['steady-noise']);
    const engine: Decoder = Object.create(module.Decoder.prototype);
    const decoder = new GrammarDecoder(module, Object.assign(engine, { cdecoder, cacmod, initialized: true }), models);
    for (const [word] of GARBAGE_WORDS) decoder.#words.add(word);
    return decoder;
  }

  /** Of one that has had no grammar yet; `gaussians` are those it was made with. Views: to be copied at once. */
  image(gaussians: FastGaussians): EngineImage {
    const { image: tables } = gaussians;
    if (tables === undefined) throw notAsIn06();
    const { cdecoder: decoder, cacmod: acmod } = this.#engine;
    return { memory: memoryInUse(this.#module), decoder, acmod, models: this.#models, tables };
  }

  /** Takes over what the other holds, its grammar too, by copying it: both came of the same image. Not within an utterance. */
  takeAfter(other: GrammarDecoder): void {
    fillMemory(this.#module, memoryInUse(other.#module));
    for (const word of other.#words) this.#words.add(word);
    this.#grammar = other.#grammar;
  }

  /** Of the grammar it holds. */
  get key(): string | undefined {
    return this.#grammar?.key;
  }

  /** Words in the grammar it holds, each as often as it stands there: loading takes time in proportion. */
  get grammarSize(): number {
    return this.#grammar?.size ?? 0;
  }

  get worn(): boolean {
    return this.#module.HEAP8.length > HEAP_LIMIT;
  }

  /** 1 ms (yes or no) to 20 ms (an open question); nothing when it holds that grammar already. */
  load(grammar: CompiledGrammar): void {
    if (this.#grammar?.key === grammar.key) return;
    this.#grammar = undefined;
    this.#addWords(grammar.entries.filter(([word]) => !this.#words.has(word)));
    loadGraph(this.#module, this.#engine, grammar.key, grammar.graph);
    this.#grammar = grammar;
  }

  start({ acoustics, mean = { mean: USUAL_MEAN[acoustics], frames: MEMORY_FRAMES } }: Manner): void {
    this.#memory.model = this.#models[acoustics];
    this.#memory.normaliseBy('mean');
    this.#memory.mean = { mean: mean.mean, frames: Math.min(mean.frames, MEMORY_FRAMES) };
    this.#followIn = FOLLOW_EVERY;
    this.#engine.start();
    this.#running = true;
  }

  /** Of the utterances heard since start(), and what was told there: for the caller's next one. */
  get mean(): CepstralMean {
    return this.#memory.mean;
  }

  write(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    if (this.#scratch.length < pcm.length) this.#scratch = new Float32Array(pcm.length);
    for (let i = 0; i < pcm.length; i++) this.#scratch[i] = pcm[i]! / 32768;
    this.#engine.process_audio(this.#scratch.subarray(0, pcm.length));
    this.#followIn -= pcm.length;
    if (this.#followIn > 0) return;
    this.#followIn = FOLLOW_EVERY;
    this.#memory.follow();
  }

  /** Code that is run becomes fast code, in this and in all other decoders of the process. */
  warmUp(): void {
    this.again(new Int16Array(WARM_UP), 'quiet');
  }

  /** The likeliest words so far. */
  text(): string {
    return this.#engine.get_text();
  }

  /** The same with the place of each word. */
  guess(): Guess {
    const text = this.#engine.get_text();
    return { text, segments: text === '' ? [] : (this.#engine.get_alignment().w ?? []) };
  }

  /** Ends the utterance; '' when what was said does not reach an end of the grammar. */
  finish(): Guess {
    this.#running = false;
    this.#engine.stop();
    return this.guess();
  }

  /**
   * A whole utterance at once, with the grammar it holds. Slower to answer than write() as it goes, but the engine then
   * normalises by the mean of this very utterance. What `mean` says of the caller does not change.
   */
  again(pcm: Int16Array, acoustics: Acoustics): Guess {
    const mean = this.#memory.mean;
    this.#memory.model = this.#models[acoustics];
    this.#memory.normaliseBy('utterance');
    this.#engine.start();
    this.#running = true;
    this.#engine.process_audio(
      Float32Array.from(pcm, (sample) => sample / 32768),
      false,
      true,
    );
    const guess = this.finish();
    this.#memory.mean = mean;
    return guess;
  }

  /** Drops a running utterance. */
  abandon(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#engine.stop();
  }

  /** Each with its sounds; the engine looks at its dictionary again with the last one. Throws Failure bad-grammar. */
  #addWords(entries: readonly (readonly [string, string])[]): void {
    const { cdecoder } = this.#engine;
    entries.forEach(([word, sounds], at) => {
      const isLast = at === entries.length - 1;
      const added = withText(this.#module, word, (text) =>
        withText(this.#module, sounds, (phones) => this.#module._decoder_add_word(cdecoder, text, phones, isLast)),
      );
      if (added < 0) {
        const known = this.#engine.lookup_word(word) ?? 'nothing';
        const message = `the speech engine refuses "${word}" as ${sounds}, of ${at + 1} of ${entries.length}; it has ${known}`;
        throw new Failure(message, { code: 'bad-grammar', blame: 'us' });
      }
      this.#words.add(word);
    });
  }
}
