import type { MessagePort } from 'node:worker_threads';
import type { Ms } from '../../core/clock.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Pcm } from '../audio.ts';
import type { HearingSource } from '../outbound/hearing.ts';
import type { TickLateness } from '../outbound/lateness.ts';
import type { RestoredTurn } from '../outbound/playout-queue.ts';
import type { Heard, MediaEvent, MediaStats, RemoteAudio, SpokenChunk } from '../ports.ts';
import type { RecordingSpec } from '../recording/recording-sink.ts';
import type { SrtpKeys } from '../srtp/srtp-line.ts';
import type { Scheduling } from './real-time.ts';

/** Which VAD the worker loads: a module that exports createVadEngine (vad.ts). */
export interface VadChoice {
  /** URL of the module. */
  module: string;
  /** Passed to createVadEngine; structured-cloneable. */
  options?: unknown;
}

/** RTP by the system's own calls where they can be had (system-sockets.ts), or by Node's dgram. */
export type UdpChoice = 'system' | 'node';

export interface MediaWorkerData {
  vad: VadChoice | undefined;
  udp: UdpChoice;
  /** As far as it is allowed. */
  scheduling: Scheduling;
  /** See WorkerPulse. */
  pulse: SharedArrayBuffer;
}

/** Names one session for its whole life; never used again, so messages that come late hit nobody else. */
export type SessionNumber = number;

/** Main thread -> worker. `id` asks for a Reply with the same id. */
export type WorkerRequest =
  | {
      type: 'open';
      id: number;
      session: SessionNumber;
      bindAddress: string;
      port: number;
      rtpTimeoutMs: Ms;
      consentTimeoutMs: Ms;
      /** Of a Continuity: empty, or what another worker left. */
      continuity: SharedArrayBuffer;
    }
  /** `source`: where the caller's packets are known to come from already. `record`: what begins with it. */
  | {
      type: 'connect';
      session: SessionNumber;
      remote: RemoteAudio;
      source?: { address: string; port: number } | undefined;
      record?: RecordingSpec | undefined;
    }
  /** Of DTLS, for a session whose description asked for it. */
  | { type: 'keys'; session: SessionNumber; keys: SrtpKeys }
  /** A datagram of DTLS; `to` undefined: wherever the peer is. */
  | { type: 'send'; session: SessionNumber; data: Uint8Array; to: { address: string; port: number } | undefined }
  | { type: 'listen'; session: SessionNumber; port: MessagePort }
  | { type: 'end-segment'; session: SessionNumber }
  | { type: 'arm'; session: SessionNumber; armed: boolean }
  | { type: 'record'; session: SessionNumber; spec: RecordingSpec }
  | { type: 'mask'; session: SessionNumber; masked: boolean; since?: Ms | undefined }
  | { type: 'silence'; session: SessionNumber; from: Ms; to: Ms }
  | { type: 'discard-recording'; session: SessionNumber }
  | { type: 'pause-recording'; session: SessionNumber; paused: boolean }
  | { type: 'press'; session: SessionNumber; digit: string; durationMs: Ms }
  | { type: 'watch-tones'; session: SessionNumber; watched: boolean }
  | { type: 'hear'; session: SessionNumber; sources: HearingSource<SessionNumber>[] }
  | { type: 'loop'; session: SessionNumber; sound: Pcm | undefined }
  | { type: 'begin'; session: SessionNumber; turn: TurnId }
  /** What another worker was saying when it died. */
  | { type: 'restore'; session: SessionNumber; turn: RestoredTurn }
  | { type: 'write'; id: number; session: SessionNumber; turn: TurnId; chunk: SpokenChunk }
  | { type: 'finish'; id: number; session: SessionNumber; turn: TurnId }
  | { type: 'resume'; session: SessionNumber; turn: TurnId }
  | { type: 'cut'; id: number; session: SessionNumber; turn: TurnId }
  | { type: 'stats'; id: number; session: SessionNumber }
  /** `moving`: it goes on in another worker, so the far end is told no goodbye. */
  | { type: 'close'; id: number; session: SessionNumber; moving?: boolean }
  | { type: 'worker-stats'; id: number }
  | { type: 'shutdown'; id: number };

/** To 'close' a MediaReport as JSON. */
export type WorkerAnswer = { port: number } | boolean | string | Heard | MediaStats | WorkerStats | undefined;

export interface WorkerStats {
  sessions: number;
  pacerLatenessMs: Ms;
  tickLateness: TickLateness;
  vadRestarts: number;
}

/** Worker -> main thread. */
export type WorkerMessage =
  | { type: 'ready' }
  | { type: 'event'; session: SessionNumber; event: MediaEvent }
  | { type: 'dtls'; session: SessionNumber; data: Uint8Array; from: { address: string; port: number } }
  | { type: 'reply'; id: number; value: WorkerAnswer }
  | { type: 'failed'; id: number; code: string; message: string }
  | { type: 'log'; level: 'info' | 'warn' | 'error'; message: string; session?: SessionNumber };
