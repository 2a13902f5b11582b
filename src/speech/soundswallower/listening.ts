import { type Ms, monotonicNow } from '../../core/clock.ts';
import { asFailure, type Failure } from '../../core/errors.ts';
import { SAMPLE_RATE } from '../../media/audio.ts';
import type { ListenMessage } from '../../media/ports.ts';
import { NoiseReduction } from '../noise/noise-reduction.ts';
import type { AsrResult } from '../ports.ts';
import type { GrammarDecoder } from './decoder.ts';
import type { DecoderPool, Lease } from './decoder-pool.ts';
import { hasGarbage } from './garbage.ts';
import type { CompiledGrammar } from './grammar-cache.ts';
import type { WorkerStats } from './protocol.ts';
import { Understanding } from './understanding.ts';
import { Utterance } from './utterance.ts';
import { BELIEVED, type Guess, PARTIAL_CONFIDENCE } from './verdict.ts';
import { accepts } from './word-graph.ts';

/** Audio kept for a segment that has no decoder yet; more drops the oldest. */
const WAITING_LIMIT = 5 * SAMPLE_RATE;
/** A segment that gets no decoder in this time ends unheard. */
const WAIT_MS = 5000;
/** Longer than any sentence: what comes after is dropped, so that nobody holds a decoder for ever. */
export const SEGMENT_LIMIT = 30 * SAMPLE_RATE;
/** Audio between two looks at the partial result. */
const PARTIAL_EVERY = SAMPLE_RATE / 10;
/** A caller who waits for the final result longer than this notices. */
const LATE_MS: Ms = 300;

interface Segment {
  number: number;
  grammar: CompiledGrammar;
  lease: Lease | undefined;
  /** Leaves the line for a decoder. */
  leave: () => void;
  waitTimer: NodeJS.Timeout | undefined;
  buffered: Int16Array[];
  bufferedSamples: number;
  samples: number;
  utterance: Utterance;
  /** The decoder has begun with it. */
  started: boolean;
  nextPartialAt: number;
  partial: string;
  /** Moments at which another ear is to hear it, still to come, samples. */
  besides: number[];
  /** The caller has fallen silent once. */
  paused: boolean;
  /** Another ear has heard all that was said, when the caller fell silent. */
  heardInPause: boolean;
  /** When its last audio was spoken. */
  endedAt: Ms | undefined;
}

export interface ListeningOptions {
  pool: DecoderPool;
  grammar: CompiledGrammar;
  counters: WorkerStats;
  /** Somebody waits for the words: there are partial results too. */
  hurried: boolean;
  onResult(result: AsrResult): void;
  /** The engine failed in this segment; the stream is of no use any more. */
  onFailure(failure: Failure): void;
}

/**
 * One stream of a call in the speech worker. Legal moves of its segment: none -> waiting | decoding (segment-start),
 * waiting -> decoding (a decoder is free) | none (waited too long), decoding -> none (segment-end, failure, close).
 */
