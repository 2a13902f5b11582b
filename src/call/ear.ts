import type { Ms } from '../core/clock.ts';
import type { CallId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Ear, Expectation, Transcript } from '../dialogue/voice.ts';
import type { MediaSession } from '../media/ports.ts';
import type { AsrStream, Recognizer, SpeechHints } from '../speech/ports.ts';

export interface CallEarOptions {
  call: CallId;
  session: MediaSession;
  recognizer: Recognizer;
  /** Hears secrets when `recognizer` is not local. */
  localRecognizer: Recognizer;
  hintsFor(expectation: Expectation): SpeechHints;
  onTranscript(result: Transcript): void;
  log: Logger;
}

/**
 * Media session -> recogniser of one call. A failed stream is replaced, so that an engine that dies costs at most the
 * sentence it was hearing. While a secret is awaited only the local recogniser listens.
 */
export class CallEar implements Ear {
  readonly #o: CallEarOptions;
  #stream: AsrStream | undefined;
  #listening: Recognizer | undefined;
  #hints: SpeechHints;
  #reopened = 0;
  #closed = false;

  constructor(options: CallEarOptions) {
    this.#o = options;
    this.#hints = options.hintsFor({ kind: 'request' });
    this.#open();
  }

  expect(expectation: Expectation): void {
    this.#hints = this.#o.hintsFor(expectation);
    if (this.#engine() === this.#listening) this.#stream?.hint(this.#hints);
    else this.#open();
  }

  /** Hears this from the next segment on, until something else is expected. */
  listenFor(hints: SpeechHints): void {
    this.#hints = hints;
    this.#stream?.hint(hints);
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
  }

  #engine(): Recognizer {
    return this.#hints.secret && !this.#o.recognizer.local ? this.#o.localRecognizer : this.#o.recognizer;
  }

  #open(): void {
    if (this.#closed) return;
    this.#stream?.close();
    this.#listening = this.#engine();
    const stream = this.#listening.open({
      call: this.#o.call,
      hints: this.#hints,
      onResult: (result) => {
        if (this.#stream === stream) this.#o.onTranscript(result);
      },
      onFailure: (error) => {
        if (this.#stream !== stream || this.#closed) return;
        this.#o.log.warn({ err: error }, 'recogniser stream failed; opening another');
        // Back off when it keeps failing; the caller still has the keypad.
        setTimeout(() => this.#stream === stream && this.#open(), Math.min(5000, 50 * 2 ** this.#reopened++)).unref();
      },
    });
    this.#stream = stream;
    this.#o.session.listen(stream.audio);
  }
}
