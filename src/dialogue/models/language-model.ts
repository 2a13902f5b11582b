import type { Action, ActionResult } from '../questions/action-desk.ts';
import type { RateChange } from '../speaking/speech-rate.ts';

/**
 * The part that decides what to say and do next. It sees the conversation so far and answers with text and calls of
 * actions. Secrets never stand in the history it is given.
 */
export interface LanguageModel {
  readonly name: string;
  /** It tells the caller what came of an action by the result's own `say`, so that this can be spoken ahead. */
  readonly tellsResultsAsGiven?: true;
  /**
   * One step: after `action` parts end the step, the caller runs them, appends their results to the history and asks
   * again. Throws Failure (blame engine) when the engine fails; ends quietly when `signal` aborts.
   */
  reply(request: ReplyRequest, signal: AbortSignal): AsyncIterable<ReplyPart>;
  health(): Promise<{ ok: boolean; detail?: string }>;
}

export interface ReplyRequest {
  /** The bot's instructions: who it is, how it speaks. */
  instructions: string;
  history: readonly HistoryItem[];
  actions: readonly Action[];
}

export type HistoryItem =
  | { role: 'caller'; text: string }
  /** `text` is what the caller heard of it; `interrupted` when that is less than what was generated. */
  | {
      role: 'assistant';
      text: string;
      interrupted: boolean;
      /** Said on request of staff or an integrator: no part of the dialogue, though the caller heard it. */
      announcement?: true;
    }
  | { role: 'action'; id: string; name: string; arguments: Record<string, unknown>; result: ActionResult }
  /** A note from the connector, e.g. that the caller's silence ended or that speech was not understood. */
  | { role: 'system'; text: string };

/**
 * Note in the history, before the caller's words: something else is taken up after this answer, so that it must not end
 * with "is there anything else".
 */
export const MORE_TO_COME =
  'An earlier matter of the caller is still open. The system comes back to it after your next answer: answer only what the caller says now, and do not ask whether there is anything else.';

/** Note in the history: the last matter that was put off is taken up. */
export const BACK_TO_IT = 'The system now comes back to the earlier matter; nothing else is open.';

/**
 * Note in the history, before the caller's words: a word or two said over the assistant, which may be a sound of
 * listening that was misheard. Nothing may be changed for it before the caller has confirmed it.
 */
export const SAID_IN_PASSING =
  'The caller said this briefly while you were speaking, and it may have been misheard. Before you change or arrange anything for it, or end the call, ask whether that is what the caller wants.';

/** Note in the history, before the caller's words: the recogniser has its doubts about them. */
export const SAID_UNCLEARLY =
  'This was hard to understand and may have been misheard. Before you change or arrange anything for it, or end the call, ask whether that is what the caller wants.';

export type ReplyPart =
  /** A piece of what to say; pieces are concatenated as they are. */
  | { type: 'text'; text: string }
  | { type: 'action'; id: string; name: string; arguments: Record<string, unknown> }
  /** The caller wants to be spoken to at another pace. When nothing is said with it, the last answer is said again. */
  | { type: 'speech-rate'; rate: RateChange }
  /** The conversation is over once what was said has been heard. */
  | { type: 'end-call' };
