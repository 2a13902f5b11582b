import type { MessagePort } from 'node:worker_threads';
import type { Ms } from '../core/clock.ts';
import type { CallId, TurnId } from '../core/ids.ts';
import type { Pcm } from './audio.ts';
import type { CodecName } from './codecs/codec.ts';
import type { Fingerprint } from './dtls/fingerprint.ts';
import type { IceCredentials } from './ice/ice-lite.ts';
import type { LegSide } from './outbound/hearing.ts';
import type { Seal } from './recording/sealed-file.ts';
import type { VoipMetrics } from './rtp/rtcp-xr.ts';
import type { SrtpProfileName } from './srtp/profiles.ts';
import type { SrtpCounts, SrtpKeys } from './srtp/srtp-line.ts';

/** The control plane's view of the media plane. Implemented by media-engine.ts over worker threads. */
export interface MediaEngine {
  /** Reserves a port and a place in a worker. Rejects with Failure sipStatus 503 when ports or workers run out. */
  open(options: MediaSessionOptions): Promise<MediaSession>;
  /**
   * Moves a session into the worker of another, so that the two can hear each other: in the same RTP stream, with a gap
   * of some tens of milliseconds. What is being said in it is cut. Nothing happens where they are together already.
   * Rejects with Failure sipStatus 503 when that worker is full or either session is over.
   */
  bring(session: MediaSession, beside: MediaSession): Promise<void>;
  stats(): Promise<MediaEngineStats>;
  close(): Promise<void>;
}

export interface MediaSessionOptions {
  call: CallId;
  /** Address to bind, e.g. 127.0.0.1 or 0.0.0.0. */
  bindAddress: string;
  /** Called on the main thread, in order. Must not throw and must not block. */
  onEvent(event: MediaEvent): void;
  /** No RTP for this long (after the first connect) raises rtp-timeout, once per silence. Default 20 000. */
  rtpTimeoutMs?: Ms;
  /** The same of a peer that speaks ICE, whose checks count as RTP does (RFC 7675: one every 5 s). Default: as rtpTimeoutMs. */
  consentTimeoutMs?: Ms;
  /** In the same worker as this one, so that each can hear the other. 503 when that worker is full. */
  beside?: MediaSession;
}

/** What was negotiated: where to send and how. Given at answer time and again at each re-negotiation. */
export interface RemoteAudio {
  address: string;
  port: number;
  /** What we send, and under which number. */
  codec: CodecName;
  payloadType: number;
  /** What the peer asked of our encoder: the value of its a=fmtp. */
  format?: string;
  /** What the peer may send besides: numbers differ in the two directions when we made the offer (RFC 3264 6.1). */
  accepts?: { payloadType: number; codec: CodecName }[];
  /** RFC 4733; durations are in units of the clock rate. */
  telephoneEvents?: { payloadType: number; clockRate: number }[];
  /** How the peer takes keys of ours (RFC 4733). Absent: not as events, and it sends none either. */
  keysAs?: { payloadType: number; clockRate: number };
  /** RFC 3389. */
  comfortNoisePayloadType?: number;
  /** Silence of ours is sent so, not as packets of silence. */
  suppressSilence?: boolean;
  /**
   * Where RTCP goes; `mux`: RTP and RTCP share a port (RFC 5761); `voipMetrics`: the peer wants those in extended reports
   * (RFC 3611). Absent: no RTCP.
   */
  rtcp?: { address: string; port: number; mux: boolean; voipMetrics?: boolean };
  /** Milliseconds per packet we send: 20 unless the peer asked otherwise (10..60). */
  ptimeMs: number;
  /** From our side: do we send, do we listen. Hold is send: false. */
  send: boolean;
  receive: boolean;
  /** Absent: in the clear. A session that had it once never goes back. */
  security?: AudioSecurity;
  /** The peer finds the way by ICE: where it is, its checks say. */
  ice?: IceCredentials;
}

