import { createRequire } from 'node:module';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import createModule, { type Decoder, type SoundSwallowerModule } from 'soundswallower';
import { CEPSTRA } from '../../../src/speech/soundswallower/engine-memory.ts';

export const MODEL_BASE = `${dirname(createRequire(import.meta.url).resolve('soundswallower'))}/model/`;

/** Values of a frame: cepstra, their first and their second differences, the model's three streams. */
export const FRAME = 3 * CEPSTRA;
const LIFTER = 22;
const FILTERS = 20;

/** Mel spectrum to liftered cepstra, as the model's feat_params.json has them (orthonormal DCT-II). */
const TRANSFORM = Array.from({ length: CEPSTRA }, (_, i) =>
  Array.from({ length: FILTERS }, (_, j) => {
    const scale = Math.sqrt((i === 0 ? 1 : 2) / FILTERS);
    return (
      scale * (1 + (LIFTER / 2) * Math.sin((i * Math.PI) / LIFTER)) * Math.cos((Math.PI / FILTERS) * i * (j + 0.5))
    );
  }),
);

/** The decoder's own front end, as far as its JavaScript reaches; the rest of it is done here. */
export class FrontEnd {
  readonly #engine: Decoder;

  private constructor(engine: Decoder) {
    this.#engine = engine;
  }

  static async create(): Promise<FrontEnd> {
    const settings = {
      modelBase: MODEL_BASE,
      defaultModel: 'en-us',
      print: () => undefined,
      printErr: () => undefined,
    };
    const module = await createModule(settings as Partial<SoundSwallowerModule>);
    const engine = new module.Decoder({ samprate: 8000, loglevel: 'FATAL', dict: devNull });
    await engine.initialize();
    engine.add_words(['ah', 'AA']);
    engine.set_grammar('#JSGF V1.0;\ngrammar g;\npublic <s> = ah;\n');
    return new FrontEnd(engine);
  }

  /** 13 cepstra for each 10 ms. */
  cepstra(pcm: Int16Array): Float64Array[] {
    // so that the engine's own noise removal begins anew
    this.#engine.start();
    const { data, nfr, nfeat } = this.#engine.spectrogram(Float32Array.from(pcm, (sample) => sample / 32768));
    this.#engine.stop();
    return Array.from({ length: nfr }, (_, t) =>
      Float64Array.from(TRANSFORM, (row) => row.reduce((sum, weight, j) => sum + weight * data[t * nfeat + j]!, 0)),
    );
  }
}

/** Mean of the frames that are not silence to the engine. */
export function meanOf(cepstra: readonly Float64Array[]): Float64Array {
  const heard = cepstra.filter((frame) => frame[0]! >= 0);
  return Float64Array.from(
    { length: CEPSTRA },
    (_, i) => heard.reduce((sum, frame) => sum + frame[i]!, 0) / heard.length,
  );
}

/** Without their mean and with their differences: sphinxbase's "1s_c_d_dd". */
export function framesOf(cepstra: readonly Float64Array[]): Float64Array[] {
  const mean = meanOf(cepstra);
  const normal = cepstra.map((frame) => frame.map((value, i) => value - mean[i]!));
  const at = (t: number) => normal[Math.max(0, Math.min(normal.length - 1, t))]!;
  return normal.map((frame, t) => {
    const all = new Float64Array(FRAME);
    for (let i = 0; i < CEPSTRA; i++) {
      all[i] = frame[i]!;
      all[CEPSTRA + i] = at(t + 2)[i]! - at(t - 2)[i]!;
      all[2 * CEPSTRA + i] = at(t + 3)[i]! - at(t - 1)[i]! - (at(t + 1)[i]! - at(t - 3)[i]!);
    }
    return all;
  });
}
