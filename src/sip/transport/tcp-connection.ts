import type { Socket } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { transportFailure } from '../errors.ts';
import { StreamFramer } from '../message/stream-framer.ts';
import { type Endpoint, type Flow, plainAddress, type Transport, type TransportEvents } from './flow.ts';
import type { TcpOptions } from './tcp.ts';

const PONG = Buffer.from('\r\n');

/** One TCP connection, whoever opened it. Closes itself when the stream cannot be followed any more. */
export class TcpConnection implements Flow {
  readonly protocol = 'tcp';
  readonly reliable = true;
  readonly secure = false;
  readonly peer = undefined;
  readonly transport: Transport;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  readonly #options: TcpOptions;
  readonly #events: TransportEvents;
  #lastTraffic: Ms = monotonicNow();
  #messageSince: Ms | undefined;

  constructor(
    transport: Transport,
    socket: Socket,
    remote: Endpoint,
    options: TcpOptions,
    events: TransportEvents,
    onClosed: () => void,
  ) {
    this.transport = transport;
    this.#socket = socket;
    this.remote = remote;
    this.local = { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
    this.#options = options;
    this.#events = events;
    this.#framer = new StreamFramer(options.limits);
    socket.on('data', (segment) => this.#receive(segment));
    socket.on('error', (error) => options.log.debug({ err: error, remote: remote.address }, 'TCP connection error'));
    socket.on('close', onClosed);
  }

  get open(): boolean {
    return this.#socket.writable;
  }

  send(bytes: Buffer, failed: (error: Failure) => void): void {
    if (!this.open) {
      failed(transportFailure('the TCP connection is closed'));
      return;
    }
    if (this.#socket.writableLength + bytes.length > this.#options.connections.pendingBytes) {
      this.#socket.destroy();
      failed(transportFailure('the peer does not read from its TCP connection'));
      return;
    }
    this.#lastTraffic = monotonicNow();
    this.#socket.write(bytes, (error) => {
      if (error !== null && error !== undefined) failed(transportFailure(`TCP: ${error.message}`, error));
    });
  }

  /** Why it has to be closed by now, if it has. */
  overdue(now: Ms): string | undefined {
    const { idleMs, messageMs } = this.#options.connections;
    if (this.#messageSince !== undefined && now - this.#messageSince > messageMs) return 'half a message for too long';
    return now - this.#lastTraffic > idleMs ? 'idle' : undefined;
  }

  /** Lets what is written go out, then closes; a peer that does not close its side is cut off. */
  end(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #receive(segment: Buffer): void {
    const now = monotonicNow();
    this.#lastTraffic = now;
    for (const framed of this.#framer.push(segment)) {
      switch (framed.type) {
        case 'message':
          this.#events.onMessage(framed.message, this);
          break;
        case 'ping':
          this.send(PONG, () => undefined);
          break;
        case 'bad-message':
          this.#events.onBadMessage(framed.error, this);
          break;
        case 'broken':
          this.#events.onBadMessage(framed.error, this);
          this.end();
          break;
      }
      this.#messageSince = undefined;
    }
    this.#messageSince = this.#framer.inMessage ? (this.#messageSince ?? now) : undefined;
  }
}
