import { setTimeout as sleep } from 'node:timers/promises';
import { untilAborted } from '../../core/abortable.ts';
import type { Ms } from '../../core/clock.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { NOT_TRANSCRIBED, wordsHeard } from '../../dialogue/caller-line.ts';
import { withoutAnsweredSecrets } from '../../dialogue/questions/spoken-secrets.ts';
import type { Pcm } from '../../media/audio.ts';
import type { RecordingSide } from '../../media/recording/recorded-speech.ts';
import type { Recognizer, SpeechHints, Transcriber, Transcript } from '../../speech/ports.ts';
import type { RecordingRecord, UtteranceRecord } from './records.ts';
import { segmentWords } from './segment-words.ts';
import { isCertain, truerWords, type Words } from './truer-words.ts';
import type { HeardAgain, LinesToHear, UntranscribedLine, UntranscribedLines } from './untranscribed-lines.ts';

export interface LaterTranscriptOptions {
  lines: UntranscribedLines;
  recognizer: Recognizer;
  /** Of any words; of its own, behind all else. Undefined: there is none, and what people say to each other stays as it was understood at once. */
  transcriber: Transcriber | undefined;
  /** What the speaker was likely to say; undefined: there is no such bot any more. */
  hintsFor(line: UntranscribedLine): SpeechHints | undefined;
  /** What a side of a recording holds from one moment to another, ms behind its beginning. */
  speech(recording: RecordingRecord, side: RecordingSide, span: readonly [from: Ms, to: Ms]): Promise<Pcm>;
  /** For who looks at the call now. */
  onWords(line: UtteranceRecord): void;
  /** The call goes on still. */
  isActive(sessionId: CallId): boolean;
  /** Speech of calls that go on waits for the recogniser: it comes first. */
  busy(): Promise<boolean>;
  /** Calls that are listened to at a time: as many as the transcriber has threads. Default 1. */
  atOnce?: number;
  log: Logger;
  /** Default 5 s. */
  againMs?: Ms;
}

export interface LaterTranscriptStats {
  /** Calls with sentences that wait. */
  calls: number;
  /** Sentences that were listened to, since the start; of which the recogniser was certain need not be. */
  lines: number;
  /** Those of which the recording has nothing, or that the recogniser failed on. */
  failed: number;
}

/** Calls that wait. Further ones are found by the next start. */
const MOST_CALLS = 1000;
/** The row of a recording may come a little behind its call, and the database be away. */
const MOST_TRIES = 5;
/** Before a voiced window the VAD has taken to be speech, and behind the last one, there is speech too. */
const MARGIN_MS = { before: 300, behind: 250 };
/** Nothing at all was recorded: it rested, or the caller was asked for a secret. */
const SILENT = 16;
/** Nobody waits for it. */
const URGENCY = 100;

/**
 * What people said to each other is listened to in the recording when their calls are over, one sentence of a call at a
 * time, behind everything that is said in calls that go on: what nobody had time for, and, where there is a transcriber,
 * what the recogniser took down while its grammar knew little of it. What waits is what stands in the database as such, so
 * a stop or a crash loses nothing.
 */
export class LaterTranscript {
  readonly #o: LaterTranscriptOptions;
  readonly #which: LinesToHear;
  /** Calls, with how often they were tried. */
  readonly #waiting = new Map<CallId, number>();
  #lines = 0;
  #failed = 0;
  #wake: () => void = () => undefined;

  constructor(options: LaterTranscriptOptions) {
    this.#o = options;
    this.#which = options.transcriber ? 'without free words' : 'without words';
  }

