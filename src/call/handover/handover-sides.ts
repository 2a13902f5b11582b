import type { Ms } from '../../core/clock.ts';
import type { Leg, TransferWish } from '../legs/call-leg.ts';
import type { CallerFacts } from './briefing.ts';
import type { HandoverTarget } from './handover-plan.ts';

/** How a person took the briefing. */
export type Verdict = 'accepted' | 'declined' | 'no-key' | 'gone';

/** The person's side: a leg of ours that has been answered. */
export interface HandoverPerson {
  readonly leg: Leg;
  /** Aborts when they are gone. */
  readonly signal: AbortSignal;
  /** Tells them what it is about, and waits for a key of theirs. */
  brief(
    text: string,
    keys: { acceptKey: string; declineKey: string; waitMs: Ms },
    signal: AbortSignal,
  ): Promise<Verdict>;
  hangup(): Promise<void>;
  /** Resolves when their telephone is free for somebody else. */
  readonly free: Promise<void>;
}

/**
 * How a talk ended: the person has left, or was gone before anybody can have said a word, and the caller waits on; the bot
 * was called back, the caller is gone; or the person wants the caller to be taken to somebody else, and waits: nobody
 * speaks with the caller meanwhile.
 */
export type TalkEnd = 'person-left' | 'gone' | 'recalled' | 'caller-left' | TransferWish;

/** The caller's side of a hand-over, as the call lends it. */
export interface HandoverCaller {
  /** Aborts when the call is over. */
  readonly signal: AbortSignal;
  readonly leg: Leg;
  facts(): CallerFacts;
  event(type: string, data: Record<string, unknown>): void;
  /** Said in the bot's voice, in the middle of the music. What is said next cuts what is being said. */
  tell(words: string): void;
  /** The bot falls silent, and the caller hears something to wait by. */
  hold(sound: 'music' | 'ringing'): void;
  /** Calls the person; `onProgress` is told what their telephone says before it is answered. @throws Failure whose code is dial-... */
  dial(
    target: HandoverTarget,
    { headers, onProgress }: { headers: Record<string, string>; onProgress(status: number): void },
    signal: AbortSignal,
  ): Promise<HandoverPerson>;
  /** Lets the two speak, until one of them leaves, the bot is called back, or `signal` aborts. */
  talk(person: HandoverPerson, signal: AbortSignal): Promise<TalkEnd>;
  /**
   * Takes the caller to whom the person wishes, in another hand-over. Resolves true when that has the caller for good:
   * somebody else speaks with them, or they are in line; false when it came to nothing. The wish is told of either.
   */
  passOn(wish: TransferWish): Promise<boolean>;
}
