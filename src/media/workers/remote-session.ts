import type { MessagePort } from 'node:worker_threads';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import type { Pcm } from '../audio.ts';
import type { Fingerprint } from '../dtls/fingerprint.ts';
import type { DtlsIdentity } from '../dtls/identity.ts';
import type { HearingSource } from '../outbound/hearing.ts';
import { RemotePlayout } from '../outbound/remote-playout.ts';
import type {
  HeardSource,
  MediaEvent,
  MediaReport,
  MediaSession,
  MediaSessionOptions,
  MediaStats,
  RecordingOptions,
  RemoteAudio,
} from '../ports.ts';
import { completeRecording, lostMs } from '../recording/recorder.ts';
import { RecordingBuffer } from '../recording/recording-buffer.ts';
import type { RecordingSpec } from '../recording/recording-sink.ts';
import type { Seal } from '../recording/sealed-file.ts';
import { KeyAgreement } from '../sdp/key-agreement.ts';
import { Continuity } from './continuity.ts';
import { GONE, SessionLine } from './session-line.ts';
import type { WorkerLink } from './worker-link.ts';
import type { SessionNumber } from './worker-protocol.ts';

const NO_STATS: Omit<MediaStats, keyof ReturnType<Continuity['counters']>> = { jitterMs: 0, jitterBufferMs: 0 };
const DEFAULT_RTP_TIMEOUT_MS = 20_000;
/** The dead thread's socket may be a moment in closing. */
const BIND_TRIES = 10;
const BIND_AGAIN_MS = 50;
const DELAY_SECONDS = 6;

/**
 * A session as the control plane holds it: every method is a message to the worker. Keeps what it was told, so that
 * another worker can go on when this one dies. Nothing here throws when the worker has died or the session is closed;
 * writers are told "not current", and what was heard is known from the last tick.
 */
export class RemoteSession implements MediaSession {
  readonly call: CallId;
  readonly playout: RemotePlayout;
  readonly #options: MediaSessionOptions;
  readonly #line: SessionLine;
  readonly #continuity = new Continuity();
  readonly #onClosed: () => void;
  #port = 0;
  #remote: RemoteAudio | undefined;
  /** Where the caller's packets come from, once locked. */
  #source: { address: string; port: number } | undefined;
  #armed = false;
  #masked = false;
  #paused = false;
  #recording: RecordingSpec | undefined;
  /** Asked for before it was known what there is to record. */
  #toRecord: { path: string; seal: Seal | undefined; delaySeconds: number } | undefined;
  #watchesTones = false;
  #sources: HearingSource<SessionNumber>[] = [];
  #sound: Pcm | undefined;
  /** Speech that has started and not ended, as far as the control plane knows. */
  #speech: number | undefined;
  /** The last one told. */
  #segment = 0;
  #interruptions = 0;
  #interruptedMs = 0;
  #closing: Promise<MediaReport> | undefined;

  readonly fingerprint: Fingerprint | undefined;
  readonly #keys: KeyAgreement;

  constructor(
    session: SessionNumber,
    options: MediaSessionOptions,
    link: WorkerLink,
    onClosed: () => void,
    identity?: DtlsIdentity,
  ) {
    this.call = options.call;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#line = new SessionLine(session, link);
    this.fingerprint = identity?.fingerprint;
    this.#keys = new KeyAgreement(
      identity,
      (request) => this.#line.tell(request),
      ({ message }) => options.onEvent({ type: 'media-failed', at: monotonicNow(), message }),
    );
    this.playout = new RemotePlayout(this.#line, this.#continuity);
  }

  get number(): SessionNumber {
    return this.#line.session;
  }

  get localPort(): number {
    return this.#port;
  }

  /** Binds; 0 is any port. Rejects with Failure when the worker refuses (code EADDRINUSE) or dies. */
  async bind(link: WorkerLink, port: number): Promise<void> {
    const { rtpTimeoutMs = DEFAULT_RTP_TIMEOUT_MS, consentTimeoutMs = rtpTimeoutMs } = this.#options;
    const answer = await link.ask({
      type: 'open',
      session: this.#line.session,
      bindAddress: this.#options.bindAddress,
      port,
      rtpTimeoutMs,
      consentTimeoutMs,
      continuity: this.#continuity.shared,
    });
    this.#port = (answer as { port: number }).port;
  }