/**
 * How RTP and RTCP are kept from others: by keys that stood in the signalling (SDES, RFC 4568), or by a handshake with who
 * has one of the certificates that did (DTLS-SRTP, RFC 5763). `role`: ours.
 */
export type AudioSecurity =
  | { by: 'sdes'; keys: SrtpKeys }
  | { by: 'dtls'; role: 'active' | 'passive'; fingerprints: Fingerprint[] };

export interface MediaSession {
  readonly call: CallId;
  readonly localPort: number;
  /** Of our certificate for DTLS; undefined: no DTLS here. */
  readonly fingerprint: Fingerprint | undefined;
  readonly playout: Playout;
  connect(remote: RemoteAudio): void;
  /**
   * Caller audio for recognition. The worker posts ListenMessage on `port` (transferred to it); from speech start,
   * with pre-roll, through pauses, until endSegment or 3 s after speech has ended.
   */
  listen(port: MessagePort): void;
  /** Ends the running segment: the worker posts `segment-end` on the listen port behind the segment's last audio. */
  endSegment(): void;
  /**
   * Armed: at the first voiced window while the bot plays the worker pauses the playout, within one frame. When speech
   * is confirmed some 30 ms later `barge-in` is raised, and the control plane calls playout.resume or playout.cut; when
   * not, the worker resumes by itself and nobody hears of it. Disarmed: the bot plays on.
   */
  armBargeIn(armed: boolean): void;
  /**
   * Starts the stereo recording (left caller, right bot). It reaches the disk some seconds later, and can be silenced
   * until then. A disk error raises recording-failed and never stops the call.
   */
  record(path: string, options?: RecordingOptions): void;
  /**
   * While true the caller's channel of the recording is silence, and nobody else hears what is spoken (a secret).
   * `since`: it began then, in the past.
   */
  maskRecording(masked: boolean, since?: Ms): void;
  /** What the caller said from one moment to another is taken out of the recording, as far as it is not on disk yet. */
  silenceRecording(from: Ms, to: Ms): void;
  /** Nothing of the recording is to be kept: it ends, and its file goes. */
  discardRecording(): void;
  /** While true both channels are silence. */
  pauseRecording(paused: boolean): void;
  /**
   * What the far end is sent besides its own playout: the mix of these, and of nothing else any more. Sample-exact on the
   * worker's tick, without a buffer. Sources must be in this session's worker (MediaSessionOptions.beside,
   * MediaEngine.bring); one that is elsewhere, or closed, is silent. Nobody hears themselves, see hearing.ts.
   */
  hear(sources: readonly HeardSource[]): void;
  /**
   * A sound that goes round while nothing is said: hold music, a ringing tone. Undefined stops it within one frame. Give
   * it in shared memory (sharedSound in hold-music.ts) and no copy is made.
   */
  loop(sound: Pcm | undefined): void;
  /** Presses a key towards the far end, as a telephone event that lasts this long. False: the far end takes none. */
  press(digit: string, durationMs: Ms): boolean;
  /** While true, beeps of the far end are told as `tone` events. */
  watchTones(watched: boolean): void;
  stats(): Promise<MediaStats>;
  /** Idempotent. The port rests before it is used again. */
  close(): Promise<MediaReport>;
}

export interface RecordingOptions {
  /** Undefined: a plain WAV file. */
  seal?: Seal | undefined;
  /** How long audio waits in memory before it is written (32 kB a second). Default 6. */
  delaySeconds?: number | undefined;
}

/** Another leg, as one hears it: what its far end speaks, or all that its far end hears. */
export interface HeardSource {
  of: MediaSession;
  side: LegSide;
  /** Factor, default 1. */
  gain?: number;
}

/**
 * What the caller hears. Every chunk belongs to a turn; a chunk of any turn but the current one is refused here, in
 * one place, so no stale syllable is ever sent.
 */
