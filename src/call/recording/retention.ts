/** How long is kept what: days after the call's end; undefined: for ever. A bot's own rule goes before the general one. */
export interface RetentionRule {
  recordingDays?: number | undefined;
  /** Words, events, SIP messages, who called; transactions are kept. */
  callDays?: number | undefined;
}

export interface RetentionPolicy extends RetentionRule {
  bots: ReadonlyMap<string, RetentionRule>;
}

/** One entry of the deletion log. `hash` is SHA-256 over `previousHash` and all the rest, see deletion-log.ts. */
export interface DeletionRecord {
  sequence: number;
  deletedAt: Date;
  sessionId: string;
  what: 'recording' | 'contents';
  /** Which rule: `recordings: 90 days`, `calls of bot x: 365 days`. */
  policy: string;
  /** Of a file: path, bytes, sha256 (null when it was gone already). Of contents: how many rows of each kind. */
  details: Record<string, unknown>;
  previousHash: string;
  hash: string;
}

/** What operators may do about retention. */
export interface RetentionDesk {
  /** Keeps a call whatever the policy says, or lets it go again. False: there is no such call. */
  hold(sessionId: string, hold: boolean, reason: string | undefined): Promise<boolean>;
  /** Entries after `after`, the oldest first; `intact`: every hash is right and follows from the one before. */
  deletions(after: number, limit: number): Promise<{ deletions: DeletionRecord[]; intact: boolean }>;
}