  connect(remote: RemoteAudio): void {
    const before = this.#remote;
    if (before?.address !== remote.address || before.port !== remote.port) this.#source = undefined;
    this.#remote = remote;
    this.#line.tell({ type: 'connect', remote, record: this.#recordingFor(remote) });
    this.#keys.connect(remote);
  }

  listen(port: MessagePort): void {
    this.#line.tell({ type: 'listen', port }, [port]);
  }

  endSegment(): void {
    this.#line.tell({ type: 'end-segment' });
  }

  armBargeIn(armed: boolean): void {
    this.#armed = armed;
    this.#line.tell({ type: 'arm', armed });
  }

  record(path: string, { seal, delaySeconds = DELAY_SECONDS }: RecordingOptions = {}): void {
    if (this.#recording) return;
    this.#toRecord = { path, seal, delaySeconds };
    const spec = this.#remote && this.#recordingFor(this.#remote);
    if (spec) this.#line.tell({ type: 'record', spec });
  }

  maskRecording(masked: boolean, since?: Ms): void {
    this.#masked = masked;
    this.#line.tell({ type: 'mask', masked, since });
  }

  silenceRecording(from: Ms, to: Ms): void {
    this.#line.tell({ type: 'silence', from, to });
  }

  discardRecording(): void {
    this.#recording = undefined;
    this.#toRecord = undefined;
    this.#line.tell({ type: 'discard-recording' });
  }

  pauseRecording(paused: boolean): void {
    this.#paused = paused;
    this.#line.tell({ type: 'pause-recording', paused });
  }

  press(digit: string, durationMs: Ms): boolean {
    if (this.#remote?.keysAs === undefined || !this.#remote.send) return false;
    this.#line.tell({ type: 'press', digit, durationMs });
    return true;
  }

  watchTones(watched: boolean): void {
    this.#watchesTones = watched;
    this.#line.tell({ type: 'watch-tones', watched });
  }

  hear(sources: readonly HeardSource[]): void {
    this.#sources = sources.map(({ of, side, gain = 1 }) => {
      if (!(of instanceof RemoteSession)) throw new TypeError('a session of another media engine cannot be heard');
      return { of: of.#line.session, side, gain };
    });
    this.#line.tell({ type: 'hear', sources: this.#sources });
  }

  loop(sound: Pcm | undefined): void {
    this.#sound = sound;
    this.#line.tell({ type: 'loop', sound });
  }

  async stats(): Promise<MediaStats> {
    const answer = await this.#line.ask({ type: 'stats' });
    return answer === GONE || answer === undefined ? this.#lastStats() : (answer as MediaStats);
  }

  close(): Promise<MediaReport> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  receiveDtls(data: Uint8Array, from: { address: string; port: number }): void {
    this.#keys.receive(data, from);
  }

