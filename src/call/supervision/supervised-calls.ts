import type { CallParties } from '../people/parties.ts';

/** A running call, as supervisors find it. */
export interface SupervisedCall {
  sessionId: string;
  shortNumber: string;
  /** A person speaks with the caller, not the bot. */
  agent: boolean;
}

export interface SupervisedCalls {
  /** Undefined: there is no such call, or nobody can take part in it now. */
  partiesOf(sessionId: string): CallParties | undefined;
  /** By the number that is keyed on a telephone. */
  sessionOf(shortNumber: string): string | undefined;
  live(): SupervisedCall[];
}
