import type { Ms } from '../../core/clock.ts';
import type { CallId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { Ear, Expectation, Transcript } from '../../dialogue/speaking/voice.ts';
import type { MediaSession } from '../../media/ports.ts';
import type { AsrStream, Recognizer, SpeechHints } from '../../speech/ports.ts';
import { overheardHints } from './hints.ts';

export interface CallEarOptions {
  call: CallId;
  session: MediaSession;
  recognizer: Recognizer;
  /** Hears secrets when `recognizer` is not local. */
  localRecognizer: Recognizer;
  hintsFor(expectation: Expectation): SpeechHints;
  onTranscript(result: Transcript): void;
  /** The recogniser has failed: of what it has not told by now there will be no result. */
  onLost(): void;
  log: Logger;
}

/** A stream that gets no more audio may tell for so long what it was given before. */
const RETIRED_MS: Ms = 60_000;

/**
 * Media session -> recogniser of one call. A failed stream is replaced, so that an engine that dies costs at most the
 * sentence it was hearing. While a secret is awaited only the local recogniser listens.
 */
export class CallEar implements Ear {
  readonly #o: CallEarOptions;
  #stream: AsrStream | undefined;
  readonly #retired = new Set<AsrStream>();
  #listening: Recognizer | undefined;
  #hints: SpeechHints;
  /** Of the bot; not heard for while it only overhears. */
  #expected: SpeechHints;
  #overhears = false;
  #reopened = 0;
  #closed = false;

  constructor(options: CallEarOptions) {
    this.#o = options;
    this.#expected = options.hintsFor({ kind: 'request' });
    this.#hints = this.#expected;
    this.#open();
  }

  expect(expectation: Expectation): void {
    this.#expected = this.#o.hintsFor(expectation);
    if (!this.#overhears) this.#hear(this.#expected);
  }

  /**
   * While true the caller speaks to somebody else: what they say is only taken down, in a stream of its own, and what is
   * expected meanwhile counts behind it.
   */
  overhear(overhears: boolean): void {
    this.#overhears = overhears;
    this.#hear(overhears ? overheardHints(this.#o.hintsFor) : this.#expected);
  }

  /** Hears this from the next segment on, until something else is expected. */
  listenFor(hints: SpeechHints): void {
    this.#expected = hints;
    this.#hear(hints);
  }

  endSegment(): void {
    this.#o.session.endSegment();
  }

  mask(masked: boolean): void {
    this.#o.session.maskRecording(masked);
  }

  silence(from: Ms, to: Ms): void {
    this.#o.session.silenceRecording(from, to);
  }

  /** The media session begins anew: another stream, which knows nothing of the sentence before. */
  reopen(): void {
    this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
    this.#stream = undefined;
    for (const stream of this.#retired) stream.close();
    this.#retired.clear();
  }

  #hear(hints: SpeechHints): void {
    const sameManner = this.#hints.unhurried === hints.unhurried;
    this.#hints = hints;
    if (sameManner && this.#engine() === this.#listening) this.#stream?.hint(hints);
    else this.#open(sameManner ? 'at once' : 'when it has told all');
  }

  /** What was said to it is still told. */
  #retire(stream: AsrStream): void {
    this.#retired.add(stream);
    setTimeout(() => {
      this.#retired.delete(stream);
      stream.close();
    }, RETIRED_MS).unref();
  }

  #engine(): Recognizer {
    return this.#hints.secret && !this.#o.recognizer.local ? this.#o.localRecognizer : this.#o.recognizer;
  }

  /** `before`: when the stream that listened so far is closed. */
  #open(before: 'at once' | 'when it has told all' = 'at once'): void {
    if (this.#closed) return;
    if (this.#stream !== undefined && before === 'when it has told all') this.#retire(this.#stream);
    else this.#stream?.close();
    this.#listening = this.#engine();
    const stream = this.#listening.open({
      call: this.#o.call,
      hints: this.#hints,
      onResult: (result) => {
        if (this.#stream === stream || this.#retired.has(stream)) this.#o.onTranscript(result);
      },
      onFailure: (error) => {
        if (this.#retired.delete(stream)) this.#o.onLost();
        if (this.#stream !== stream || this.#closed) return;
        this.#o.log.warn({ err: error }, 'recogniser stream failed; opening another');
        this.#o.onLost();
        // Back off when it keeps failing; the caller still has the keypad.
        setTimeout(() => this.#stream === stream && this.#open(), Math.min(5000, 50 * 2 ** this.#reopened++)).unref();
      },
    });
    this.#stream = stream;
    this.#o.session.listen(stream.audio);
  }
}
