import { setTimeout as sleep } from 'node:timers/promises';
import { untilAborted } from '../../core/abortable.ts';
import type { Ms } from '../../core/clock.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { wordsHeard } from '../../dialogue/caller-line.ts';
import { withoutSpokenSecrets } from '../../dialogue/questions/spoken-secrets.ts';
import { FRAME_MS, FRAME_SAMPLES, type Pcm } from '../../media/audio.ts';
import type { RecordingSide } from '../../media/recording/recorded-speech.ts';
import type { AsrResult, Recognizer, SpeechHints } from '../../speech/ports.ts';
import type { RecordingRecord, UtteranceRecord } from './records.ts';

/** A sentence of a call that is over, which nobody had time to listen to. */
export interface UntranscribedLine {
  utteranceId: string;
  sessionId: CallId;
  speaker: 'caller' | 'agent';
  startedAt: Date;
  endedAt: Date;
  botProfile: string;
  recording: RecordingRecord;
}

/** Lines of the record without words. All reject while the database is away. */
export interface UntranscribedLines {
  /** Calls of earlier runs of this connector that have some and are recorded, the latest first, a bounded number. */
  calls(): Promise<CallId[]>;
  /** Of one call that is over and recorded, in order. */
  ofCall(sessionId: CallId): Promise<UntranscribedLine[]>;
  /** Durable when it resolves, with the line as it is then; undefined: it has its words by now, and keeps them. */
  transcribed(utteranceId: string, words: { text: string; confidence: number }): Promise<UtteranceRecord | undefined>;
}

export interface LaterTranscriptOptions {
  lines: UntranscribedLines;
  recognizer: Recognizer;
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
  log: Logger;
  /** Default 5 s. */
  againMs?: Ms;
}

export interface LaterTranscriptStats {
  /** Calls with sentences that wait. */
  calls: number;
  /** Sentences that have got their words, since the start. */
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
/** For a sentence of 20 s; the recogniser's thread comes behind all others. */
const ANSWER_MS: Ms = 120_000;

/**
 * Sentences there was no time for while people talked get their words from the recording when their calls are over: one at
 * a time, behind everything that is said in calls that go on. What waits is what stands in the database as not transcribed,
 * so a stop or a crash loses nothing.
 */
export class LaterTranscript {
  readonly #o: LaterTranscriptOptions;
  /** Calls, with how often they were tried. */
  readonly #waiting = new Map<CallId, number>();
  #lines = 0;
  #failed = 0;
  #wake: () => void = () => undefined;

  constructor(options: LaterTranscriptOptions) {
    this.#o = options;
  }

