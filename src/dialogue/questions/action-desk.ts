/** JSON Schema (draft 2020-12) of an object. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The action by which a caller asks for a person. */
export const AGENT_ACTION = 'speak_to_agent';

/** An action as the dialogue sees it: what it is called, what people say to get it, what it takes. */
export interface Action {
  /** snake_case, as LLM tools are named. */
  readonly name: string;
  readonly description: string;
  /** Parameters the language model may fill. Never a secret. */
  readonly parameters: JsonSchema;
  /** Sentence templates (src/sentences), e.g. `where is my [new] (credit|debit) card`. */
  readonly examples: readonly string[];
  /** `change`: something is different afterwards, so the caller must hear how it went. Default read. */
  readonly effect?: 'read' | 'change';
  /** Before "press one", where callers choose by keys: "for your balance"; without it, it is not in that menu. */
  readonly menu?: string | undefined;
  /** The desk has it confirmed before it is done. */
  readonly readBack?: boolean;
}

/**
 * The counter at which actions are asked for; one per call. Implemented by src/banking, which owns the policy: who
 * must be verified, what must be read back, what is written to the ledger. Neither method depends on a turn: a
 * barge-in does not abort what was started here.
 */
export interface ActionDesk {
  readonly actions: readonly Action[];
  /** Asks for an action. `id` is unique within the call; the same id twice returns the same step. */
  request(id: string, name: string, args: Record<string, unknown>): Promise<ActionStep>;
  /**
   * The caller may be about to ask for this action: what it only reads may be fetched. Nothing is changed, asked or
   * recorded by it, and whatever goes wrong is found out when the action is asked for. Resolves with what the caller will
   * then be told, where that is known; never rejects.
   */
  foresee(name: string, args: Record<string, unknown>): Promise<string | undefined>;
  /** The caller went on: what was fetched ahead is for nothing. */
  forget(): void;
  /** Answers the question that `id` waits for. Throws Failure code no-open-question when there is none. */
  answer(id: string, value: string): Promise<ActionStep>;
  /** The caller does not want to go on with it. Harmless after the action has started. */
  withdraw(id: string): Promise<void>;
  /**
   * The call is over: open questions are given up, no new actions are taken. Resolves when everything that was started
   * has ended and stands in the ledger. Idempotent.
   */
  close(): Promise<void>;
  /** For the record and the console; no secrets. */
  readonly customer: { customerId: string; verified: boolean } | undefined;
}

export type ActionStep = { kind: 'ask'; question: Question } | { kind: 'done'; result: ActionResult };

/** Something the caller must say or key before the action can go on. */
export interface Question {
  /** e.g. customer_number, pin, confirmation, or a parameter of the action. */
  slot: string;
  expects:
    | { kind: 'digits'; length: number }
    | { kind: 'yes-no' }
    /** One of these phrases, e.g. card kinds; the answer is the value. */
    | { kind: 'choice'; options: readonly { value: string; phrases: readonly string[] }[] };
  /** Only the keypad or a local recogniser may hear the answer; it reaches no log, transcript or language model. */
  secret: boolean;
  prompt: string;
  /** When the answer was not understood. */
  reprompt: string;
  /** The prompt must be heard to its end before an answer counts (read-back of a change). */
  mustBeHeard: boolean;
}

export interface ActionResult {
  ok: boolean;
  /** posted, not-verified, declined, cancelled, bank-unavailable, bank-refused, unknown-outcome, ledger-unavailable … */
  code: string;
  /** What the bank answered, reduced to what the caller may hear; shown to the language model. */
  data: Record<string, unknown>;
  /** A complete spoken rendering of the result; what the scripted dialogue says and the fallback when a model fails. */
  say: string;
  /** `say` is read out word for word and to its end, whatever the language model makes of the rest: a legal notice. */
  mustBeHeard?: true;
}
