import { devNull } from 'node:os';
import createModule, { type Decoder, type SoundSwallowerModule } from 'soundswallower';
import { loadGraph } from './engine-grammar.ts';
import { GARBAGE_WORDS } from './garbage.ts';
import type { CompiledGrammar } from './grammar-cache.ts';
import type { Segment } from './verdict.ts';

/** A decoder whose memory has grown past this after long speech or many words is replaced. */
const HEAP_LIMIT = 96 << 20;

/**
 * Against the engine's defaults (wip 0.65, silprob 0.005). A dear word makes the garbage branch, whose words are single
 * phones, lose to short answers ("yes", "two"); a cheap pause keeps it from explaining the silence around them. What
 * garbage then no longer catches is left to judge().
 */
const TUNING = { wip: 0.03, silprob: 0.1 };

/** One soundswallower engine in a WebAssembly instance of its own. All calls block. */
export class GrammarDecoder {
  readonly #module: SoundSwallowerModule;
  readonly #engine: Decoder;
  readonly #words = new Set<string>();
  #grammar: CompiledGrammar | undefined;
  #running = false;
  #scratch = new Float32Array(160);

  private constructor(module: SoundSwallowerModule, engine: Decoder) {
    this.#module = module;
    this.#engine = engine;
    this.#addWords(GARBAGE_WORDS);
  }

  /** `modelBase` is the folder of soundswallower's models, with a trailing slash. Takes about 40 ms. */
  static async create(modelBase: string): Promise<GrammarDecoder> {
    const before = process.listeners('uncaughtException');
    const settings = { modelBase, defaultModel: 'en-us', print: () => undefined, printErr: () => undefined };
    const module = await createModule(settings as Partial<SoundSwallowerModule>);
    // Emscripten's runtime adds one per instance, which only says again what is thrown anyway.
    for (const listener of process.listeners('uncaughtException')) {
      if (!before.includes(listener)) process.off('uncaughtException', listener);
    }
    // an empty dictionary: each grammar brings its words along
    const engine = new module.Decoder({ ...TUNING, samprate: 8000, loglevel: 'FATAL', dict: devNull });
    await engine.initialize();
    return new GrammarDecoder(module, engine);
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

  start(): void {
    this.#engine.start();
    this.#running = true;
  }

  write(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    if (this.#scratch.length < pcm.length) this.#scratch = new Float32Array(pcm.length);
    for (let i = 0; i < pcm.length; i++) this.#scratch[i] = pcm[i]! / 32768;
    this.#engine.process_audio(this.#scratch.subarray(0, pcm.length));
  }

  /** The likeliest words so far. */
  text(): string {
    return this.#engine.get_text();
  }

  /** Ends the utterance; '' when what was said does not reach an end of the grammar. */
  finish(): { text: string; segments: Segment[] } {
    this.#running = false;
    this.#engine.stop();
    const text = this.#engine.get_text();
    return { text, segments: text === '' ? [] : (this.#engine.get_alignment().w ?? []) };
  }

  /**
   * A whole utterance at once, with the grammar it holds. Slower to answer than write() as it goes, but the engine then
   * normalises by the mean of this very utterance (batch CMN) instead of that of the callers before.
   */
  again(pcm: Int16Array): { text: string; segments: Segment[] } {
    this.start();
    this.#engine.process_audio(
      Float32Array.from(pcm, (sample) => sample / 32768),
      false,
      true,
    );
    return this.finish();
  }

  /** Drops a running utterance. */
  abandon(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#engine.stop();
  }

  #addWords(entries: readonly (readonly [string, string])[]): void {
    if (entries.length === 0) return;
    this.#engine.add_words(...entries.map(([word, sounds]): [string, string] => [word, sounds]));
    for (const [word] of entries) this.#words.add(word);
  }
}
