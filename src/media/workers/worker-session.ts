import type { MessagePort } from 'node:worker_threads';
import type { Clock, Ms } from '../../core/clock.ts';
import { FRAME_MS, FRAME_SAMPLES, type Pcm } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import type { SearchBudget } from '../echo/echo-search.ts';
import { InboundAudio } from '../inbound/inbound-audio.ts';
import { FarKeys } from '../keys/far-keys.ts';
import { ToneDetector } from '../keys/tone-detector.ts';
import { type HearingPart, Mix, type Voices } from '../outbound/hearing.ts';
import { LoopedSound } from '../outbound/looped-sound.ts';
import { OutboundAudio } from '../outbound/outbound-audio.ts';
import { PlayoutDesk } from '../outbound/playout-desk.ts';
import type { MediaEvent, MediaReport, MediaStats, RemoteAudio } from '../ports.ts';
import { Recorder } from '../recording/recorder.ts';
import type { RecordingSpec } from '../recording/recording-sink.ts';
import { lineQuality } from '../rtp/call-quality.ts';
import { MediaLine } from '../rtp/media-line.ts';
import { MOST_AT_ONCE, type SystemUdp } from '../rtp/system-sockets.ts';
import { CallerSpeech } from '../voice-activity/caller-speech.ts';
import type { VadBatch } from '../voice-activity/vad-batch.ts';
import { type Continuity, SRTP_MARGIN } from './continuity.ts';

/** The VAD's first voiced window, and the event of a key, come a little after the sound began. */
const HEARD_BEFORE_MS = 200;

export interface WorkerSessionOptions {
  clock: Clock;
  rtpTimeoutMs: Ms;
  consentTimeoutMs: Ms;
  vad: VadBatch;
  /** Shared by all sessions of the worker. */
  searches: SearchBudget;
  /** Where this session keeps what another worker would need, and where it finds what another has left. */
  continuity: Continuity;
  /** As MediaLineOptions.udp. */
  udp: SystemUdp | undefined;
  /** The worker gets on with its work, if slowly. */
  alive(): void;
  /** What a datagram did is this call's fault, not the worker's. */
  failed(error: unknown): void;
  raise(event: MediaEvent): void;
  /** A datagram of DTLS, for who agrees on keys. */
  dtls(data: Uint8Array, address: string, port: number): void;
  warn(message: string): void;
}

/** One call inside the media worker: its socket and everything between wire, VAD, recogniser, playout and recording. */
export class WorkerSession implements Voices {
  readonly playout: PlayoutDesk;
  /** Of the tick that runs. */
  said: Pcm | undefined;
  readonly #options: WorkerSessionOptions;
  readonly #inbound: InboundAudio;
  readonly #outbound: OutboundAudio;
  readonly #speech: CallerSpeech;
  readonly #out = int16s(FRAME_SAMPLES);
  readonly #sound = new LoopedSound();
  readonly #mix = new Mix();
  #caller: Pcm | undefined;
  #recorder: Recorder | undefined;
  /** These two hold for a recording that is still to begin, too. */
  #masked = false;
  #paused = false;
  readonly line: MediaLine;
  #tones: ToneDetector | undefined;
  readonly #keys: FarKeys;
  #remote: RemoteAudio | undefined;
  /** Another worker's last tick, until this one goes on in its place. */
  #resumesFrom: Ms | undefined;
  #closing: Promise<MediaReport> | undefined;

