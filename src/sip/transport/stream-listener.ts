import { createServer, type Server, type Socket } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { bindFailure } from '../errors.ts';
import type { ConnectionGate, Pass } from './connection-gate.ts';
import { keyOf } from './connection-table.ts';
import { type Endpoint, plainAddress } from './flow.ts';

export interface ListenerOptions {
  /** For messages to people: tcp, tls ... */
  name: string;
  host: string;
  port: number;
  /** `::` without IPv4, because another listener has that. */
  ipv6Only: boolean;
  gate: ConnectionGate;
  /** A connection that is not handed on by then is cut off. */
  handshakeMs: Ms;
  log: Logger;
}

/** A listening TCP port behind the gate. What is spoken on the sockets is for others to know. */
export class StreamListener {
  readonly #options: ListenerOptions;
  readonly #onSocket: (socket: Socket) => void;
  /** By remote address and port: TLS and HTTP hand on sockets of their own that wrap the accepted one. */
  readonly #passes = new Map<string, Pass>();
  /** In the middle of a handshake. */
  readonly #waiting = new Map<string, { socket: Socket; timer: NodeJS.Timeout }>();
  #server: Server | undefined;
  #bound: Endpoint;

  constructor(options: ListenerOptions, onSocket: (socket: Socket) => void) {
    this.#options = options;
    this.#onSocket = onSocket;
    this.#bound = { address: options.host, port: options.port };
  }

  get bound(): Endpoint {
    return this.#bound;
  }

  /** @throws Failure when the address cannot be bound */
  async listen(): Promise<void> {
    const { name, host, port, ipv6Only, log } = this.#options;
    const server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(bindFailure(`cannot listen on ${name} ${host}:${port}`, cause)));
      server.listen({ host, port, ipv6Only }, () => resolve());
    });
    server.removeAllListeners('error');
    server.on('error', (error) => log.warn({ err: error }, `${name} listener error`));
    const address = server.address();
    if (address !== null && typeof address === 'object') {
      this.#bound = { address: address.address, port: address.port };
    }
    this.#server = server;
  }

  /** The handshake is over: whoever has the connection now will close it. */
  handedOn(remote: Endpoint): void {
    const key = keyOf(remote);
    clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.delete(key);
  }

  /** The connection from there has brought something sensible. */
  prove(remote: Endpoint): void {
    this.#passes.get(keyOf(remote))?.prove();
  }

  /** Takes no more connections and cuts off those in mid-handshake; resolves when all are closed. Idempotent. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const { socket } of this.#waiting.values()) socket.destroy();
    });
  }

  #accept(socket: Socket): void {
    const remote = remoteOf(socket);
    const pass =
      remote === undefined || this.#server === undefined
        ? undefined
        : this.#options.gate.accept(remote.address, monotonicNow(), () => socket.destroy());
    socket.on('error', (error) => this.#options.log.debug({ err: error, remote }, `${this.#options.name} error`));
    if (remote === undefined || pass === undefined || typeof pass === 'string') {
      // A reset leaves nothing behind on our side; an orderly close would leave a socket in TIME_WAIT.
      socket.resetAndDestroy();
      return;
    }
    const key = keyOf(remote);
    this.#passes.set(key, pass);
    const timer = setTimeout(() => socket.destroy(), this.#options.handshakeMs);
    this.#waiting.set(key, { socket, timer });
    socket.once('close', () => {
      pass.leave();
      clearTimeout(timer);
      if (this.#waiting.get(key)?.socket === socket) this.#waiting.delete(key);
      if (this.#passes.get(key) === pass) this.#passes.delete(key);
    });
    this.#onSocket(socket);
  }
}

/** undefined when it is gone already. */
export function remoteOf(socket: Socket): Endpoint | undefined {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { address: plainAddress(remoteAddress), port: remotePort };
}
