import type { Ms } from '../../core/clock.ts';
import { MOST_HOLD_MS } from '../people/parties.ts';
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
  /** A telephone number, a sip:, sips: or tel: URI, or `phone:` and the name of a phone in a browser. */
  readonly to: string;
  /** The only gateway to call them by; undefined: whichever serves the number. */
  readonly gateway: string | undefined;
  readonly way: HandoverWay;
  readonly ringMs: Ms;
  /** How many callers they take at the same time, as far as they talk through us. */
  readonly calls: number;
  /** Of their INVITE, besides those of the briefing. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
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
  /** Is anybody there now? */
  isOpen(at: Date): boolean;
  /** How often a caller in line is told their place; undefined: never. */
  readonly announceMs: Ms | undefined;
  /** What the caller hears meanwhile. */
  readonly sound: 'music' | 'ringing';
  /** Key of the caller that takes them out of the line and back to the bot; undefined: none. */
  readonly leaveKey: string | undefined;
  readonly briefing: Briefing;
  /** The person may put the caller on hold for so long at a time; then the bot has the caller again. */
  readonly maxHoldMs: Ms;
  /** What becomes of the caller when the person hangs up. */
  readonly afterwards: 'end' | 'bot';
  readonly prompts: HandoverPrompts;
}

/** What the person learns before the caller is connected. */
export interface Briefing {
  /** Spoken to them, and they take the call by a key within this time; undefined: they are connected at once. */
  readonly spoken: { acceptKey: string; declineKey: string; waitMs: Ms } | undefined;
  /** The header of the INVITE that carries the summary; undefined: none. */
  readonly header: 'User-to-User' | 'X-Call-Summary' | undefined;
  readonly webhook: { url: string; secret: string } | undefined;
}

export interface HandoverPrompts {
  /** To the caller. `{position}` is first, second ... */
  readonly connecting: string;
  readonly waiting: string;
  readonly stillWaiting: string;
  /** Why the caller is with the bot again. */
  readonly closed: string;
  readonly full: string;
  readonly nobody: string;
  readonly unknown: string;
  /** Behind one of those, where the caller had asked for the person; and when they say no to it. */
  readonly offerCallback: string;
  readonly noCallback: string;
  /** The person has hung up, or the bot was called back. */
  readonly backAgain: string;
  readonly whatElse: string;
  /** To the person: before the summary, and behind it. `{accept}` and `{decline}` are the keys. */
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
  noCallback: 'All right. What else can I do for you?',
  backAgain: 'You are speaking with the automatic assistant again.',
  whatElse: 'What else can I do for you?',
  briefing: 'A call from the voice assistant.',
  acceptHint: 'Press {accept} to take the call, or {decline} to decline.',
};

/** What holds for a person who is named in a request and is of no queue. */
export const AD_HOC_QUEUE: HandoverQueue = {
  name: '',
  targets: [],
  places: 1_000,
  maxWaitMs: 0,
  retryMs: 0,
  isOpen: () => true,
  announceMs: undefined,
  sound: 'music',
  leaveKey: '*',
  briefing: { spoken: { acceptKey: '1', declineKey: '2', waitMs: 15_000 }, header: undefined, webhook: undefined },
  maxHoldMs: MOST_HOLD_MS,
  afterwards: 'end',
  prompts: DEFAULT_PROMPTS,
};

export const DEFAULT_RING_MS: Ms = 25_000;
