import type { Ms } from '../../../src/core/clock.ts';
import type { Conversation, Expected, PauseSite, Tags } from '../corpus/types.ts';

/** What the caller did at one point of a call, with times on the phone's monotonic clock. */
export interface Moment {
  /**
   * turn: words that are due an answer. keys: the same with the keypad. sound: while the bot speaks, no request.
   * interruption: words into the bot's answer. listening: the caller only hears an answer. silence: says nothing.
   */
  readonly kind: 'turn' | 'keys' | 'sound' | 'interruption' | 'listening' | 'silence';
  readonly text: string;
  /** First voiced window sent. */
  readonly startedAt: Ms;
  /** Last voiced window sent, or end of the last key. */
  readonly endedAt: Ms;
  readonly pauses: readonly TimedPause[];
  readonly expect?: Expected;
  readonly follows?: boolean;
  /** Belongs to the request before it, which is judged behind it: keys that the bot has asked for, or whether that was it. */
  readonly continues?: boolean;
  /** Of an interruption. */
  readonly wants?: 'quiet' | 'answer';
  readonly tags: Tags;
}

export interface TimedPause {
  readonly ms: Ms;
  readonly site: PauseSite;
  /** Last voiced window before it. */
  readonly from: Ms;
  /** First voiced window behind it. */
  readonly to: Ms;
}

/** Everything the caller's side knows of one call. */
export interface PlayedCall {
  readonly conversation: Conversation;
  readonly variant: string;
  readonly sipCallId: string;
  readonly moments: readonly Moment[];
  /** Arrivals of the bot's packets with sound. */
  readonly sound: readonly Ms[];
  readonly endedAt: Ms;
  /** Add to a time of the phone's clock for milliseconds since 1970. */
  readonly wallOffset: Ms;
  /** Why the conversation was not played to its end; its remaining steps count as not played. */
  readonly trouble?: string;
  readonly unplayed: number;
  /** Stereo WAV, left what the microphone sent. */
  readonly recording?: Buffer;
}