  /** Every event passes by here before the control plane has it. */
  note(event: MediaEvent): void {
    switch (event.type) {
      case 'rtp-started': {
        const colon = event.from.lastIndexOf(':');
        this.#source = { address: event.from.slice(0, colon), port: Number(event.from.slice(colon + 1)) };
        break;
      }
      case 'speech-start':
        this.#speech = event.segment;
        this.#segment = event.segment;
        break;
      case 'speech-end':
        if (event.segment === this.#speech) this.#speech = undefined;
        break;
      case 'barge-in':
        this.playout.paused(event.turn);
        break;
      case 'recording-failed':
        this.#recording = undefined;
    }
  }

  // --- when its worker dies --------------------------------------------------------------------------------------

  get interrupted(): boolean {
    return this.#line.state === 'interrupted';
  }

  /** Its worker is gone. */
  interrupt(): void {
    this.#line.interrupt();
  }

  /** Nobody will carry it any more. */
  lose(): void {
    this.#line.lose();
  }

  /**
   * Goes on in another worker, on the same port and in the same stream. Resolves with what the control plane is to be
   * told; rejects when that worker refuses or dies too.
   */
  async reopen(link: WorkerLink, cause: string): Promise<MediaEvent[]> {
    const recordingLostMs = this.#recording === undefined ? 0 : lostMs(this.#recording);
    // It may have begun and been told between the last tick and the end: its number is never used again.
    this.#continuity.atLeastSegment(this.#segment);
    await this.#bindAgain(link);
    const at = monotonicNow();
    const since = this.#continuity.at;
    const gapMs = since === 0 ? 0 : at - since;
    this.#interruptions++;
    this.#interruptedMs += gapMs;
    this.#line.restore(link);
    this.#line.tell({ type: 'mask', masked: this.#masked });
    if (this.#watchesTones) this.#line.tell({ type: 'watch-tones', watched: true });
    this.#line.tell({ type: 'arm', armed: this.#armed });
    this.#line.tell({ type: 'pause-recording', paused: this.#paused });
    if (this.#recording !== undefined) this.#line.tell({ type: 'record', spec: this.#recording });
    if (this.#remote) this.#line.tell({ type: 'connect', remote: this.#remote, source: this.#source });
    this.#keys.restore();
    this.playout.restore();
    if (this.#sources.length > 0) this.#line.tell({ type: 'hear', sources: this.#sources });
    if (this.#sound !== undefined) this.#line.tell({ type: 'loop', sound: this.#sound });
    const events: MediaEvent[] = [];
    if (this.#speech !== undefined) events.push({ type: 'speech-end', at, segment: this.#speech });
    this.#speech = undefined;
    events.push({ type: 'media-interrupted', at, gapMs, recordingLostMs, message: cause });
    return events;
  }

  /** Goes on in another worker although its own lives; as `reopen`. */
  async move(link: WorkerLink): Promise<MediaEvent[]> {
    const from = this.#line.link;
    this.interrupt();
    await from.ask({ type: 'close', session: this.#line.session, moving: true }).catch(() => undefined);
    return this.reopen(link, 'moved to the media worker of another call');
  }

  async #bindAgain(link: WorkerLink): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.bind(link, this.#port);
      } catch (error) {
        const taken = error instanceof Failure && error.code === 'EADDRINUSE';
        if (!taken || tries === BIND_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, BIND_AGAIN_MS));
      }
    }
  }

  /** What begins now, if it was asked for before: nothing was heard or sent until now, so nothing is missed. */
  #recordingFor({ codec }: RemoteAudio): RecordingSpec | undefined {
    if (this.#toRecord === undefined) return undefined;
    const { path, seal, delaySeconds } = this.#toRecord;
    this.#toRecord = undefined;
    const form = codec === 'PCMU' || codec === 'PCMA' ? 'companded' : 'linear';
    this.#recording = { path, seal, buffer: RecordingBuffer.memory(delaySeconds, form) };
    return this.#recording;
  }

  #lastStats(): MediaStats {
    return { ...NO_STATS, ...this.#continuity.counters() };
  }

  async #close(): Promise<MediaReport> {
    this.#keys.close();
    const told = (await this.#line.askUntilAnswered({ type: 'close' })) as string | undefined;
    const report = told === undefined ? undefined : (JSON.parse(told) as MediaReport);
    this.#onClosed();
    const result: MediaReport = report ?? this.#lastStats();
    // A worker that was given up for dead may come round and write on.
    if (report !== undefined && this.#recording !== undefined) {
      if (this.#interruptions === 0) RecordingBuffer.recycle(this.#recording.buffer);
    } else if (this.#recording !== undefined) {
      const recording = await completeRecording(this.#recording);
      if (recording) result.recording = recording;
    }
    if (this.#interruptions === 0) return result;
    return { ...result, interruptions: this.#interruptions, interruptedMs: Math.round(this.#interruptedMs) };
  }
}
