import type { SoundSwallowerModule } from 'soundswallower';
import { CEPSTRA, notAsIn06 } from '../engine-memory.ts';
import { type KernelImports, kernelCode } from './kernel.ts';
import {
  BEST,
  CODEBOOK_OF,
  CODEBOOKS,
  constantAt,
  DENSITIES,
  LOG_ADD,
  LOG_ADD_BYTES,
  MIXTURES,
  MIXTURES_BYTES,
  MOST_RUNS,
  meanAt,
  RUN,
  RUNS,
  SENONES,
  SHARED_BYTES,
  STREAMS,
  TABLE_BYTES,
  weightAt,
} from './layout.ts';

const PAGE = 65_536;

/** soundswallower's ptm_mgau_t, gauden_t, mgaufuncs_t and logadd_t of 0.6 (32-bit, in bytes). */
const MODEL = {
  functions: 0,
  gaussians: 12,
  senones: 16,
  codebookOf: 20,
  mixtures: 24,
  clusters: 32,
  best: 36,
  every: 38,
  history: 40,
  logMath: 52,
};
const GAUSSIANS = { means: 0, weights: 4, constants: 8, codebooks: 16, streams: 20, densities: 24, lengths: 28 };
const FUNCTIONS = { evaluate: 4 };
const LOG_MATH = { table: 0, entries: 4, width: 8 };

/** What the kernel reads, filled: the models and how many runs of senones there are. */
export interface TablesImage {
  memory: Uint8Array;
  runs: number;
}

/** The two acoustic models of a thread in the order in which the kernel reads them: one copy for all its decoders. */
export class FastGaussians {
  readonly #code = new WebAssembly.Module(kernelCode());
  readonly #shared = new WebAssembly.Memory({ initial: Math.ceil(SHARED_BYTES / PAGE) });
  /** Of senones; undefined before the models are known. */
  #runs: number | undefined;

  /** `filled`: by another thread with the models of this one's engines. */
  constructor(filled?: TablesImage) {
    if (filled === undefined) return;
    new Uint8Array(this.#shared.buffer).set(filled.memory);
    this.#runs = filled.runs;
  }

  /** A view; undefined before an engine was attached. */
  get image(): TablesImage | undefined {
    return this.#runs === undefined ? undefined : { memory: new Uint8Array(this.#shared.buffer), runs: this.#runs };
  }

  /**
   * Makes the engine in `module` use the kernel for the models at these addresses. All engines of a FastGaussians must
   * have the same models. Throws Failure bad-engine where the structures are not those of 0.6 or the models others.
   */
  attach(module: SoundSwallowerModule, first: number, second: number): void {
    const models = [new EngineModel(module, first), new EngineModel(module, second)] as const;
    this.#runs ??= this.#fill(models);
    const { memory, table } = insides(module);
    const slot = models[0].evaluate;
    if (slot !== models[1].evaluate) throw notAsIn06();
    const host: KernelImports = {
      engine: memory,
      shared: this.#shared,
      evaluate: table.get(slot),
      secondModel: second,
      firstLists: models[0].lists,
      secondLists: models[1].lists,
      runs: this.#runs,
    };
    const { exports } = new WebAssembly.Instance(this.#code, { host: { ...host } });
    table.set(slot, exports.evaluate);
  }

  #fill(models: readonly [EngineModel, EngineModel]): number {
    const { buffer } = this.#shared;
    for (const [i, model] of models.entries()) model.copyGaussians(new Float32Array(buffer, i * TABLE_BYTES));
    // these the two have in common
    const [{ mixtures, codebookOf, logAdd }] = models;
    new Uint8Array(buffer, MIXTURES).set(mixtures);
    new Uint8Array(buffer, CODEBOOK_OF).set(codebookOf);
    new Uint8Array(buffer, LOG_ADD).set(logAdd);
    const runs = runsOf(codebookOf);
    if (runs.length > MOST_RUNS) throw notAsIn06();
    new Int32Array(buffer, RUNS, (runs.length * RUN) / 4).set(runs.flat());
    return runs.length;
  }
}

/** Codebook, first senone, count: senones of the same codebook that follow each other. */
function runsOf(codebookOf: Uint8Array): [number, number, number][] {
  const runs: [number, number, number][] = [];
  codebookOf.forEach((codebook, senone) => {
    const last = runs.at(-1);
    if (last?.[0] === codebook) last[2]++;
    else runs.push([codebook, senone, 1]);
  });
  return runs;
}

/** A Gaussian mixture model in the engine's memory. */
class EngineModel {
  readonly #module: SoundSwallowerModule;
  readonly #address: number;
  readonly #gaussians: number;

