import { crc32 } from 'node:zlib';
import pg from 'pg';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { isLostStatement, isVerdict } from './sql-errors.ts';

/** int8 (counts, sizes) as a number: ours stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === pg.types.builtins.INT8
      ? (value: string) => Number(value)
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

export interface DatabaseOptions {
  connectionString: string;
  tenantId: string;
  /** Role taken on in every transaction, when the login role would bypass row-level security. */
  role?: string;
  maxConnections: number;
  log: Logger;
}

export interface TransactionOptions {
  /** For the whole transaction, connecting included; a server that hangs counts as away. */
  timeoutMs: Ms;
  readOnly?: boolean;
  /**
   * Its COMMIT does not wait for the disk: everybody sees what it has written, and a crash of the server (not of ours) may
   * lose the last half second of it.
   */
  unflushed?: boolean;
}

/** One transaction in progress. */
export interface Transaction {
  /** `name`: of a statement that comes again and again; the server keeps it and its plan with the connection. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[], name?: string): Promise<pg.QueryResult<Row>>;
  /** The same without waiting: `work` may be over before it is answered, and COMMIT be under way. Nothing is committed where it fails. */
  send<Row extends pg.QueryResultRow>(text: string, values?: unknown[], name?: string): Promise<pg.QueryResult<Row>>;
}

/** A server that takes longer to accept a connection counts as away. */
const CONNECT_TIMEOUT_MS: Ms = 1000;

const msUntil = (deadline: Ms): Ms => Math.max(1, Math.ceil(deadline - monotonicNow()));

/** Another text has another name: two versions of the program may meet on one connection of a pooler. */
export const statementName = (text: string): string => `kept ${crc32(text).toString(16)}`;

/** The COMMIT was sent and its answer never came: the rows may stand or not. */
export class CommitUncertain extends Failure {
  constructor(cause: unknown) {
    super('the database did not confirm the commit', {
      code: 'commit-uncertain',
      blame: 'us',
      retryable: true,
      sipStatus: 503,
      cause,
    });
  }
}

/**
 * Connections of one tenant. Every statement runs in a transaction that names the tenant first (SET LOCAL, so that
 * it also holds behind a transaction pooler), and every transaction has a time limit that holds on both sides.
 */
export class Database {
  readonly #pool: pg.Pool;
  readonly #tenantId: string;
  readonly #prologue: string;
  #role: string | undefined;
  /** Writing transactions of each connection. */
  readonly #written = new WeakMap<pg.PoolClient, number>();
  /** False once a pooler has given us a connection that does not know what we had prepared. */
  #keepsStatements = true;