export class Listening {
  /** As SpeechHints.besidesAtMs, for the segments that begin after now. */
  besidesAtMs: readonly Ms[] = [];
  /** As SpeechHints.inPauses. */
  inPauses = false;
  readonly #options: ListeningOptions;
  readonly #reduction = new NoiseReduction();
  #grammar: CompiledGrammar;
  #segment: Segment | undefined;
  readonly #understanding = new Understanding();
  #closed = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#grammar = options.grammar;
  }

  /** For the segments that begin after now. */
  set grammar(grammar: CompiledGrammar) {
    this.#grammar = grammar;
  }

  onMessage(message: ListenMessage): void {
    if (this.#closed) return;
    try {
      if (message.type === 'segment-start') this.#begin(message.segment);
      else if (message.segment !== this.#segment?.number) return;
      else if (message.type === 'audio') this.#audio(this.#segment, message.pcm);
      else if (message.type === 'lull') this.#judge(this.#segment);
      else if (message.type === 'pause') this.#pause(this.#segment);
      else if (message.type === 'resume') this.#resume(this.#segment);
      else if (message.type === 'segment-end') this.#end(this.#segment, message.at);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Frees its decoder; no result comes after this. */
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #begin(number: number): void {
    // a segment whose end never came; its words are late for everybody
    this.#drop();
    const segment: Segment = {
      number,
      grammar: this.#grammar,
      lease: undefined,
      leave: () => undefined,
      waitTimer: undefined,
      buffered: [],
      bufferedSamples: 0,
      samples: 0,
      utterance: new Utterance(this.#reduction),
      started: false,
      nextPartialAt: PARTIAL_EVERY,
      partial: '',
      besides: this.besidesAtMs.map((ms) => (ms * SAMPLE_RATE) / 1000),
      paused: false,
      heardInPause: false,
      endedAt: undefined,
    };
    this.#segment = segment;
    this.#options.counters.segments++;
    segment.leave = this.#options.pool.lease(segment.grammar, (lease) => this.#engage(segment, lease));
    if (segment.lease === undefined && this.#segment === segment) {
      this.#options.counters.waited++;
      segment.waitTimer = setTimeout(() => this.#giveUp(segment), WAIT_MS);
    }
  }

  #engage(segment: Segment, lease: Lease): void {
    segment.lease = lease;
    clearTimeout(segment.waitTimer);
    try {
      this.#timed(() => lease.decoder.load(segment.grammar));
      for (const pcm of segment.buffered.splice(0)) this.#decode(segment, lease, pcm);
      if (segment.endedAt !== undefined) this.#finish(segment, lease);
    } catch (error) {
      this.#fail(error);
    }
  }

  #audio(segment: Segment, pcm: Int16Array): void {
    if (segment.samples + pcm.length > SEGMENT_LIMIT) {
      this.#options.counters.droppedMs += (pcm.length * 1000) / SAMPLE_RATE;
      return;
    }
    segment.samples += pcm.length;
    if (segment.lease !== undefined) {
      this.#decode(segment, segment.lease, pcm);
      return;
    }
    segment.buffered.push(pcm);
    segment.bufferedSamples += pcm.length;
    while (segment.bufferedSamples > WAITING_LIMIT) {
      const oldest = segment.buffered.shift()!;
      segment.bufferedSamples -= oldest.length;
      this.#options.counters.droppedMs += (oldest.length * 1000) / SAMPLE_RATE;
    }
  }

  #decode(segment: Segment, { decoder }: Lease, pcm: Int16Array): void {
    this.#timed(() => {
      segment.utterance.push(pcm);
      this.#write(segment, decoder);
    });
    this.#options.counters.audioMs += (pcm.length * 1000) / SAMPLE_RATE;
    this.#offer(segment);
    segment.nextPartialAt -= pcm.length;
    if (segment.nextPartialAt > 0 || segment.endedAt !== undefined || !this.#options.hurried) return;
    segment.nextPartialAt = PARTIAL_EVERY;
    if (!segment.started) return;
    const heard = this.#timed(() => decoder.text());
    const text = hasGarbage(heard) ? '' : heard;
    if (text !== segment.partial) this.#tellPartial(segment, text, segment.paused ? decoder.guess() : undefined);
  }

  /** The segment so far, for another ear, when its time has come. */
  #offer(segment: Segment): void {
    const { besides, samples, utterance } = segment;
    if (besides.length === 0 || samples < besides[0]! || !this.#options.hurried) return;
    while (besides.length > 0 && samples >= besides[0]!) besides.shift();
    const sound = utterance.sound();
    if (sound !== undefined) this.#options.onResult({ ...this.#soFar(segment), sound });
  }

  #soFar({ number, partial }: Segment): AsrResult {
    const confidence = partial === '' ? 0 : PARTIAL_CONFIDENCE;
    return { segment: number, kind: 'partial', text: partial, confidence, at: monotonicNow() };
  }

  #pause(segment: Segment): void {
    segment.paused = true;
    const confidence = this.#judge(segment);
    if (segment.utterance.noisy || confidence < BELIEVED) this.#offerInPause(segment);
  }

  /** Another ear is asked anyway, at the end: it begins while the silence is waited out. */
  #offerInPause(segment: Segment): void {
    if (!this.inPauses || !this.#options.hurried) return;
    const sound = segment.utterance.sound();
    if (sound === undefined) return;
    segment.heardInPause = true;
    this.#options.onResult({ ...this.#soFar(segment), sound, heardInPause: true });
  }

  /** What another ear hears of the pause is for nothing. */
  #resume(segment: Segment): void {
    if (!segment.heardInPause) return;
    segment.heardInPause = false;
    this.#options.onResult({ ...this.#soFar(segment), heardInPause: false });
  }

  /** Whoever has to decide how long to wait wants to know how well the words fit what was said. Returns how far they are believed. */
  #judge(segment: Segment): number {
    if (segment.lease === undefined || !segment.started || !this.#options.hurried) return 0;
    const guess = this.#timed(() => segment.lease!.decoder.guess());
    if (guess.text === '' || hasGarbage(guess.text)) return 0;
    return this.#tellPartial(segment, guess.text, guess);
  }

  /** `guess`: to be judged; without it nothing is known of the words but that they fit so far. Returns how far they are believed. */
  #tellPartial(segment: Segment, text: string, guess: Guess | undefined): number {
    segment.partial = text;
    const judged = guess === undefined ? PARTIAL_CONFIDENCE : this.#understanding.confidence(guess, segment);
    const confidence = text === '' ? 0 : judged;
    this.#options.onResult({
      ...{ segment: segment.number, kind: 'partial', text, confidence },
      complete: text !== '' && accepts(segment.grammar.graph, text.split(' ')),
      at: monotonicNow(),
    });
    return confidence;
  }

  /** Gives the decoder what there is for it. */
  #write(segment: Segment, decoder: GrammarDecoder): void {
    const { acoustics } = segment.utterance;
    if (acoustics === undefined) return;
    if (!segment.started) this.#understanding.start(decoder, acoustics);
    segment.started = true;
    for (const pcm of segment.utterance.take()) decoder.write(pcm);
  }

  #end(segment: Segment, at: Ms): void {
    segment.endedAt = at;
    if (segment.lease !== undefined) this.#finish(segment, segment.lease);
  }

  #finish(segment: Segment, lease: Lease): void {
    const verdict = this.#timed(() => {
      segment.utterance.finish();
      this.#write(segment, lease.decoder);
      const { pool, counters } = this.#options;
      const load = { ...counters, others: pool.size - pool.free - 1, waiting: pool.waiting };
      return this.#understanding.finish(segment, lease.decoder, load, () => counters.secondLooks++);
    });
    this.#segment = undefined;
    lease.release();
    const at = monotonicNow();
    const { noisy } = segment.utterance;
    const sound = (verdict.rejected || noisy) && this.#options.hurried ? segment.utterance.sound() : undefined;
    if (this.#options.hurried) this.#timeFinal(at - segment.endedAt!);
    this.#options.onResult({
      segment: segment.number,
      kind: 'final',
      ...verdict,
      noisy,
      complete: !verdict.rejected && accepts(segment.grammar.graph, verdict.text.split(' ')),
      ...(sound && { sound, heardInPause: segment.heardInPause }),
      at,
    });
  }

  #timeFinal(ms: Ms): void {
    const { counters } = this.#options;
    counters.finals++;
    counters.finalMs += ms;
    if (ms > LATE_MS) counters.lateFinals++;
  }

  #giveUp(segment: Segment): void {
    if (this.#segment !== segment) return;
    this.#options.counters.unserved++;
    segment.leave();
    this.#segment = undefined;
    this.#options.onResult(lostResult(segment.number));
  }

  #drop(): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#segment = undefined;
    clearTimeout(segment.waitTimer);
    segment.leave();
    if (segment.lease === undefined) return;
    try {
      segment.lease.decoder.abandon();
      segment.lease.release();
    } catch {
      segment.lease.release(true);
    }
  }

  #fail(error: unknown): void {
    this.#closed = true;
    clearTimeout(this.#segment?.waitTimer);
    this.#segment?.leave();
    this.#segment?.lease?.release(true);
    this.#segment = undefined;
    this.#options.onFailure(asFailure(error));
  }

  #timed<T>(work: () => T): T {
    const started = performance.now();
    try {
      return work();
    } finally {
      this.#options.counters.busyMs += performance.now() - started;
    }
  }
}

/** There was no time for this segment. */
export function lostResult(segment: number): AsrResult {
  return {
    segment,
    kind: 'final',
    text: '',
    confidence: 0,
    complete: false,
    rejected: true,
    lost: true,
    at: monotonicNow(),
  };
}
