/**
 * The ledger of what was asked of the bank. A row is committed before the bank is called and completed after, so that
 * money moves exactly once and every attempt can be accounted for. Implemented by src/store/postgres.
 */
export interface Ledger {
  /**
   * Commits a PENDING row. `kind: 'change'` requires the database: rejects with Failure code ledger-unavailable when
   * it cannot be committed there in time. `kind: 'read'` may go to the spool instead.
   * Rejects with Failure code duplicate-transaction when the idempotency key exists.
   */
  begin(row: LedgerRow, kind: 'read' | 'change'): Promise<void>;
  /** Records how it ended; durable (database or spool) when resolved. Never lost once begun. */
  complete(transactionId: string, completion: LedgerCompletion): Promise<void>;
}

export interface LedgerRow {
  transactionId: string;
  sessionId: string;
  customerId: string | undefined;
  transactionType: string;
  authenticationStatus: 'PENDING' | 'VERIFIED' | 'FAILED';
  idempotencyKey: string;
  /** Never a secret: PINs are left out, card numbers masked. */
  queryParameters: Record<string, unknown>;
  createdAt: Date;
}

export interface LedgerCompletion {
  outcome: 'POSTED' | 'FAILED' | 'UNKNOWN';
  authenticationStatus: 'PENDING' | 'VERIFIED' | 'FAILED';
  customerId: string | undefined;
  responseData: Record<string, unknown>;
  completedAt: Date;
}
