import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type {
  AsrResult,
  AsrStream,
  Recognizer,
  RecognizerStreamOptions,
  SpeechHints,
  Transcriber,
  Transcript,
} from './ports.ts';

export interface SecondEarOptions {
  /** The words come from this one. Closed with us. */
  recognizer: Recognizer;
  /** Asked about what that one rejects, and about all that is said in noise. Closed with us. */
  transcriber: Transcriber;
  log: Logger;
  /** The caller waits so long more for words that were rejected, and half as long for others in noise. Default 1 s. */
  withinMs?: Ms;
}

/** Segments of which it understood something, those of which it did not, and those it was too late for. */
interface Outcomes {
  understood: number;
  nothing: number;
  late: number;
}

export interface SecondEarStats extends Outcomes {
  /** The same of segments that were heard besides, while they went on. */
  besides: Outcomes;
  /** How well sentences fit what it heard in noise: told; wanted, but it was too late; wanted, but another caller waited for words. */
  fits: Fits;
}

interface Fits {
  told: number;
  late: number;
  leftOut: number;
}

/** It is made ready so long behind the first call that is listened to, whose setting-up it would slow down. */
const READY_AFTER_MS: Ms = 5000;
/** A caller waits for it: before whatever is only taken down. */
const URGENCY = 0;
/** Half of the work is done. */
const URGENT = -1;

/**
 * A recogniser whose segments another ear hears too where they are rejected or noisy, one that knows English but not what is
 * waited for (`AsrResult.otherwise`); what is made of it is the dialogue's affair (heard-otherwise.ts). The results of a stream
 * keep their order: what comes behind such a segment waits with it. For segments that are heard besides (SpeechHints) nothing
 * waits. Without the other ear, or when it has no time, all is as the recogniser says.
 */
export class SecondEarRecognizer implements Recognizer {
  readonly name: string;
  readonly local: boolean;
  readonly #options: SecondEarOptions;
  readonly #withinMs: Ms;
  readonly #waitedFor: Outcomes = { understood: 0, nothing: 0, late: 0 };
  readonly #besides: Outcomes = { understood: 0, nothing: 0, late: 0 };
  readonly #fits: Fits = { told: 0, late: 0, leftOut: 0 };
  /** Segments of which it is to write what was said. */
  #unwritten = 0;
  #ready: NodeJS.Timeout | undefined;
  #troubled = false;

  constructor(options: SecondEarOptions) {
    this.#options = options;
    const { recognizer, transcriber, withinMs = 1000 } = options;
    this.#withinMs = withinMs;
    this.name = `${recognizer.name}+${transcriber.name}`;
    this.local = recognizer.local;
  }

