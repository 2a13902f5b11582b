import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { loaded, openOnnx } from '../onnx-model.ts';
import { LogMel, MEL_BANDS } from './log-mel.ts';
import type { TurnAudio } from './turn-audio.ts';

const INPUT = 'input_features';
const FRAMES = 800;

/**
 * A semantic end-of-turn model of the Smart Turn v3 contract (github.com/pipecat-ai/smart-turn): `input_features`
 * float32 [1, 80, 800], Whisper's log-mel of the last eight seconds; its first output is the probability that the
 * speaker is done. The model is not shipped: its file is named in the settings.
 */
export class SmartTurnModel {
  readonly #session: InferenceSession;
  readonly #mel = new LogMel();

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Rejects with Failure end-of-turn-unavailable when the file is missing, no model, or of another contract. */
  static load(path: string): Promise<SmartTurnModel> {
    return loaded('the end-of-turn model', 'end-of-turn-unavailable', async () => {
      const session = await openOnnx(path);
      if (!session.inputNames.includes(INPUT)) {
        await session.release();
        throw new Error(`it has no input ${INPUT}, only ${session.inputNames.join(', ')}`);
      }
      const model = new SmartTurnModel(session);
      // Of the wrong shape, it fails here and not in the first call.
      await model.#run(new Float32Array(MEL_BANDS * FRAMES));
      return model;
    });
  }

  /** 0 … 1: is the speaker done? */
  async probability(audio: TurnAudio): Promise<number> {
    return this.#run(this.#mel.of(audio.normalized()));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #run(features: Float32Array): Promise<number> {
    const results = await this.#session.run({ [INPUT]: new Tensor('float32', features, [1, MEL_BANDS, FRAMES]) });
    const output = results[this.#session.outputNames[0]!];
    const value = Number((output?.data as Float32Array | undefined)?.[0]);
    if (!(value >= 0 && value <= 1)) throw new Error(`its first output is no probability: ${value}`);
    return value;
  }
}
