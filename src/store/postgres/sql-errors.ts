import { Failure } from '../../core/errors.ts';

/** What an error of a statement means for the rows it carried. */
export type SqlTrouble =
  /** The database cannot be reached or cannot serve now: the same rows will do later. */
  | 'away'
  /** Reached, but the schema or our rights are not what they must be: somebody has to act; the rows wait. */
  | 'schema'
  /** These rows will never be taken. */
  | 'poison';

interface SqlError extends Error {
  code: string;
  constraint?: string;
  table?: string;
  routine?: string;
}

function isSqlError(error: unknown): error is SqlError {
  // SQLSTATE has five characters; socket errors (ECONNREFUSED ...) have other codes.
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
  );
}

/** The server's own verdict, with the connection still in use: nothing of the transaction was committed. */
export function isVerdict(error: unknown): boolean {
  return isSqlError(error) && !/^(08|57P)/.test(error.code);
}

/** SQLSTATE classes: PostgreSQL documentation, appendix A. */
export function troubleOf(error: unknown): SqlTrouble {
  if (error instanceof Failure && error.code.startsWith('schema-')) return 'schema';
  if (!isSqlError(error)) return error instanceof Error && error.cause ? troubleOf(error.cause) : 'away';
  const { code } = error;
  // The same row twice in one statement, data exceptions, integrity violations, with-check violations, limits exceeded (a row too large for its index).
  if (/^(21|22|23|44|54)/.test(code)) return 'poison';
  // A row-level security violation shares its code with missing privileges; here it is the row's fault.
  if (code === '42501' && error.routine === 'ExecWithCheckOptions') return 'poison';
  // Password or role refused, no such database or schema, no such table, column, function; no privilege.
  if (/^(28|3D|3F|42|0A)/.test(code)) return 'schema';
  return 'away';
}

/** What the caller of a repository is told while the database is away: the same again, later, will do. */
export function awayFailure(message: string, code: string, cause: unknown): Failure {
  return new Failure(message, { code, blame: 'us', retryable: true, sipStatus: 503, cause });
}

/** For logs: names, never values (messages and details of PostgreSQL quote the row). */
export function describeSqlError(error: unknown): Record<string, string> {
  if (!isSqlError(error)) return { reason: error instanceof Error ? error.message : String(error) };
  const facts: Record<string, string> = { sqlstate: error.code };
  if (error.table) facts.table = error.table;
  if (error.constraint) facts.constraint = error.constraint;
  if (!/^2[23]/.test(error.code)) facts.reason = error.message;
  return facts;
}

export function violates(error: unknown, constraint: string): boolean {
  return isSqlError(error) && error.constraint === constraint;
}

export function isForeignKeyViolation(error: unknown): boolean {
  return isSqlError(error) && error.code === '23503';
}

/** Serialisation failure or deadlock: the same again, at once, will do. */
export function isCollision(error: unknown): boolean {
  return isSqlError(error) && (error.code === '40001' || error.code === '40P01');
}

/** A prepared statement is not there, or is there already: a transaction pooler has changed the connection under us. */
export function isLostStatement(error: unknown): boolean {
  return isSqlError(error) && (error.code === '26000' || error.code === '42P05');
}