export interface Playout {
  /** Makes `turn` the current one; whatever was queued of the previous one is cut. */
  begin(turn: TurnId): void;
  /**
   * Queues audio with the words it carries; transfers the buffer. Resolves true when there is room for more
   * (at most 10 s are kept ahead), false when the turn is no longer current.
   */
  write(turn: TurnId, chunk: SpokenChunk): Promise<boolean>;
  /** No more audio for this turn. Resolves when the last frame was sent or the turn was cut. */
  finish(turn: TurnId): Promise<Heard>;
  /** Goes on from the very sample it stopped at. */
  resume(turn: TurnId): void;
  /** Drops the rest; resolves with what was heard. Cutting a turn that is not current is harmless. */
  cut(turn: TurnId): Promise<Heard>;
}

/** Audio with the words in it, for the heard ledger. Times are ms from the chunk's start. */
export interface SpokenChunk {
  pcm: Pcm;
  words: SpokenWord[];
}

export interface SpokenWord {
  text: string;
  startMs: Ms;
  endMs: Ms;
}

/** What was sent of a turn. A word counts as heard when at least half of it was sent. */
export interface Heard {
  turn: TurnId;
  /** The words heard, joined by single spaces, as written in SpokenWord.text. */
  text: string;
  playedMs: Ms;
  /** True when everything written was sent. */
  complete: boolean;
  firstSentAt?: Ms;
  lastSentAt?: Ms;
  /** The last packet with sound, the fading end of a pause included; for how soon the bot fell silent. */
  lastSoundAt?: Ms;
}

/** Raised by the worker towards the control plane. `at` is monotonic ms. */
export type MediaEvent =
  /** First packet from the peer; the symmetric-RTP lock is set. */
  | { type: 'rtp-started'; at: Ms; from: string }
  /** `at`: the first voiced window, so a little in the past. */
  | { type: 'speech-start'; at: Ms; segment: number }
  /**
   * Nobody has spoken since `at`, too short a time for a pause, so perhaps within a word: what may be over can be made ready
   * for. Speech goes on without another event, or `speech-end` follows.
   */
  | { type: 'speech-lull'; at: Ms; segment: number }
  /** `at`: the end of the last voiced window; raised after the VAD's hang-over. */
  | { type: 'speech-end'; at: Ms; segment: number }
  /**
   * Playout paused because the caller speaks; `heard` is what was sent up to the pause. `at`: the first voiced window,
   * or the moment of arming when the caller was speaking over the bot already. `echoes`: on this line
   * the bot has been heard coming back, so the voice may be its own.
   */
  | { type: 'barge-in'; at: Ms; turn: TurnId; heard: Heard; echoes: boolean }
  /** First packet with sound of a turn has left. */
  | { type: 'playout-started'; at: Ms; turn: TurnId }
  /**
   * A key was pressed: told at once. `tone`: heard as a tone, from a peer that has not said that it sends events; whoever
   * hears the audio hears it too.
   */
  | { type: 'dtmf'; at: Ms; digit: string; durationMs: Ms; tone?: true }
  /** And let go; `durationMs` in all. */
  | { type: 'dtmf-end'; at: Ms; digit: string; durationMs: Ms; tone?: true }
  /** A steady tone of one frequency has ended, `at`. */
  | { type: 'tone'; at: Ms; hz: number; durationMs: Ms }
  | { type: 'rtp-timeout'; at: Ms; silentMs: Ms }
  | { type: 'recording-failed'; at: Ms; message: string }
  /**
   * The worker that carried this call died, and another goes on: on the same port, in the same RTP stream, from the word
   * that was being said. `listen` is to be called again. What the caller said for `gapMs` was not heard;
   * `recordingLostMs` before it had not reached the disk, and are silence in the recording as the gap is.
   */
  | { type: 'media-interrupted'; at: Ms; gapMs: Ms; recordingLostMs: Ms; message: string }
  /**
   * The worker that carried this call died, and no other could go on; or there is no agreement on keys. The session is of
   * no more use.
   */
  | { type: 'media-failed'; at: Ms; message: string };

