import { MessageChannel } from 'node:worker_threads';
import type { Logger } from '../../core/log.ts';
import type { AsrResult, AsrStream, Recognizer, RecognizerStreamOptions, SpeechHints } from '../ports.ts';
import { SupervisedWorker } from '../supervised-worker.ts';
import type { FromWorker, ToWorker } from './protocol.ts';

export interface EndOfTurnOptions {
  /** The words come from this one. Closed with us. */
  recognizer: Recognizer;
  /** Path of an ONNX model of the Smart Turn v3 contract. */
  model: string;
  log: Logger;
}

interface Open {
  options: RecognizerStreamOptions;
  /** The words the verdict is about. */
  words: AsrResult | undefined;
}

/**
 * A recogniser that also tells, in each pause, how likely it is that the caller is done (`AsrResult.endOfTurn`). The
 * caller's audio passes through a worker of its own, where the model hears the last eight seconds of it. While that
 * worker is away, calls go on with the words alone.
 */
export class EndOfTurnRecognizer implements Recognizer {
  readonly name: string;
  readonly local: boolean;
  readonly #inner: Recognizer;
  readonly #streams = new Map<number, Open>();
  #worker!: SupervisedWorker;
  #nextId = 1;
  #troubled = false;

  private constructor(inner: Recognizer) {
    this.#inner = inner;
    this.name = `${inner.name}+smart-turn`;
    this.local = inner.local;
  }

  /** Rejects with Failure worker-died when the model does not load; the reason is in its message. */
  static async start({ recognizer, model, log }: EndOfTurnOptions): Promise<EndOfTurnRecognizer> {
    const self = new EndOfTurnRecognizer(recognizer);
    self.#worker = await SupervisedWorker.start({
      name: 'smart-turn',
      module: new URL('./worker.ts', import.meta.url),
      workerData: { model },
      log,
      onMessage: (message) => self.#onMessage(message as FromWorker, log),
      onDown: (error) => {
        // Their audio went through the worker: they are opened again, past it.
        const lost = [...self.#streams.values()];
        self.#streams.clear();
        for (const { options } of lost) options.onFailure(error);
      },
    });
    return self;
  }

  open(options: RecognizerStreamOptions): AsrStream {
    if (!this.#worker.ready) return this.#inner.open(options);
    const id = this.#nextId++;
    const open: Open = { options, words: undefined };
    const inner = this.#inner.open({
      ...options,
      onResult: (result) => {
        // what another ear has heard besides comes with older words
        if (result.kind === 'final') open.words = undefined;
        else if (result.otherwise === undefined) open.words = result;
        options.onResult(result);
      },
    });
    const { port1: from, port2: audio } = new MessageChannel();
    this.#streams.set(id, open);
    this.#post({ type: 'open', stream: id, from, to: inner.audio });
    return {
      audio,
      hint: (hints) => inner.hint(hints),
      close: () => {
        if (this.#streams.delete(id)) this.#post({ type: 'close', stream: id });
        audio.close();
        inner.close();
      },
    };
  }

  prepare(hints: SpeechHints): void {
    this.#inner.prepare?.(hints);
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    const words = await this.#inner.health();
    const turns = this.#worker.ready ? 'ready' : 'away, going on without';
    return { ...words, detail: `${words.detail ?? ''}; end-of-turn model ${turns}` };
  }

  async close(): Promise<void> {
    await this.#worker.close();
    await this.#inner.close();
  }

  /** Kills the worker as a crash would; for tests of the recovery. */
  killWorker(): void {
    this.#worker.kill();
  }

  #onMessage(message: FromWorker, log: Logger): void {
    if (message.type === 'trouble') {
      if (!this.#troubled) log.error({ reason: message.message }, 'the end-of-turn model fails; words alone decide');
      this.#troubled = true;
      return;
    }
    const { stream, segment, probability, at } = message;
    const open = this.#streams.get(stream);
    const words = open?.words?.segment === segment ? open.words : undefined;
    open?.options.onResult({
      ...(words ?? { segment, kind: 'partial', text: '', confidence: 0 }),
      endOfTurn: probability,
      at,
    });
  }

  #post(message: ToWorker): void {
    this.#worker.post(message, message.type === 'open' ? [message.from, message.to] : []);
  }
}