  open(options: RecognizerStreamOptions): AsrStream {
    this.#prepareFor(options.hints);
    const closed = new AbortController();
    let { hints } = options;
    /** What has not been told yet; more than one only while the second ear is asked, a few partial results then. */
    const queue: AsrResult[] = [];
    let telling = false;
    const tell = async (): Promise<void> => {
      if (telling) return;
      telling = true;
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { sound, ...plain } = next;
        // told at once unless something has to be asked
        const rejected = plain.rejected === true;
        const asks = sound !== undefined && (rejected || !hints.secret);
        // nobody waits long for a second opinion on what was understood
        const withinMs = rejected ? this.#withinMs : this.#withinMs / 2;
        const { mayHaveBeen } = hints;
        const likely = (otherwise: string) => (plain.noisy ? (mayHaveBeen?.(plain.text, otherwise) ?? []) : []);
        const otherwise = asks ? await this.#hear(sound, this.#waitedFor, closed.signal, withinMs, likely) : undefined;
        if (!closed.signal.aborted) options.onResult(otherwise === undefined ? plain : { ...plain, otherwise });
      }
      telling = false;
    };
    const inner = this.#options.recognizer.open({
      ...options,
      onResult: (result) => {
        if (result.kind === 'partial' && result.sound !== undefined) {
          void this.#hearBesides(result, result.sound, options, closed.signal);
          return;
        }
        queue.push(result);
        void tell();
      },
    });
    return {
      audio: inner.audio,
      hint: (next) => {
        this.#prepareFor(next);
        hints = next;
        inner.hint(next);
      },
      close: () => {
        closed.abort();
        inner.close();
      },
    };
  }

  prepare(hints: SpeechHints): void {
    this.#prepareFor(hints);
    this.#options.recognizer.prepare?.(hints);
  }

  stats(): SecondEarStats {
    return { ...this.#waitedFor, besides: { ...this.#besides }, fits: { ...this.#fits } };
  }

  health(): Promise<{ ok: boolean; detail?: string }> {
    return this.#options.recognizer.health();
  }

  async close(): Promise<void> {
    clearTimeout(this.#ready);
    await Promise.all([this.#options.recognizer.close(), this.#options.transcriber.close()]);
  }

  /** It takes 120 MB and half a second of processor time: nothing for a connector whose calls nobody listens to. */
  #prepareFor({ besidesAtMs }: SpeechHints): void {
    const { transcriber } = this.#options;
    const prepare = () => void transcriber.prepare().catch((error) => this.#trouble(error));
    // It will be asked within seconds.
    if (besidesAtMs !== undefined) prepare();
    if (this.#ready !== undefined) return;
    this.#ready = setTimeout(prepare, READY_AFTER_MS);
    this.#ready.unref();
  }

  async #hearBesides(
    { sound: _, ...plain }: AsrResult,
    sound: Int16Array,
    { onResult }: RecognizerStreamOptions,
    closed: AbortSignal,
  ): Promise<void> {
    const otherwise = await this.#hear(sound, this.#besides, closed, this.#withinMs);
    if (otherwise !== undefined && !closed.aborted) onResult({ ...plain, otherwise });
  }

  async #hear(
    sound: Int16Array,
    stats: Outcomes,
    closed: AbortSignal,
    withinMs: Ms,
    likely: (otherwise: string) => readonly string[] = () => [],
  ): Promise<Transcript | undefined> {
    const late = AbortSignal.timeout(withinMs);
    const signal = AbortSignal.any([late, closed]);
    try {
      const heard = await this.#transcribe(sound, signal);
      if (heard.text === '') stats.nothing++;
      else stats.understood++;
      return await this.#withFits(heard, likely, sound, signal);
    } catch (error) {
      if (late.aborted) stats.late++;
      else if (!closed.aborted) {
        stats.nothing++;
        this.#trouble(error);
      }
      return undefined;
    }
  }

  async #transcribe(sound: Int16Array, signal: AbortSignal): Promise<Transcript> {
    this.#unwritten++;
    try {
      return await this.#options.transcriber.transcribe(sound, URGENCY, signal);
    } finally {
      this.#unwritten--;
    }
  }

  /** What it wrote is worth something without them. */
  async #withFits(
    heard: Transcript,
    likely: (otherwise: string) => readonly string[],
    sound: Int16Array,
    signal: AbortSignal,
  ): Promise<Transcript> {
    const { transcriber } = this.#options;
    const sentences = transcriber.fit ? likely(heard.text) : [];
    if (sentences.length === 0) return heard;
    // It takes as long again, and somebody else waits for words.
    if (this.#unwritten > 0) {
      this.#fits.leftOut++;
      return { ...heard, unfitted: 'left-out' };
    }
    try {
      const fits = await transcriber.fit!(sound, sentences, URGENT, signal);
      this.#fits.told++;
      return { ...heard, fits: sentences.map((text, i) => ({ text, fit: fits[i]! })) };
    } catch (error) {
      this.#fits.late++;
      if (!signal.aborted) this.#trouble(error);
      return { ...heard, unfitted: 'late' };
    }
  }

  #trouble(error: unknown): void {
    if (!this.#troubled)
      this.#options.log.error({ err: error }, 'free speech is not understood; the grammar alone decides');
    this.#troubled = true;
  }
}
