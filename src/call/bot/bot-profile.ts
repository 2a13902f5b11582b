import type { Prompts } from '../../dialogue/speaking/prompts.ts';
import type { MachineManner, RetryRule } from '../orders/order.ts';
import type { RetentionRule } from '../recording/retention.ts';

/** Whether calls are recorded. */
export interface RecordingManner {
  /**
   * on: from before the answer. after-consent: only when the caller, told of it, has gone on without refusing; until then
   * both sides are silent in it. off: never.
   */
  readonly mode: 'on' | 'off' | 'after-consent';
  /** Said before the greeting; who says no or presses the key then is not recorded. */
  readonly announcement?: string | undefined;
  readonly declineKey: string;
  readonly declined: string;
}

/** Who answers: the bot's manner, its fixed words, and what it may do. */
export interface BotProfile {
  readonly name: string;
  readonly version: string;
  /** BCP 47. */
  readonly language: string;
  /** The synthesizer's name of it; undefined: its default. */
  readonly voice: string | undefined;
  readonly instructions: string;
  readonly prompts: Prompts;
  /** Names of the actions it may take. */
  readonly actions: 'all' | readonly string[];
  /** It says its greeting and ends the call: "we are closed". */
  readonly announcementOnly: boolean;
  /** Whether its calls are recorded, and what callers are told of it. Default: they are. */
  readonly recording?: RecordingManner | undefined;
  /** How long its calls are kept, where that is not the general rule. */
  readonly retention?: RetentionRule | undefined;
  /** It may call people, and how it does; undefined: it only answers. */
  readonly outbound?: OutboundManner | undefined;
}

/** How a bot behaves in calls of its own. In its words {name} is a variable of the order. */
export interface OutboundManner {
  /** Behind the greeting: "Am I speaking with {name}?". Undefined: whoever answers is told what the call is about. */
  readonly rightParty: string | undefined;
  /** The purpose is told to nobody but the customer, verified as in any other call. */
  readonly verify: boolean;
  /** What the call is about, when the order does not say. */
  readonly purpose: string | undefined;
  /** To somebody else than the call was meant for, before hanging up. */
  readonly wrongParty: string;
  /** To a person who could not be verified. */
  readonly notVerified: string;
  /** When a machine answers, and the order does not say. */
  readonly onMachine: MachineManner;
  /** What a machine is left: everybody may hear it. */
  readonly message: string | undefined;
  /** When the order has no rule of its own. */
  readonly retry: RetryRule;
}

export const BANK_PROFILE: BotProfile = {
  name: 'bank',
  version: '1',
  language: 'en',
  voice: undefined,
  instructions: [
    'You are the telephone assistant of a bank. You speak with a customer on the phone: answer in one or two short',
    'spoken sentences, without lists, markup or emoji. Say amounts, dates and numbers as people say them.',
    'Use the tools for everything about cards and accounts; never invent a fact. Verification, missing details and',
    'confirmations are collected by the system when you call a tool: never ask for a customer number, a PIN or a full',
    'card number yourself. When a tool result has a "say" text, keep its facts exactly. If the caller said',
    '[unintelligible], ask them kindly to say it again.',
  ].join(' '),
  prompts: {
    greeting: 'Welcome to the bank. How can I help you?',
    stillThere: ['Are you still there?', 'Hello, can you still hear me?'],
    farewell: 'I cannot hear you, so I will end this call now. Please call again at any time. Goodbye.',
    oneMoment: ['One moment please, I am looking that up.', 'This takes a little longer, please stay on the line.'],
    goOn: 'I have {given} of {length} digits. Go on, please.',
    takeYourTime: 'Of course, take your time.',
    yesNoByKeys: 'You can also press one for yes, or two for no.',
    numberByKeys: 'It is noisy where you are, so the keys of your telephone are the surest way.',
    menu: 'I cannot hear you well enough. Please say it again, or use the keys of your telephone.',
    menuChoice: '{what}, press {key}.',
    didYouSay: 'Did you say: {words}?',
    understood: 'You said: {words}.',
    misheard: 'I am sorry, I got that wrong. Please say it in other words.',
    cancelled: 'All right, I have left that. What else can I do for you?',
    giveUp: 'I am sorry, I could not get that. You can ask for something else, or say agent to speak to a person.',
    apology: 'I am sorry, something went wrong on our side. Please say that again.',
    shutdown: 'I am sorry, I have to end this call now for technical reasons. Please call again in a moment. Goodbye.',
    backAgain: 'You are speaking with the automatic assistant again. What can I do for you?',
  },
  actions: 'all',
  announcementOnly: false,
};
