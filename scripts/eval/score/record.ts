/** A call as the connector's API shows it, as far as it is judged. */
export interface CallRecord {
  readonly session: { readonly sessionId: string; readonly status: string; readonly endCause?: string | null };
  readonly utterances: readonly UtteranceRow[];
  readonly transactions: readonly TransactionRow[];
  readonly events: readonly { readonly type: string; readonly at: string; readonly data?: Record<string, unknown> }[];
}

export interface UtteranceRow {
  readonly speaker: string;
  readonly text: string;
  readonly heard: string;
  readonly interrupted: boolean;
  readonly startedAt: string;
  readonly endedAt?: string | null;
  readonly source?: string;
  readonly timings?: Record<string, number> | null;
}

export interface TransactionRow {
  readonly transactionType: string;
  readonly outcome: string;
  readonly authenticationStatus: string;
  readonly customerId?: string | null;
  readonly createdAt: string;
}

/** A stretch of a call in milliseconds since 1970: from a moment's beginning to the caller's next one. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const within = (at: string, { from, to }: Span) => Date.parse(at) >= from && Date.parse(at) < to;

/** What stands in the record of this stretch. */
export function rowsWithin(record: CallRecord, span: Span) {
  const utterances = record.utterances.filter((row) => within(row.startedAt, span));
  return {
    bot: utterances.filter((row) => row.speaker === 'assistant'),
    caller: utterances.filter((row) => row.speaker === 'caller'),
    transactions: record.transactions.filter((row) => within(row.createdAt, span)),
    events: record.events.filter((row) => within(row.at, span)),
  };
}

/** What the bot was saying at this time, milliseconds since 1970. */
export function utteranceAt(record: CallRecord, at: number): UtteranceRow | undefined {
  return record.utterances.findLast(
    (row) =>
      row.speaker === 'assistant' &&
      Date.parse(row.startedAt) <= at &&
      // The end is that of the last packet; a sound in the breath behind it still meets this utterance.
      (row.endedAt == null || Date.parse(row.endedAt) >= at - 250),
  );
}
