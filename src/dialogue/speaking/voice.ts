import type { Ms } from '../../core/clock.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Heard } from '../../media/ports.ts';

/** What the conversation speaks through: synthesizer and playout of one call. */
export interface Voice {
  /** Makes `turn` the current one. Audio of earlier turns is refused from here on. */
  begin(turn: TurnId): void;
  /**
   * Speaks a sentence behind what was said before in this turn. Resolves when all its audio is queued: true, or false
   * when the turn was cut or aborted meanwhile.
   */
  say(turn: TurnId, sentence: string, how: SpeakOptions): Promise<boolean>;
  /** Makes a sentence ready that will perhaps be said next, at this rate; it costs nothing when it is not. */
  prepare(sentence: string, rate: number): void;
  /** Nothing more comes in this turn; resolves when its last frame was sent, or it was cut. */
  finish(turn: TurnId): Promise<Heard>;
  cut(turn: TurnId): Promise<Heard>;
  resume(turn: TurnId): void;
  armBargeIn(armed: boolean): void;
}

export interface SpeakOptions {
  /** 1 is the voice's own pace, 0.8 slower. */
  rate: number;
  signal: AbortSignal;
  /** Called with every piece of audio, the first as soon as it is there. */
  onAudio(): void;
}

/** What the conversation hears through: recogniser and listening side of one call. */
export interface Ear {
  /** What is expected next; applies from the next segment of speech on. */
  expect(expectation: Expectation): void;
  endSegment(): void;
  /** While true, what the caller says is kept out of the recording. */
  mask(masked: boolean): void;
  /** What the caller said from one moment to another turned out to be a secret: it is taken out of the recording. */
  silence(from: Ms, to: Ms): void;
}

export type Expectation =
  | { kind: 'request' }
  /** `missing`: so many of the digits, when the others were given in an earlier breath. */
  | { kind: 'digits'; length: number; missing?: number; secret: boolean }
  | { kind: 'yes-no'; secret: boolean }
  | {
      kind: 'choice';
      options: readonly { value: string; phrases: readonly string[] }[];
      secret: boolean;
    };

/** What an ear that knows English, but not what is waited for, made of the same words. */
export interface ByOtherEar {
  readonly text: string;
  readonly confidence: number;
  /** How well sentences that may have been said fit what it heard (requests/may-have-been.ts); undefined where it was not asked. */
  readonly fits?: readonly { readonly text: string; readonly fit: number }[];
  /** Why it could not tell, where it was asked. */
  readonly unfitted?: 'late' | 'left-out';
}

/** A recognition result as the conversation needs it; the recogniser's port has the same shape. */
export interface Transcript {
  segment: number;
  kind: 'partial' | 'final';
  text: string;
  confidence: number;
  complete?: boolean;
  /** A sentence, but so short and so little of an answer to what was asked that it may be the beginning of one. */
  besides?: boolean;
  /** A whole request, and behind it a word with which people begin another one. */
  linked?: boolean;
  /** In a pause: how likely is it that the caller is done, 0..1; undefined when no model has said anything. */
  endOfTurn?: number;
  rejected?: boolean;
  /** Final only: what else is heard on the line is so loud that short words and numbers are easily lost. */
  noisy?: boolean;
  /** What another ear made of what was rejected, or of the beginning of who has answered a call of ours. */
  otherwise?: ByOtherEar;
  /** The recogniser had no time for it. */
  lost?: boolean;
  at: Ms;
}

/** Takes down what happens; knows nothing of where it is kept. */
export interface Scribe {
  /** Called again with the same key when more is known. Times are monotonic ms. */
  utterance(utterance: SpokenUtterance): void;
  event(type: string, data?: Record<string, unknown>): void;
}

export interface SpokenUtterance {
  key: string;
  /** agent: a person who speaks with the caller in the bot's place, or beside it. */
  speaker: 'caller' | 'assistant' | 'agent';
  /** Caller, agent: what was understood, secrets masked. Assistant: what was generated. */
  text: string;
  /** Assistant: the words that were sent to the caller. */
  heard: string;
  interrupted: boolean;
  startedAt: Ms;
  endedAt?: Ms;
  confidence?: number;
  source: string;
  timings?: TurnTimes;
}

/** Milliseconds from the end of the caller's last voiced window; undefined where a step did not happen. */
export interface TurnTimes {
  endpointMs?: number;
  asrFinalMs?: number;
  firstTokenMs?: number;
  firstAudioMs?: number;
  /** Voice-to-voice as our side sees it: first packet with sound. */
  firstPacketMs?: number;
  /** Caller's first voiced window to the bot's last packet with sound, when this utterance was interrupted. */
  bargeInToSilenceMs?: number;
  /** complete | incomplete | doubtful | unheard | too-long | model: why the caller was taken to be done. */
  endpointReason?: string;
}