  constructor(module: SoundSwallowerModule, address: number) {
    this.#module = module;
    this.#address = address;
    this.#gaussians = this.#word(address + MODEL.gaussians);
    const lengths = this.#word(this.#gaussians + GAUSSIANS.lengths);
    const known =
      this.#word(this.#gaussians + GAUSSIANS.codebooks) === CODEBOOKS &&
      this.#word(this.#gaussians + GAUSSIANS.streams) === STREAMS &&
      this.#word(this.#gaussians + GAUSSIANS.densities) === DENSITIES &&
      Array.from({ length: STREAMS }, (_, i) => this.#word(lengths + 4 * i)).every((length) => length === CEPSTRA) &&
      this.#word(address + MODEL.senones) === SENONES &&
      this.#word(address + MODEL.clusters) === 0 &&
      module.HEAP16[(address + MODEL.best) >> 1] === BEST &&
      module.HEAP16[(address + MODEL.every) >> 1] === 1;
    if (!known) throw notAsIn06();
  }

  /** Place of the engine's function in its table. */
  get evaluate(): number {
    return this.#word(this.#word(this.#address + MODEL.functions) + FUNCTIONS.evaluate);
  }

  /** Address of the lists of the best Gaussians; the engine has two of each, of which the kernel uses one. */
  get lists(): number {
    return this.#first(this.#word(this.#word(this.#address + MODEL.history)), 2);
  }

  get mixtures(): Uint8Array {
    const rows = this.#first(this.#word(this.#address + MODEL.mixtures), 1);
    if (this.#word(rows + 4) - this.#word(rows) !== SENONES) throw notAsIn06();
    return this.#bytes(this.#word(rows), MIXTURES_BYTES);
  }

  get codebookOf(): Uint8Array {
    return this.#bytes(this.#word(this.#address + MODEL.codebookOf), SENONES);
  }

  get logAdd(): Uint8Array {
    const logMath = this.#word(this.#address + MODEL.logMath);
    const table = this.#bytes(this.#word(logMath + LOG_MATH.table), this.#word(logMath + LOG_MATH.entries));
    const known = this.#module.HEAPU8[logMath + LOG_MATH.width] === 1 && table.length >= LOG_ADD_BYTES;
    if (!known || table.subarray(LOG_ADD_BYTES).some((value) => value !== 0)) throw notAsIn06();
    return table.subarray(0, LOG_ADD_BYTES);
  }

  copyGaussians(table: Float32Array): void {
    const floats = (field: number, pointers: number, length: number) => {
      const at = this.#first(this.#word(this.#gaussians + field), pointers) >> 2;
      return this.#module.HEAPF32.subarray(at, at + length);
    };
    const all = CODEBOOKS * STREAMS * DENSITIES;
    const means = floats(GAUSSIANS.means, 3, all * CEPSTRA);
    const weights = floats(GAUSSIANS.weights, 3, all * CEPSTRA);
    const constants = floats(GAUSSIANS.constants, 2, all);
    for (let i = 0; i < all; i++) {
      const density = i % DENSITIES;
      const stream = (i - density) / DENSITIES;
      table[constantAt(stream, density)] = constants[i]!;
      for (let c = 0; c < CEPSTRA; c++) {
        table[meanAt(stream, density, c)] = means[i * CEPSTRA + c]!;
        table[weightAt(stream, density, c)] = weights[i * CEPSTRA + c]!;
      }
    }
  }

  /** The engine's arrays of arrays lie in one piece; this is where it begins. */
  #first(address: number, pointers: number): number {
    let at = address;
    for (let i = 0; i < pointers; i++) at = this.#word(at);
    return at;
  }

  #bytes(at: number, length: number): Uint8Array {
    return this.#module.HEAPU8.subarray(at, at + length);
  }

  #word(address: number): number {
    return this.#module.HEAPU32[address >> 2]!;
  }
}

/** What the module's own JavaScript keeps to itself; the names are those that its linker gave, so it goes by their kind. */
function insides(module: SoundSwallowerModule): { memory: WebAssembly.Memory; table: WebAssembly.Table } {
  const exported = Object.values(module.asm ?? {});
  const memory = exported.find((value) => value instanceof WebAssembly.Memory);
  const table = exported.find((value) => value instanceof WebAssembly.Table);
  if (memory === undefined || table === undefined) throw notAsIn06();
  return { memory, table };
}