/** On the listen port, worker -> recogniser, in order. */
export type ListenMessage =
  | { type: 'segment-start'; segment: number; at: Ms }
  /** 20 ms of caller audio, or more at once for the pre-roll. */
  | { type: 'audio'; segment: number; at: Ms; pcm: Int16Array }
  /** Nobody has spoken since `at`; `pause` follows, or speech goes on. */
  | { type: 'lull'; segment: number; at: Ms }
  /** The caller has fallen silent; the segment is open still, and may go on. `at`: end of the last voiced window. */
  | { type: 'pause'; segment: number; at: Ms }
  /** Behind a pause: the caller goes on, since `at`. */
  | { type: 'resume'; segment: number; at: Ms }
  | { type: 'segment-end'; segment: number; at: Ms };

export interface MediaStats {
  /** What we sent last. */
  codec?: CodecName;
  quality?: LineQuality;
  packetsReceived: number;
  packetsLost: number;
  packetsLate: number;
  packetsDuplicated: number;
  /** Dropped because they came from elsewhere than the locked source, or were no RTP. */
  packetsRefused: number;
  packetsSent: number;
  concealedFrames: number;
  /** Lost packets that were heard out of the redundancy of those behind them (Opus). */
  recoveredFrames?: number;
  /** Of an encrypted call; what it refused counts in packetsRefused too. */
  srtp?: SrtpCounts & { by: AudioSecurity['by']; profile?: SrtpProfileName };
  /** RFC 3550 interarrival jitter, ms. */
  jitterMs: number;
  jitterBufferMs: number;
  /** Times the bot fell silent for a sound that was no speech, and went on by itself. */
  falseDucks?: number;
  /** Frames of the caller's that were nothing but the bot's echo, and where it comes from when there is any. */
  echoFrames?: number;
  echoPath?: { lagMs: Ms; gainDb: number };
  /** Times this call's VAD state was reset because a voice went unheard. */
  vadResets?: number;
  /** Windows the VAD was too slow for. */
  vadDropped?: number;
}

/** How good the line was: `caller` is what we heard, `bot` what the far end says it got. What is not known is left out. */
export interface LineQuality {
  /** RTCP reports. */
  reportsSent: number;
  reportsReceived: number;
  roundTripMs?: Ms;
  /** Share of packets lost or too late to be played, 0 to 1. */
  callerLoss?: number;
  /** Estimated mean opinion score, 1 to 4.4: see call-quality.ts. */
  callerMos?: number;
  /** How the losses of a caller lay, when some lay together: shares lost within bursts and between, mean lengths. */
  callerBursts?: { burstDensity: number; burstMs: Ms; gapDensity: number; gapMs: Ms };
  botLoss?: number;
  botJitterMs?: Ms;
  botMos?: number;
  /** What the far end measured of the bot itself and told in extended reports (RFC 3611). */
  botMeasured?: Omit<VoipMetrics, 'ssrc' | 'gmin'>;
}

export interface MediaReport extends MediaStats {
  /** Times its worker died and another went on, and how long nobody carried the call. */
  interruptions?: number;
  interruptedMs?: Ms;
  recording?: { path: string; durationMs: Ms; bytes: number };
}

export interface MediaEngineStats {
  sessions: number;
  /** Workers that died and were replaced. */
  workerRestarts?: number;
  portsFree: number;
  /** Worst lateness of a pacer tick in the last 10 s, ms, per worker. */
  pacerLatenessMs: number[];
  /** Distribution of all ticks' lateness in the last 10 to 20 s, per worker that lives. */
  tickLateness?: { ticks: number; p50Ms: Ms; p99Ms: Ms; maxMs: Ms }[];
  /** VAD engines replaced because they failed, hung or had gone deaf, per worker. */
  vadRestarts?: number[];
}
