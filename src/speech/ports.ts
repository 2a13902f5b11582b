import type { MessagePort } from 'node:worker_threads';
import type { Ms } from '../core/clock.ts';
import type { CallId } from '../core/ids.ts';
import type { SpokenChunk } from '../media/ports.ts';

/** Speech to text. One recogniser serves all calls; it never blocks the control plane. */
export interface Recognizer {
  readonly name: string;
  /** False when caller audio leaves this machine: such an engine must not hear secrets. */
  readonly local: boolean;
  open(options: RecognizerStreamOptions): AsrStream;
  /** Somebody will be heard with these hints in a moment: what they need is made ready. */
  prepare?(hints: SpeechHints): void;
  /** Is an engine ready to take speech now; for /ready. */
  health(): Promise<{ ok: boolean; detail?: string }>;
  close(): Promise<void>;
}

export interface RecognizerStreamOptions {
  call: CallId;
  hints: SpeechHints;
  /** Called on the main thread, in order; must not throw. */
  onResult(result: AsrResult): void;
  /** The stream has failed and another should be opened. */
  onFailure(error: Error): void;
}

/** What the caller is likely to say next. */
export interface SpeechHints {
  /** A name that stands for this exact set of sentences, for caches: same key, same grammar. */
  key: string;
  /** JSGF grammar with one public rule; words are lower case. */
  jsgf: string;
  /** True while a secret slot is open: audio must not leave this machine, results must not be logged. */
  secret: boolean;
  /**
   * Nobody waits for the words, they are only taken down: no partial results, and the final one when there is time. A
   * stream keeps the one or the other from its opening on.
   */
  unhurried?: boolean;
  /**
   * Where somebody waits: when a segment has so many ms of audio, another ear hears it from its beginning on, whatever the
   * grammar makes of it. Ascending. The other ear is made ready as soon as such hints are given.
   */
  besidesAtMs?: readonly Ms[];
  /** What is noisy or hardly understood another ear hears when the caller falls silent, and not when that is known to be the end. */
  inPauses?: boolean;
  /**
   * What may have been said, by the grammar's guess and by what another ear wrote ('' for nothing): where the line is noisy,
   * where there is no guess, and in the pause behind what is hardly understood, that ear tells how well these fit (Transcript.fits). Takes no longer than a few ms.
   */
  mayHaveBeen?(guess: string, otherwise: string): readonly string[];
}

export interface AsrStream {
  /** Transferred to MediaSession.listen; carries ListenMessage from the media worker. */
  readonly audio: MessagePort;
  /** Applies from the next segment on. */
  hint(hints: SpeechHints): void;
  close(): void;
}

export interface AsrResult {
  segment: number;
  kind: 'partial' | 'final';
  /** Lower case words; '' when nothing was understood. */
  text: string;
  /** 0..1 */
  confidence: number;
  /** Do the words so far make a whole sentence of the grammar (undefined: the engine cannot tell). */
  complete?: boolean;
  /** In a pause: how likely is it that the caller is done, 0..1 (undefined: no end-of-turn model has said anything). */
  endOfTurn?: number;
  /** Final only: speech was heard but fits no sentence; `text` is then '' or a guess that must not be acted on. */
  rejected?: boolean;
  /** Final only: what else is heard on the line is so loud that short words and numbers are easily lost. */
  noisy?: boolean;
  /** For another ear, 8 kHz: what was rejected or is noisy, where somebody waits and it is short; or, of a partial result, see SpeechHints.besidesAtMs. */
  sound?: Int16Array;
  /**
   * Of a partial result with its sound: the caller has fallen silent (SpeechHints.inPauses); false: and has gone on since. Of
   * a final one: nothing was said behind the last such one.
   */
  heardInPause?: boolean;
  /** What another ear made of that. Of a partial result: of the segment so far, told when it is known; the words may be older or newer. */
  otherwise?: Transcript;
  /** Final only: there was no time to listen to it; nobody knows what was said. */
  lost?: boolean;
  /** Monotonic ms at which the engine had the result. */
  at: Ms;
}

/** What was said in a stretch of speech, whatever it was. */
export interface Transcript {
  /** Lower-case words, figures as they are spoken; '' when nothing was understood. */
  text: string;
  /** 0..1: geometric mean of how likely each piece of a word was. Below 0.5 much of it is invented. */
  confidence: number;
  /** How well others would fit, of those that SpeechHints.mayHaveBeen() named. */
  fits?: readonly Fit[];
  /** Why there are none where they were wanted: there was no time for them, or another caller waited for words. */
  unfitted?: 'late' | 'left-out';
}

export interface Fit {
  text: string;
  /** As of Transcriber.fit(). */
  fit: number;
}

/** Speech of any words to text, when it is over. Slower than a Recognizer, which knows what it waits for. */
export interface Transcriber {
  readonly name: string;
  /** Makes ready for the first one who asks; otherwise that one waits for it. */
  prepare(): Promise<void>;
  /**
   * `pcm`: 8 kHz mono. A lower urgency number goes first. Rejects with Failure worker-died (also where the model does
   * not load: its message says why) or engine-busy, or with the signal's reason.
   */
  transcribe(pcm: Int16Array, urgency: number, signal?: AbortSignal): Promise<Transcript>;
  /**
   * How well each of these sentences (lower-case words) fits what was said, whatever transcribe() makes of it: mean ln of
   * how likely each piece of a word is, less a part of how likely it would be anyway; some 2 for what was said, below -1 for
   * what has nothing in common with it. Best asked right behind transcribe() of the same array, whose work then counts.
   * Rejects as that does. An engine that cannot tell has no such method.
   */
  fit?(
    pcm: Int16Array,
    sentences: readonly string[],
    urgency: number,
    signal?: AbortSignal,
  ): Promise<readonly number[]>;
  /** Somebody waits for what was asked of this array: from now on it is at least this urgent. */
  hurry?(pcm: Int16Array, urgency: number): void;
  close(): Promise<void>;
}

/** How a text is to be spoken. */
export interface SpeechStyle {
  /** 1 (default) is the voice's own pace, 0.8 slower. An engine that cannot keep it comes as near as it can. */
  rate?: number;
  /** One of the engine's voices by name; its default, also for a name it does not know. */
  voice?: string | undefined;
}

/** Text to speech. */
export interface Synthesizer {
  readonly name: string;
  /** Audio of one sentence or phrase in order, 8 kHz, with the words it carries; the first chunk as early as possible. */
  speak(text: string, signal: AbortSignal, style?: SpeechStyle): AsyncIterable<SpokenChunk>;
  /**
   * Synthesizes and keeps fixed prompts, so that speaking them later takes no time. `passing`: they are for one caller's
   * next moment, so they are made at once and forgotten before the others. `lasting`: they are the same at every start and
   * tell nothing of anybody, so their audio may stay on disk.
   */
  warm(texts: readonly string[], style?: SpeechStyle & { passing?: boolean; lasting?: boolean }): Promise<void>;
  health(): Promise<{ ok: boolean; detail?: string }>;
  close(): Promise<void>;
}
