/**
 * The media worker's port for voice activity detection. The worker batches the windows of all its calls into one
 * `infer` per tick. Implemented by src/speech/silero; the worker imports the module named in its options, so the
 * composition root chooses the engine and src/media knows none.
 */
export interface VadEngine {
  /** Samples (8 kHz) in one window; 256 for Silero v5. */
  readonly windowSamples: number;
  /** Recurrent state of one stream. */
  open(): VadState;
  /**
   * Speech probability 0..1 for each entry, in order; advances each state. At most one window per state in a batch.
   * Never called again before the promise has settled.
   */
  infer(batch: readonly VadWindow[]): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opaque to the media worker. */
export interface VadState {
  reset(): void;
}

export interface VadWindow {
  readonly state: VadState;
  /** windowSamples samples, -32768..32767. */
  readonly pcm: Int16Array;
}

/** What a VAD module exports as `createVadEngine`. `options` is structured-cloneable. */
export type CreateVadEngine = (options: unknown) => Promise<VadEngine>;