  get stats(): LaterTranscriptStats {
    return { calls: this.#waiting.size, lines: this.#lines, failed: this.#failed };
  }

  /** A sentence of this call stands in its record without words. Cheap; may be said again and again. */
  add(sessionId: CallId): void {
    if (this.#waiting.size >= MOST_CALLS && !this.#waiting.has(sessionId)) return;
    this.#waiting.set(sessionId, 0);
    this.#wake();
  }

  /** Until `signal` aborts; what waits then is found by the next start. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#findLeft(signal);
    while (!signal.aborted) {
      const next = [...this.#waiting.keys()].find((one) => !this.#o.isActive(one));
      if (next === undefined && this.#waiting.size === 0) {
        const added = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await untilAborted(added, signal);
      } else if (next === undefined || !(await this.#transcribe(next, signal))) {
        await this.#pause(signal);
      }
    }
  }

  async #findLeft(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const sessionId of await this.#o.lines.calls()) this.add(sessionId);
        return;
      } catch {
        await this.#pause(signal);
      }
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#o.againMs ?? 5000, undefined, { signal, ref: false }).catch(() => undefined);
  }

  /** False: it has to wait. */
  async #transcribe(sessionId: CallId, signal: AbortSignal): Promise<boolean> {
    const { lines, log } = this.#o;
    const tries = (this.#waiting.get(sessionId) ?? 0) + 1;
    // Behind the others; a line that is lost meanwhile puts it in again.
    this.#waiting.delete(sessionId);
    try {
      const left = await lines.ofCall(sessionId);
      if (left.length === 0) throw new Failure('no line of it waits yet', { code: 'no-lines', blame: 'us' });
      const done = await this.#listenTo(left, signal);
      if (done < left.length) {
        this.#waiting.set(sessionId, 0);
        return false;
      }
      log.info({ session_id: sessionId, lines: done }, 'sentences of a call have their words, from its recording');
      return true;
    } catch (error) {
      if (tries < MOST_TRIES && !this.#waiting.has(sessionId)) this.#waiting.set(sessionId, tries);
      else
        log.warn({ err: error, session_id: sessionId }, 'a call keeps sentences without words, until the next start');
      return false;
    }
  }

  /** Resolves with how many it has come to: all, unless there was no time for them. */
  async #listenTo(left: readonly UntranscribedLine[], signal: AbortSignal): Promise<number> {
    const { lines, busy, log } = this.#o;
    for (const [done, line] of left.entries()) {
      if (signal.aborted || (await busy())) return done;
      const { utteranceId, sessionId } = line;
      let result: AsrResult | undefined;
      try {
        result = await this.#words(line, signal);
      } catch (error) {
        if (signal.aborted) return done;
        log.warn({ session_id: sessionId, reason: asFailure(error).message }, 'a sentence cannot be listened to later');
      }
      if (result === undefined) {
        this.#failed++;
        continue;
      }
      const text = wordsHeard({ text: result.rejected ? '' : result.text, lost: false });
      const words = { text: withoutSpokenSecrets(text), confidence: result.confidence };
      const written = await lines.transcribed(utteranceId, words);
      if (written) this.#o.onWords(written);
      this.#lines++;
    }
    return left.length;
  }

  /** Undefined: the recording has nothing of it. */
  async #words(line: UntranscribedLine, signal: AbortSignal): Promise<AsrResult | undefined> {
    const { recognizer, hintsFor, speech } = this.#o;
    const { recording, speaker, startedAt, endedAt, sessionId } = line;
    const hints = hintsFor(line);
    if (hints === undefined) return undefined;
    const behind = (at: Date) => at.getTime() - recording.createdAt.getTime();
    const span = [behind(startedAt) - MARGIN_MS.before, behind(endedAt) + MARGIN_MS.behind] as const;
    const pcm = await speech(recording, speaker === 'caller' ? 'left' : 'right', span);
    if (pcm.every((sample) => Math.abs(sample) < SILENT)) return undefined;
    return heardIn(pcm, { recognizer, hints, call: sessionId, signal });
  }
}

interface Hearing {
  recognizer: Recognizer;
  hints: SpeechHints;
  call: CallId;
  signal: AbortSignal;
}

/** One segment through the recogniser. @throws Failure when it fails, has no time or does not answer */
async function heardIn(pcm: Pcm, { recognizer, hints, call, signal }: Hearing): Promise<AsrResult> {
  signal.throwIfAborted();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  const { promise, resolve, reject } = Promise.withResolvers<AsrResult>();
  const stream = recognizer.open({
    call,
    hints,
    onResult: (result) => {
      if (result.kind !== 'final') return;
      if (result.lost) reject(new Failure('there was no time for it', { code: 'asr-busy', blame: 'us' }));
      else resolve(result);
    },
    onFailure: reject,
  });
  try {
    const segment = 1;
    const frames = Math.ceil(pcm.length / FRAME_SAMPLES);
    stream.audio.postMessage({ type: 'segment-start', segment, at: 0 });
    for (let frame = 0; frame < frames; frame++) {
      const part = pcm.slice(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
      stream.audio.postMessage({ type: 'audio', segment, at: frame * FRAME_MS, pcm: part });
    }
    stream.audio.postMessage({ type: 'segment-end', segment, at: frames * FRAME_MS });
    const result = await untilAborted(promise, limit);
    if (result === undefined) throw new Failure('no result came', { code: 'asr-silent', blame: 'engine' });
    return result;
  } finally {
    stream.close();
  }
}
