import type { SoundSwallowerModule } from 'soundswallower';
import { Failure } from '../../../core/errors.ts';
import { CEPSTRA } from '../engine-memory.ts';
import {
  BEST,
  CODEBOOKS,
  constantAt,
  DENSITIES,
  type KernelImports,
  kernelCode,
  meanAt,
  STREAM_BYTES,
  STREAMS,
  TABLE_BYTES,
  weightAt,
} from './kernel.ts';

const PAGE = 65_536;
const STREAM_FLOATS = STREAM_BYTES / 4;
/** The engine itself looks at all Gaussians only in every so manieth frame: the first of an utterance. */
const HARDLY_EVER = 32_767;

/** soundswallower's ptm_mgau_t, gauden_t and mgaufuncs_t of 0.6 (32-bit, in bytes). */
const MODEL = { functions: 0, gaussians: 12, best: 36, every: 38, history: 40, histories: 48 };
const GAUSSIANS = { means: 0, weights: 4, constants: 8, codebooks: 16, streams: 20, densities: 24, lengths: 28 };
const FUNCTIONS = { evaluate: 4 };
/** Of ptm_fast_eval_t. */
const HISTORY_BYTES = 8;

/** The two acoustic models of a thread in the order in which the kernel reads them: one copy for all its decoders. */
export class FastGaussians {
  readonly #code = new WebAssembly.Module(kernelCode());
  readonly #tables = new WebAssembly.Memory({ initial: Math.ceil((2 * TABLE_BYTES) / PAGE) });
  #filled = false;

  /**
   * Makes the engine in `module` use the kernel for the models at these addresses. All engines of a FastGaussians must
   * have the same models. Throws Failure bad-engine where the structures are not those of 0.6 or the models others.
   */
  attach(module: SoundSwallowerModule, first: number, second: number): void {
    const models = [first, second].map((address) => new EngineModel(module, address));
    if (!this.#filled) {
      for (const [i, model] of models.entries()) model.fill(new Float32Array(this.#tables.buffer, i * TABLE_BYTES));
      this.#filled = true;
    }
    const { memory, table } = insides(module);
    const slot = models[0]!.evaluate;
    if (slot !== models[1]!.evaluate) throw notAsIn06();
    const [[firstOdd, firstEven], [secondOdd, secondEven]] = models.map((model) => model.lists) as [Lists, Lists];
    const host: KernelImports = {
      engine: memory,
      tables: this.#tables,
      evaluate: table.get(slot),
      secondModel: second,
      firstEven,
      firstOdd,
      secondEven,
      secondOdd,
    };
    const { exports } = new WebAssembly.Instance(this.#code, { host: { ...host } });
    table.set(slot, exports.evaluate);
    for (const model of models) model.evaluateEvery(HARDLY_EVER);
  }
}

/** Addresses of the lists of the best Gaussians, in frames with an even and with an odd number. */
type Lists = [number, number];

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
      module.HEAP16[(address + MODEL.best) >> 1] === BEST &&
      module.HEAP16[(address + MODEL.every) >> 1] === 1 &&
      this.#word(address + MODEL.histories) === 2;
    if (!known) throw notAsIn06();
  }

  /** Place of the engine's function in its table. */
  get evaluate(): number {
    return this.#word(this.#word(this.#address + MODEL.functions) + FUNCTIONS.evaluate);
  }

  get lists(): Lists {
    const history = this.#word(this.#address + MODEL.history);
    return [history, history + HISTORY_BYTES].map((at) => this.#first(this.#word(at), 2)) as Lists;
  }

  /** All Gaussians are looked at by the engine itself in every frame whose number is a multiple of this. */
  evaluateEvery(frames: number): void {
    this.#module.HEAP16[(this.#address + MODEL.every) >> 1] = frames;
  }

  fill(table: Float32Array): void {
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
      const stream = ((i - density) / DENSITIES) * STREAM_FLOATS;
      table[stream + constantAt(density)] = constants[i]!;
      for (let c = 0; c < CEPSTRA; c++) {
        table[stream + meanAt(density, c)] = means[i * CEPSTRA + c]!;
        table[stream + weightAt(density, c)] = weights[i * CEPSTRA + c]!;
      }
    }
  }

  /** The engine's arrays of arrays lie in one piece; this is where it begins. */
  #first(address: number, pointers: number): number {
    let at = address;
    for (let i = 0; i < pointers; i++) at = this.#word(at);
    return at;
  }

  #word(address: number): number {
    return this.#module.HEAPU32[address >> 2]!;
  }
}

/** What the module's own JavaScript keeps to itself; the names are those that its linker gave, so it goes by their kind. */
function insides(module: SoundSwallowerModule): { memory: WebAssembly.Memory; table: WebAssembly.Table } {
  const exported = Object.values((module as unknown as { asm?: WebAssembly.Exports }).asm ?? {});
  const memory = exported.find((value) => value instanceof WebAssembly.Memory);
  const table = exported.find((value) => value instanceof WebAssembly.Table);
  if (memory === undefined || table === undefined) throw notAsIn06();
  return { memory, table };
}

function notAsIn06(): Failure {
  return new Failure('soundswallower is not laid out as in 0.6', { code: 'bad-engine', blame: 'us' });
}
