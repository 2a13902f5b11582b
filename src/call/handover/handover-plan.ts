import type { Ms } from '../../core/clock.ts';
import type { HandoverWay } from './handover-status.ts';

/** What configuration says of handing calls over (sip-config/, docs/handover.md). Complete and unchanging. */
export interface HandoverPlan {
  readonly queues: ReadonlyMap<string, HandoverQueue>;
  /** The queue of callers who ask the bot for a person; undefined: the bot hands nobody over by itself. */
  readonly standard: HandoverQueue | undefined;
}

/** A person, or a group behind one number. */
export interface HandoverTarget {
  readonly name: string;
  /** A telephone number, or a sip:, sips: or tel: URI. */
  readonly to: string;
  /** The only gateway to call them by; undefined: whichever serves the number. */
  readonly gateway: string | undefined;
  readonly way: HandoverWay;
  readonly ringMs: Ms;
  /** How many callers they take at the same time, as far as they talk through us. */
  readonly calls: number;
}

export interface HandoverQueue {
  readonly name: string;
  /** In the order of trying. */
  readonly targets: readonly HandoverTarget[];
  /** Callers who wait at the same time; one more hears `full`. */
  readonly places: number;
  /** How long a caller waits in all; the targets are tried again until then. 0: each once. */
  readonly maxWaitMs: Ms;
  /** Between two rounds. */
  readonly retryMs: Ms;
  /** Is anybody there now? undefined: always. */
  isOpen(at: Date): boolean;
  /** How often a caller in line is told their place; undefined: never. */
  readonly announceMs: Ms | undefined;
  readonly music: boolean;
  readonly briefing: Briefing;
  /** What becomes of the caller when the person hangs up. */
  readonly afterwards: 'end' | 'bot';
  readonly prompts: HandoverPrompts;
}

/** What the person learns before the caller is connected. */
export interface Briefing {
  /** Spoken to them, and they take the call by this key; undefined: they are connected at once. */
  readonly spoken: { acceptKey: string; declineKey: string; waitMs: Ms } | undefined;
  /** The header that carries the summary; undefined: none. */
  readonly header: 'User-to-User' | 'X-Call-Summary' | undefined;
  readonly webhook: { url: string; secret: string } | undefined;
}

export interface HandoverPrompts {
  /** To the caller. `{position}` is first, second ... */
  readonly connecting: string;
  readonly waiting: string;
  readonly stillWaiting: string;
  readonly closed: string;
  readonly full: string;
  readonly nobody: string;
  readonly unknown: string;
  /** Behind one of the four above. */
  readonly offerCallback: string;
  /** The person has hung up, or the bot was called back. */
  readonly backAgain: string;
  /** To the person, around the summary. `{accept}` and `{decline}` are the keys. */
  readonly briefing: string;
  readonly acceptHint: string;
}

export const DEFAULT_PROMPTS: HandoverPrompts = {
  connecting: 'One moment please, I am connecting you with a colleague.',
  waiting: 'All my colleagues are talking to other customers. You are {position} in line. Please stay on the line.',
  stillWaiting: 'Thank you for waiting. You are {position} in line.',
  closed: 'I am sorry, my colleagues are not in at this time.',
  full: 'I am sorry, too many people are waiting for my colleagues.',
  nobody: 'I am sorry, none of my colleagues could take your call.',
  unknown: 'I am sorry, I could not reach a colleague.',
  offerCallback: 'Shall a colleague call you back?',
  backAgain: 'You are back with the assistant. What else can I do for you?',
  briefing: 'A call from the voice assistant.',
  acceptHint: 'Press {accept} to take the call, or {decline} to decline.',
};