  constructor(options: DatabaseOptions) {
    this.#pool = new pg.Pool({
      connectionString: options.connectionString,
      max: options.maxConnections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 30_000,
      // Statements are sent without waiting for the answers of those before: BEGIN and COMMIT cost no journeys of their own.
      pipeline: true,
      allowExitOnIdle: true,
      application_name: 'sip-voice-connector',
      types,
    });
    // A server that goes away breaks idle connections too; the next query will tell.
    this.#pool.on('error', (error) => options.log.debug({ reason: error.message }, 'idle database connection lost'));
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    this.#tenantId = options.tenantId;
    this.#prologue = `SET LOCAL app.tenant_id = ${pg.escapeLiteral(options.tenantId)}`;
    this.#role = options.role;
  }

  /** From now on every transaction takes on this role. */
  assume(role: string): void {
    this.#role = role;
  }

  /**
   * Runs `work` and commits; rolls back when it throws. Rejects with what `work` threw, with the driver's error, or
   * with CommitUncertain. After `timeoutMs` the connection is destroyed and nothing more is sent on it.
   * `work` with named statements may run a second time, with nothing left of the first.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    return this.#whole(() => this.#once(work, options));
  }

  /**
   * Calls one function in a transaction of its own, which is one message to the server and one answer where a transaction
   * has four: what that sets first is set in the same statement. For what somebody waits for. `call`: as in a SELECT list,
   * `f($1, $2) AS name`. Rejects as `transaction` does; the server itself ends it only where it waits for a lock.
   */
  call<Row extends pg.QueryResultRow>(
    call: string,
    values: unknown[],
    options: Omit<TransactionOptions, 'readOnly'>,
  ): Promise<pg.QueryResult<Row>> {
    const text = this.#callText(call, options);
    return this.#whole(() => this.#callOnce<Row>(text, values, options.timeoutMs));
  }

  /**
   * Does what `call` would do with the same options, and takes it back: afterwards the connection that the next call gets is
   * open, with the statement parsed and the function's plans made. On a new connection these are 5 to 30 ms.
   */
  rehearse(call: string, values: unknown[], options: Omit<TransactionOptions, 'readOnly'>): Promise<void> {
    const text = this.#callText(call, options);
    return this.#whole(() => this.#rehearseOnce(text, values, options.timeoutMs));
  }

  async #rehearseOnce(text: string, values: unknown[], timeoutMs: Ms): Promise<void> {
    const deadline = monotonicNow() + timeoutMs;
    const client = await this.#connect(timeoutMs);
    const run = (sql: string, given?: unknown[], name?: string) =>
      client.query(this.#statement(deadline, sql, given, name));
    try {
      await Promise.all([run('BEGIN'), run(text, values, statementName(text)), run('ROLLBACK')]);
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  #callText(call: string, { timeoutMs, unflushed = false }: Omit<TransactionOptions, 'readOnly'>): string {
    const settings: [name: string, value: string][] = [
      ['app.tenant_id', this.#tenantId],
      ['lock_timeout', String(timeoutMs)],
      ...(unflushed ? [['synchronous_commit', 'off'] as [string, string]] : []),
      ...(this.#role === undefined ? [] : [['role', this.#role] as [string, string]]),
    ];
    const set = settings.map(([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true)`).join(', ');
    // Materialised, so that it has been done before the function is called.
    return `WITH settings AS MATERIALIZED (SELECT ${set}) SELECT ${call} FROM settings`;
  }

  async #callOnce<Row extends pg.QueryResultRow>(
    text: string,
    values: unknown[],
    timeoutMs: Ms,
  ): Promise<pg.QueryResult<Row>> {
    const deadline = monotonicNow() + timeoutMs;
    const client = await this.#connect(timeoutMs);
    try {
      if (this.#plansAnew(client)) client.query('DISCARD PLANS').catch(() => undefined);
      const result = await client.query<Row>(this.#statement(deadline, text, values, statementName(text)));
      client.release();
      return result;
    } catch (error) {
      // What the server refuses has changed nothing, and leaves the connection as it was; else it may have been done.
      const refused = isVerdict(error);
      client.release(!refused);
      throw refused ? error : new CommitUncertain(error);
    }
  }

  /** `work` again, with its statements sent whole, where a pooler has given us a connection that does not know them. */
  async #whole<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isLostStatement(error)) throw error;
      // From now on.
      this.#keepsStatements = false;
      return work();
    }
  }

  async #once<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    const deadline = monotonicNow() + options.timeoutMs;
    const client = await this.#connect(options.timeoutMs);
    let committing = false;
    const run = <Row extends pg.QueryResultRow>(text: string, values?: unknown[], name?: string) =>
      client.query<Row>(this.#statement(deadline, text, values, name));
    const sent: Promise<unknown>[] = [];
    const send = <Row extends pg.QueryResultRow>(...statement: Parameters<typeof run>) => {
      const answer = run<Row>(...statement);
      // Whoever does not look at it is told at the end.
      answer.catch(() => undefined);
      sent.push(answer);
      return answer;
    };
    try {
      const limit = `SET LOCAL statement_timeout = ${msUntil(deadline)}`;
      const mode = options.readOnly ? 'BEGIN READ ONLY' : 'BEGIN';
      const flush = options.unflushed ? '; SET LOCAL synchronous_commit = off' : '';
      const anew = !options.readOnly && this.#plansAnew(client) ? 'DISCARD PLANS; ' : '';
      const role = this.#role === undefined ? '' : `; SET LOCAL ROLE ${pg.escapeIdentifier(this.#role)}`;
      send(`${anew}${mode}; ${this.#prologue}; ${limit}${flush}${role}`);
      const result = await work({ query: run, send });
      if (monotonicNow() >= deadline) throw new Error('the transaction took too long');
      // Before it is known whether the last ones succeed: COMMIT of a failed transaction rolls it back.
      committing = true;
      send('COMMIT');
      const answers = await Promise.all(sent);
      const outcome = answers.at(-1) as pg.QueryResult;
      // COMMIT of a failed transaction answers ROLLBACK instead of an error.
      if (outcome.command !== 'COMMIT') throw new Error('the transaction was rolled back');
      client.release();
      return result;
    } catch (caught) {
      // The first that failed is why the others did.
      const error = await Promise.all(sent).then(
        () => caught,
        (first: unknown) => first,
      );
      if (isVerdict(error) && !committing) {
        const clean = await run('ROLLBACK').then(
          () => true,
          () => false,
        );
        client.release(!clean);
        throw error;
      }
      client.release(true);
      throw committing && !isVerdict(error) ? new CommitUncertain(error) : error;
    }
  }

  /** As the driver takes it, with the driver's own limit: a hung server answers nothing, not even its statement_timeout. */
  #statement(deadline: Ms, text: string, values: unknown[] | undefined, name: string | undefined) {
    const kept = this.#keepsStatements && name !== undefined ? { name } : {};
    return { text, values, ...kept, query_timeout: msUntil(deadline) };
  }

  /**
   * A server keeps the plans of its foreign-key checks with the connection. One made while a table was empty, when any index
   * of the tenant's rows seemed as good as the right one, reads all of them for every row that is written, until somebody
   * analyses the table. So they are made anew after 16 transactions, 32, 64 and so on.
   */
  #plansAnew(client: pg.PoolClient): boolean {
    const written = (this.#written.get(client) ?? 0) + 1;
    this.#written.set(client, written);
    return written >= 16 && (written & (written - 1)) === 0;
  }

  async #connect(timeoutMs: Ms): Promise<pg.PoolClient> {
    let timer: NodeJS.Timeout | undefined;
    let late = false;
    const connecting = this.#pool.connect();
    // A connection that comes after its time goes back to the pool unused.
    connecting.then(
      (client) => late && client.release(),
      () => undefined,
    );
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        reject(new Error('no database connection in time'));
      }, timeoutMs);
    });
    try {
      return await Promise.race([connecting, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
