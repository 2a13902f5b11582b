import { createHash } from 'node:crypto';
import type { DeletionRecord } from '../../call/recording/retention.ts';
import type { Transaction } from './database.ts';

/** What the first entry follows. */
const GENESIS = '0'.repeat(64);
/** One chain per tenant: whoever adds to it waits for its turn. */
const CHAIN_LOCK = 4_711_003;

export type Deletion = Pick<DeletionRecord, 'sessionId' | 'what' | 'policy' | 'details'>;

interface Row {
  sequence: number;
  deleted_at: Date;
  session_id: string;
  what: DeletionRecord['what'];
  policy: string;
  details: Record<string, unknown>;
  previous_hash: string;
  hash: string;
}

/** Adds entries to the chain, in the transaction that takes away what they speak of. */
export async function logDeletions(tx: Transaction, deletions: readonly Deletion[], now: Date): Promise<void> {
  if (deletions.length === 0) return;
  await tx.query(`SELECT pg_advisory_xact_lock(${CHAIN_LOCK}, hashtext(current_setting('app.tenant_id')))`);
  const { rows } = await tx.query<Pick<Row, 'sequence' | 'hash'>>(
    'SELECT sequence, hash FROM deletions ORDER BY sequence DESC LIMIT 1',
  );
  let { sequence, hash } = rows[0] ?? { sequence: 0, hash: GENESIS };
  for (const { sessionId, what, policy, details } of deletions) {
    const entry = { sequence: ++sequence, deletedAt: now, sessionId, what, policy, details, previousHash: hash };
    hash = hashOf(entry);
    await tx.query(
      `INSERT INTO deletions (sequence, deleted_at, session_id, what, policy, details, previous_hash, hash)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [sequence, now, sessionId, what, policy, JSON.stringify(details), entry.previousHash, hash],
    );
  }
}

export async function readDeletions(
  tx: Transaction,
  after: number,
  limit: number,
): Promise<{ deletions: DeletionRecord[]; intact: boolean }> {
  // The entry before the page too: the first of the page must follow from it.
  const { rows } = await tx.query<Row>('SELECT * FROM deletions WHERE sequence >= $1 ORDER BY sequence LIMIT $2', [
    after,
    limit + 1,
  ]);
  const all = rows.map(toRecord);
  const before = after === 0 ? undefined : all.find(({ sequence }) => sequence === after);
  const deletions = all.filter(({ sequence }) => sequence > after).slice(0, limit);
  let hash = after === 0 ? GENESIS : (before?.hash ?? '');
  let sequence = after;
  let intact = after === 0 || (before !== undefined && hashOf(before) === before.hash);
  for (const entry of deletions) {
    intact &&= entry.sequence === sequence + 1 && entry.previousHash === hash && hashOf(entry) === entry.hash;
    ({ hash, sequence } = entry);
  }
  return { deletions, intact };
}

/** SHA-256 of the entry's JSON array, `previousHash` first; keys of `details` in alphabetical order. */
function hashOf({
  previousHash,
  sequence,
  deletedAt,
  sessionId,
  what,
  policy,
  details,
}: Omit<DeletionRecord, 'hash'>): string {
  const sorted = Object.fromEntries(Object.entries(details).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const fields = [previousHash, sequence, deletedAt.toISOString(), sessionId, what, policy, sorted];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

function toRecord(row: Row): DeletionRecord {
  return {
    sequence: Number(row.sequence),
    deletedAt: row.deleted_at,
    sessionId: row.session_id,
    what: row.what,
    policy: row.policy,
    details: row.details,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}