  get stats(): LaterTranscriptStats {
    return { calls: this.#waiting.size, lines: this.#lines, failed: this.#failed };
  }

  /** A sentence stands in the record of its call and is to be listened to once more. Cheap; for any line. */
  add({ sessionId, text }: Pick<UtteranceRecord, 'sessionId' | 'text'>): void {
    if (text !== NOT_TRANSCRIBED && !this.#o.transcriber) return;
    this.#addCall(sessionId);
  }

  /** Until `signal` aborts; what waits then is found by the next start. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#findLeft(signal);
    while (!signal.aborted) {
      if (this.#waiting.size === 0) {
        const added = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await untilAborted(added, signal);
      }
      await this.#transcribeAll(signal);
      if (this.#waiting.size > 0) await this.#pause(signal);
    }
  }

  /** All that are over now, or as many as there is time for. */
  async #transcribeAll(signal: AbortSignal): Promise<void> {
    const over = [...this.#waiting.keys()].filter((one) => !this.#o.isActive(one));
    let hasTime = true;
    const lane = async () => {
      while (hasTime) {
        const next = over.shift();
        if (next === undefined) return;
        if (!(await this.#transcribe(next, signal))) hasTime = false;
      }
    };
    await Promise.all(Array.from({ length: this.#o.atOnce ?? 1 }, lane));
  }

  #addCall(sessionId: CallId): void {
    if (this.#waiting.size >= MOST_CALLS && !this.#waiting.has(sessionId)) return;
    this.#waiting.set(sessionId, 0);
    this.#wake();
  }

  async #findLeft(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const sessionId of await this.#o.lines.calls(this.#which)) this.#addCall(sessionId);
        return;
      } catch {
        await this.#pause(signal);
      }
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#o.againMs ?? 5000, undefined, { signal, ref: false }).catch(() => undefined);
  }

  /** False: there is no time now, for this call or another. */
  async #transcribe(sessionId: CallId, signal: AbortSignal): Promise<boolean> {
    const { lines, log } = this.#o;
    const tries = (this.#waiting.get(sessionId) ?? 0) + 1;
    // Behind the others; a line that comes meanwhile puts it in again.
    this.#waiting.delete(sessionId);
    try {
      const left = await lines.ofCall(sessionId, this.#which);
      if (left.length === 0) throw new Failure('no line of it waits yet', { code: 'no-lines', blame: 'us' });
      const done = await this.#listenTo(left, signal);
      if (done < left.length) {
        this.#waiting.set(sessionId, 0);
        return false;
      }
      log.info({ session_id: sessionId, lines: done }, 'sentences of a call have their words, from its recording');
    } catch (error) {
      const reason = asFailure(error);
      if (tries < MOST_TRIES && !this.#waiting.has(sessionId)) this.#waiting.set(sessionId, tries);
      // Most often the call was not recorded at all.
      else if (reason.code === 'no-lines') log.info({ session_id: sessionId }, 'a call has no recording to listen to');
      else
        log.warn(
          { err: reason, session_id: sessionId },
          'a call keeps its sentences as they are, until the next start',
        );
    }
    return true;
  }

  /** Resolves with how many it has come to: all, unless there was no time for them. */
  async #listenTo(left: readonly UntranscribedLine[], signal: AbortSignal): Promise<number> {
    const { lines, busy, log } = this.#o;
    /** What stands in the record now, by line. */
    const texts = new Map<string, string>();
    for (const [done, line] of left.entries()) {
      if (signal.aborted || (await busy())) return done;
      const { utteranceId, sessionId } = line;
      let heard: HeardAgain | undefined;
      try {
        heard = await this.#words(line, signal);
      } catch (error) {
        if (signal.aborted) return done;
        log.warn({ session_id: sessionId, reason: asFailure(error).message }, 'a sentence cannot be listened to later');
      }
      if (heard?.source === 'recording') this.#lines++;
      else if (line.known === undefined || !isCertain(line.known)) this.#failed++;
      if (heard === undefined) continue;
      const before = line.before.map((earlier) => texts.get(earlier.utteranceId) ?? earlier.text);
      const text = withoutAnsweredSecrets(wordsHeard({ text: heard.text, lost: false }), before);
      texts.set(utteranceId, text);
      const written = await lines.transcribed(utteranceId, { ...heard, text });
      if (written) this.#o.onWords(written);
    }
    return left.length;
  }

  /** Undefined: nobody knows what was said, and nobody can tell. */
  async #words(line: UntranscribedLine, signal: AbortSignal): Promise<HeardAgain | undefined> {
    const { recording, speaker, startedAt, endedAt, known } = line;
    if (known !== undefined && isCertain(known)) return { ...known, source: 'speech' };
    const behind = (at: Date) => at.getTime() - recording.createdAt.getTime();
    const span = [behind(startedAt) - MARGIN_MS.before, behind(endedAt) + MARGIN_MS.behind] as const;
    const pcm = await this.#o.speech(recording, speaker === 'caller' ? 'left' : 'right', span);
    if (pcm.every((sample) => Math.abs(sample) < SILENT)) return known && { ...known, source: 'speech' };
    const free = await this.#freeWords(pcm, line, signal);
    if (free === undefined && known !== undefined) return undefined;
    const asked = () =>
      this.#knownWords(pcm, line, signal).catch((error) => {
        if (free === undefined || signal.aborted) throw error;
        return undefined;
      });
    const knows = known ?? (await asked());
    const words = free ? truerWords(free, knows) : knows;
    return words && { ...words, source: 'recording' };
  }

  /** Undefined: there is no transcriber, or none that works. */
  async #freeWords(pcm: Pcm, { sessionId }: UntranscribedLine, signal: AbortSignal): Promise<Transcript | undefined> {
    const { transcriber, log } = this.#o;
    if (transcriber === undefined) return undefined;
    const once = () => transcriber.transcribe(pcm, URGENCY, signal);
    try {
      return await once().catch((error) => (asFailure(error).retryable ? once() : Promise.reject(error)));
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn({ session_id: sessionId, err: error }, 'free speech is not understood');
      return undefined;
    }
  }

  /** Undefined: nobody knows what was likely to be said. */
  async #knownWords(pcm: Pcm, line: UntranscribedLine, signal: AbortSignal): Promise<Words | undefined> {
    const { recognizer, hintsFor } = this.#o;
    const hints = hintsFor(line);
    if (hints === undefined) return undefined;
    const hearing = { recognizer, hints, call: line.sessionId, signal };
    const { text, rejected, confidence } = await segmentWords(pcm, hearing);
    return { text: rejected ? '' : text, confidence };
  }
}
