import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { ParseLimits } from '../message/parse.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Verdict } from './connection-watch.ts';
import type { Endpoint, Flow, PeerIdentity, Transport, TransportEvents } from './flow.ts';

const SWEEP_EVERY: Ms = 2_000;

/** What the table needs of a connection. */
export interface Connection extends Flow {
  judge(now: Ms, inUse: () => boolean): Verdict;
  ping(): void;
  /** Lets what is written go out, then closes. */
  end(): void;
}

/** What a connection is given, whatever it runs on. */
export interface ConnectionFacts {
  transport: Transport;
  remote: Endpoint;
  peer: PeerIdentity | undefined;
  limits: ParseLimits;
  connections: ConnectionLimits;
  events: TransportEvents;
  log: Logger;
  /** The first sensible thing has come. */
  onProven(): void;
  onClosed(): void;
}

/** The connections of one transport: found by where they lead, looked after every two seconds. */
export class ConnectionTable<C extends Connection> {
  readonly #log: Logger;
  readonly #inUse: (flow: Flow) => boolean;
  readonly #all = new Set<C>();
  readonly #byKey = new Map<string, C>();
  #sweeper: NodeJS.Timeout | undefined;

  /** `inUse`: does a call need this connection? */
  constructor(log: Logger, inUse: (flow: Flow) => boolean) {
    this.#log = log;
    this.#inUse = inUse;
  }

  get size(): number {
    return this.#all.size;
  }

  start(): void {
    this.#sweeper = setInterval(() => this.#sweep(monotonicNow()), SWEEP_EVERY);
    this.#sweeper.unref();
  }

  add(key: string, connection: C): void {
    this.#all.add(connection);
    this.#byKey.set(key, connection);
  }

  remove(key: string, connection: C): void {
    this.#all.delete(connection);
    if (this.#byKey.get(key) === connection) this.#byKey.delete(key);
  }

  /** Only while it is open. */
  get(key: string): C | undefined {
    const found = this.#byKey.get(key);
    return found?.open ? found : undefined;
  }

  endWhere(condition: (connection: C) => boolean, why: string): void {
    for (const connection of this.#all) if (condition(connection)) this.#end(connection, why);
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const connection of this.#all) connection.end();
  }

  #sweep(now: Ms): void {
    for (const connection of this.#all) {
      const verdict = connection.judge(now, () => this.#inUse(connection));
      if (verdict === 'ping') connection.ping();
      else if (verdict !== 'fine') this.#end(connection, verdict.close);
    }
  }

  #end(connection: C, why: string): void {
    const { protocol, remote } = connection;
    this.#log.info({ remote: keyOf(remote) }, `${protocol.toUpperCase()} connection closed: ${why}`);
    connection.end();
  }
}

export function keyOf(remote: Endpoint): string {
  return `${remote.address}:${remote.port}`;
}
