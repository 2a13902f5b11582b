import { createServer, isIPv6, type Server, Socket } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { bindFailure, transportFailure } from '../errors.ts';
import type { ParseLimits } from '../message/parse.ts';
import { type Endpoint, type Flow, plainAddress, type Transport, type TransportEvents } from './flow.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface ConnectionLimits {
  /** Connections, both directions together. Further ones are closed at once, further requests of ours fail with 503. */
  maxConnections: number;
  /** A connection without traffic is closed after this long. */
  idleMs: Ms;
  /** A message has to be whole this long after its first byte. */
  messageMs: Ms;
  connectMs: Ms;
  /** Bytes the kernel has not taken yet; a peer that does not read is cut off. */
  pendingBytes: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 2_000,
  idleMs: 600_000,
  messageMs: 10_000,
  connectMs: 4_000,
  pendingBytes: 262_144,
};

const SWEEP_EVERY: Ms = 2_000;

export interface TcpOptions {
  host: string;
  port: number;
  limits: ParseLimits;
  connections: ConnectionLimits;
  log: Logger;
}

export class TcpTransport implements Transport {
  readonly protocol = 'tcp';
  readonly #options: TcpOptions;
  readonly #events: TransportEvents;
  readonly #connections = new Set<TcpConnection>();
  /** By remote address and port. */
  readonly #byRemote = new Map<string, TcpConnection>();
  readonly #connecting = new Map<string, Promise<Flow>>();
  #server: Server | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #bound: Endpoint;
  #closed = false;

  constructor(options: TcpOptions, events: TransportEvents) {
    this.#options = options;
    this.#events = events;
    this.#bound = { address: options.host, port: options.port };
  }

  get bound(): Endpoint {
    return this.#bound;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async listen(): Promise<void> {
    const { host, port, log } = this.#options;
    const server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(bindFailure(`cannot listen on tcp ${host}:${port}`, cause)));
      server.listen({ host, port, ipv6Only: isIPv6(host) && host !== '::' }, () => resolve());
    });
    server.removeAllListeners('error');
    server.on('error', (error) => log.warn({ err: error }, 'TCP listener error'));
    const address = server.address();
    if (address !== null && typeof address === 'object') {
      this.#bound = { address: address.address, port: address.port };
    }
    this.#server = server;
    this.#sweeper = setInterval(() => this.#sweep(monotonicNow()), SWEEP_EVERY);
    this.#sweeper.unref();
  }

  async flowTo(remote: Endpoint): Promise<Flow> {
    const key = keyOf(remote);
    const existing = this.#byRemote.get(key);
    if (existing?.open) return existing;
    let connecting = this.#connecting.get(key);
    if (connecting === undefined) {
      connecting = this.#connect(remote).finally(() => this.#connecting.delete(key));
      this.#connecting.set(key, connecting);
    }
    return connecting;
  }

  existingTo(remote: Endpoint): Flow | undefined {
    const existing = this.#byRemote.get(keyOf(remote));
    return existing?.open ? existing : undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#sweeper);
    for (const connection of this.#connections) connection.end();
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #connect(remote: Endpoint): Promise<Flow> {
    if (this.#closed) throw transportFailure('the TCP transport is closed');
    // Those being opened count too: a burst must not run past the limit.
    if (this.#connections.size + this.#connecting.size >= this.#options.connections.maxConnections) {
      throw transportFailure('no room for another TCP connection');
    }
    const socket = new Socket();
    await new Promise<void>((resolve, reject) => {
      const give = (error: Failure) => {
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => give(transportFailure(`TCP to ${keyOf(remote)}: no answer`)),
        this.#options.connections.connectMs,
      );
      socket.once('error', (error) => {
        clearTimeout(timer);
        give(transportFailure(`TCP to ${keyOf(remote)}: ${error.message}`, error));
      });
      socket.connect({ host: remote.address, port: remote.port }, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (this.#closed) {
      socket.destroy();
      throw transportFailure('the TCP transport is closed');
    }
    socket.removeAllListeners('error');
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    return this.#adopt(socket, remote);
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined || this.#closed) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= this.#options.connections.maxConnections) {
      this.#options.log.warn({ remote: remoteAddress }, 'TCP connection refused: at the limit');
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.#adopt(socket, { address: plainAddress(remoteAddress), port: remotePort });
  }

  #adopt(socket: Socket, remote: Endpoint): TcpConnection {
    const connection = new TcpConnection(this, socket, remote, this.#options, this.#events, () => {
      this.#connections.delete(connection);
      if (this.#byRemote.get(keyOf(remote)) === connection) this.#byRemote.delete(keyOf(remote));
    });
    this.#connections.add(connection);
    this.#byRemote.set(keyOf(remote), connection);
    return connection;
  }

  #sweep(now: Ms): void {
    for (const connection of this.#connections) {
      const overdue = connection.overdue(now);
      if (overdue === undefined) continue;
      this.#options.log.info({ remote: keyOf(connection.remote) }, `TCP connection closed: ${overdue}`);
      connection.end();
    }
  }
}

function keyOf(remote: Endpoint): string {
  return `${remote.address}:${remote.port}`;
}