  constructor(options: WorkerSessionOptions) {
    this.#options = options;
    const { raise, clock } = options;
    this.#keys = new FarKeys({
      raise,
      silenceArrived: (from, to) => this.silence(from, to),
      silenceTaken: (from, to) => this.#recorder?.silence(from, to),
    });
    this.#inbound = new InboundAudio(
      options.rtpTimeoutMs,
      {
        started: (at, from) => {
          this.line.aim();
          raise({ type: 'rtp-started', at, from });
        },
        keyDown: (at, digit, durationMs) => this.#keys.down(at, digit, durationMs),
        keyUp: (at, digit, durationMs) => this.#keys.up(at, digit, durationMs),
        timeout: (at, silentMs) => raise({ type: 'rtp-timeout', at, silentMs }),
      },
      options.consentTimeoutMs,
    );
    const { continuity } = options;
    if (continuity.at > 0) this.#resumesFrom = continuity.at;
    this.#outbound = new OutboundAudio(
      (packet) => this.line.send(packet),
      this.#resumesFrom ? continuity.rtp : undefined,
    );
    this.line = new MediaLine({ ...options, inbound: this.#inbound, outbound: this.#outbound });
    this.#inbound.digits.resume(continuity.digitTimestamp);
    this.playout = new PlayoutDesk((at, turn) => raise({ type: 'playout-started', at, turn }), clock);
    const { vad, searches } = options;
    this.#speech = new CallerSpeech({ vad, searches, playout: this.playout, now: () => clock.now(), raise });
    this.#speech.resume(continuity.segment);
  }

  /** As MediaLine.bind. */
  bind(address: string, port: number): Promise<number> {
    return this.line.bind(address, port);
  }

  connect(remote: RemoteAudio, source?: { address: string; port: number }): void {
    const now = this.#options.clock.now();
    this.#remote = remote;
    this.#keys.asEvents = remote.keysAs !== undefined;
    this.#inbound.connect(remote, now);
    if (source) this.#inbound.source.lock(source.address, source.port);
    this.#outbound.connect(remote);
    if (this.#resumesFrom !== undefined) {
      this.#outbound.skip(Math.max(0, Math.round((now - this.#resumesFrom) / FRAME_MS) - 1));
      if (remote.security) this.#outbound.leap(SRTP_MARGIN);
      this.#resumesFrom = undefined;
    }
    this.line.connect(remote);
  }

  listen(port: MessagePort): void {
    this.#speech.listen(port);
  }

  /** As CallerSpeech.endSegment. */
  endSegment(): void {
    this.#speech.endSegment();
  }

  arm(armed: boolean): void {
    this.#speech.arm(armed);
  }

  record(spec: RecordingSpec): void {
    if (this.#recorder || this.#closing) return;
    const { clock, raise } = this.#options;
    const failed = (message: string) => raise({ type: 'recording-failed', at: clock.now(), message });
    this.#recorder = new Recorder(spec, failed);
    this.#recorder.masked = this.#masked;
    this.#recorder.paused = this.#paused;
    if (this.#resumesFrom === undefined || this.#recorder.frames === 0) return;
    // Another worker's recording goes on behind the gap, so that the channels stay where they were in time.
    this.#recorder.skip(Math.round((clock.now() - this.#resumesFrom) / FRAME_MS));
  }

  mask(masked: boolean, since?: Ms): void {
    this.#masked = masked;
    if (this.#recorder) this.#recorder.masked = masked;
    if (since !== undefined) this.silence(since, this.#options.clock.now());
  }

  /** What the caller said then is taken out of the recording. It is recorded a little later than it was heard. */
  silence(from: Ms, to: Ms): void {
    this.#recorder?.silence(from - HEARD_BEFORE_MS, to + this.#inbound.stats(0).jitterBufferMs + HEARD_BEFORE_MS);
  }

  discardRecording(): void {
    void this.#recorder?.discard().catch((error: Error) => this.#options.warn(`a recording stays: ${error.message}`));
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (this.#recorder) this.#recorder.paused = paused;
  }

  press(digit: string, durationMs: Ms): void {
    this.#outbound.press(digit, durationMs);
  }

  watchTones(watched: boolean): void {
    this.#tones = watched ? (this.#tones ?? new ToneDetector()) : undefined;
  }

  /** What the far end says in this tick, as others may hear it. */
  get spoken(): Pcm | undefined {
    return this.#masked ? undefined : this.#caller;
  }

  /** Whom it hears, from the next frame on. */
  hear(parts: readonly HearingPart<Voices>[]): void {
    this.#mix.set(parts);
  }

  /** It hears somebody, or did until this frame. */
  get hearing(): boolean {
    return !this.#mix.empty;
  }

  loop(sound: Pcm | undefined): void {
    this.#sound.play(sound);
  }

  /**
   * The first half of a frame of time, some milliseconds before the tick, so that packets leave at it one close behind the
   * other: what has arrived until `at`, and what the far end says.
   */
  take(at: Ms): void {
    this.line.receive(MOST_AT_ONCE);
    if (this.#remote === undefined) return;
    const caller = this.#inbound.frame(at);
    this.#caller = caller;
    const tone = this.#tones?.push(caller, at);
    if (tone) this.#options.raise({ type: 'tone', ...tone });
    this.#keys.hear(caller, at);
    if (!this.#remote.send) return;
    this.#inbound.early.pass(at);
    this.#inbound.early.drain(this.#speech.hear);
    this.#speech.take(caller, this.#inbound.frameAt);
  }

  /** At the tick, when all have taken: what is said to the far end. `due`: the tick's deadline. */
  pull(due: Ms): void {
    this.#speech.pass();
    this.said = this.#outbound.sending ? this.#sound.pull(this.playout.pull(this.#out, due), this.#out) : undefined;
  }

  /**
   * ... and, when all that hear each other have pulled: it is sent, with what this leg hears of the others. True when `after`
   * is to be called.
   */
  give(due: Ms): boolean {
    if (this.#remote === undefined) return false;
    const heard = this.#mix.frame(this.said);
    this.#outbound.frame(heard);
    // At once: should the thread die now, its successor must know that this packet has left.
    this.#keep(due);
    this.#speech.sent(heard);
    return this.#recorder?.push(this.#caller, this.#outbound.sending ? heard : undefined, due) ?? false;
  }

  skipped(frames: number): void {
    if (this.#remote === undefined) return;
    this.#outbound.skip(frames);
    this.#speech.skip();
    this.#recorder?.skip(frames);
  }

  /** When the packets of all calls have left. */
  after(): void {
    this.#recorder?.handOn();
  }

  /** About once a second. */
  watch(now: Ms): void {
    this.#inbound.watch(now);
    this.line.watch(now);
    this.#options.continuity.count(this.#counted());
  }

  stats(): MediaStats {
    const remote = this.#remote;
    const counted = this.#counted();
    if (remote) {
      counted.codec = remote.codec;
      if (remote.security) {
        const { profile, counts } = this.line.srtp;
        counted.srtp = { by: remote.security.by, ...(profile === undefined ? {} : { profile }), ...counts };
      }
      counted.quality = lineQuality(
        counted,
        remote.ptimeMs,
        this.line.rtcp.session,
        this.#inbound.jitter.bursts.pattern,
      );
    }
    return { ...counted, ...this.#speech.stats() };
  }

  /** With what workers before this one counted. */
  #counted(): MediaStats {
    const counted: MediaStats = this.#options.continuity.total(this.#inbound.stats(this.#outbound.sent));
    counted.packetsRefused += this.line.rtcp.refused;
    return counted;
  }

  /** Idempotent; the report waits for the recording to be on disk. `moving`: another worker goes on with it. */
  close(moving = false): Promise<MediaReport> {
    this.#closing ??= this.#close(moving);
    return this.#closing;
  }

  async #close(moving: boolean): Promise<MediaReport> {
    this.#speech.close();
    this.playout.close();
    this.#outbound.close();
    await this.line.close(moving);
    const recording = await (moving ? this.#recorder?.leave() : this.#recorder?.close());
    this.#inbound.close();
    const report: MediaReport = this.stats();
    if (recording) {
      const { path, durationMs, bytes } = recording;
      report.recording = { path, durationMs, bytes };
      if (recording.droppedSeconds > 0) {
        this.#options.warn(`the disk was too slow: ${recording.droppedSeconds} s of a recording are silence`);
      }
    }
    return report;
  }

  #keep(at: Ms): void {
    const { continuity } = this.#options;
    const account = this.playout.queue.account;
    if (account) continuity.turn(account.id, account.sent, account.firstSentAt, account.lastSentAt);
    const { position } = this.#outbound;
    const { carried } = this.line.srtp;
    if (carried) continuity.secured(carried);
    continuity.tick(at, position, this.#speech.segment, this.#inbound.digits.timestamp);
  }
}
