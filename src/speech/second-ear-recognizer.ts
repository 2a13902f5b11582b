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
import { type FitCounts, type Likely, SecondEar, type SecondHearing } from './second-ear.ts';

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
  fits: FitCounts;
  /** What was heard in a pause, before anybody knew that it was the end: the caller waited the less for it, or it was for nothing. */
  ahead: { served: number; forNothing: number };
}

/** It is made ready so long behind the first call that is listened to, whose setting-up it would slow down: before its first words. */
const READY_AFTER_MS: Ms = 2000;

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
  readonly #ear: SecondEar;
  readonly #waitedFor: Outcomes = { understood: 0, nothing: 0, late: 0 };
  readonly #besides: Outcomes = { understood: 0, nothing: 0, late: 0 };
  readonly #ahead = { served: 0, forNothing: 0 };
  #ready: NodeJS.Timeout | undefined;

  constructor(options: SecondEarOptions) {
    this.#options = options;
    const { recognizer, transcriber, log, withinMs = 1000 } = options;
    this.#withinMs = withinMs;
    this.#ear = new SecondEar(transcriber, log);
    this.name = `${recognizer.name}+${transcriber.name}`;
    this.local = recognizer.local;
  }

  open(options: RecognizerStreamOptions): AsrStream {
    this.#prepareFor(options.hints);
    const closed = new AbortController();
    let { hints } = options;
    let ahead: Ahead | undefined;
    /** What has not been told yet; more than one only while the second ear is asked, a few partial results then. */
    const queue: { result: AsrResult; ahead: Ahead | undefined }[] = [];
    let named: { by: string; hints: SpeechHints; sentences: readonly string[] } | undefined;
    const likelyBy = (guess: string) => (written: string) => {
      const by = JSON.stringify([guess, written]);
      // asked in the pause and at the end, mostly about the same
      if (named?.by !== by || named.hints !== hints)
        named = { by, hints, sentences: hints.mayHaveBeen?.(guess, written) ?? [] };
      return named.sentences;
    };
    let telling = false;
    const tell = async (): Promise<void> => {
      if (telling) return;
      telling = true;
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { sound, heardInPause: _, ...plain } = next.result;
        // told at once unless something has to be asked
        const rejected = plain.rejected === true;
        const asks = sound !== undefined && (rejected || !hints.secret);
        // nobody waits long for a second opinion on what was understood
        const withinMs = rejected ? this.#withinMs : this.#withinMs / 2;
        // on a quiet line it is worth what is waited out anyway, and no more, unless the caller would have to say it all again
        const lost = rejected && plain.text === '';
        const likely = plain.noisy || lost ? likelyBy(plain.text) : undefined;
        if (!asks) next.ahead?.hearing.drop();
        const hearing = asks && (next.ahead?.hearing ?? this.#ear.hear(sound, closed.signal, likely));
        const otherwise = hearing ? await heardBy(hearing, this.#waitedFor, withinMs, likely) : undefined;
        if (!closed.signal.aborted) options.onResult(otherwise === undefined ? plain : { ...plain, otherwise });
      }
      telling = false;
    };
    /** The caller has gone on since, or is not to be heard. */
    const dropAhead = () => {
      if (ahead === undefined) return;
      this.#ahead.forNothing++;
      ahead.hearing.drop();
      ahead = undefined;
    };
    const inner = this.#options.recognizer.open({
      ...options,
      hints: this.#heardAhead(hints),
      onResult: (result) => {
        const { kind, segment, sound, text } = result;
        if (kind === 'partial' && result.heardInPause === false) {
          dropAhead();
          return;
        }
        if (kind === 'partial' && sound !== undefined) {
          if (!result.heardInPause) {
            void this.#hearBesides(result, sound, options, closed.signal);
            return;
          }
          dropAhead();
          ahead = { segment, hearing: this.#ear.hear(sound, closed.signal, likelyBy(text)) };
          return;
        }
        const mine = kind === 'final' && result.heardInPause && ahead?.segment === segment ? ahead : undefined;
        if (mine !== undefined) {
          this.#ahead.served++;
          ahead = undefined;
        } else if (kind === 'final') dropAhead();
        queue.push({ result, ahead: mine });
        void tell();
      },
    });
    return {
      audio: inner.audio,
      hint: (next) => {
        this.#prepareFor(next);
        hints = next;
        inner.hint(this.#heardAhead(next));
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
    const { fits } = this.#ear;
    return { ...this.#waitedFor, besides: { ...this.#besides }, fits: { ...fits }, ahead: { ...this.#ahead } };
  }

  health(): Promise<{ ok: boolean; detail?: string }> {
    return this.#options.recognizer.health();
  }

  async close(): Promise<void> {
    clearTimeout(this.#ready);
    await Promise.all([this.#options.recognizer.close(), this.#options.transcriber.close()]);
  }

  /** Of a secret nothing is heard ahead. */
  #heardAhead(hints: SpeechHints): SpeechHints {
    return { ...hints, inPauses: !hints.secret };
  }

  /** It takes 120 MB and half a second of processor time: nothing for a connector whose calls nobody listens to. */
  #prepareFor({ besidesAtMs }: SpeechHints): void {
    const { transcriber } = this.#options;
    const prepare = () => void transcriber.prepare().catch((error) => this.#ear.trouble(error));
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
    const otherwise = await heardBy(this.#ear.hear(sound, closed), this.#besides, this.#withinMs);
    if (otherwise !== undefined && !closed.aborted) onResult({ ...plain, otherwise });
  }
}

/** What is heard in a pause of this segment. */
interface Ahead {
  segment: number;
  hearing: SecondHearing;
}

async function heardBy(
  hearing: SecondHearing,
  outcomes: Outcomes,
  withinMs: Ms,
  likely?: Likely,
): Promise<Transcript | undefined> {
  const heard = await hearing.within(withinMs, likely);
  if (heard !== undefined && heard.text !== '') outcomes.understood++;
  else if (hearing.late) outcomes.late++;
  else if (!hearing.over) outcomes.nothing++;
  return heard;
}
