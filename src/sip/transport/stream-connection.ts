import type { Socket } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { transportFailure } from '../errors.ts';
import { StreamFramer } from '../message/stream-framer.ts';
import type { Connection, ConnectionFacts } from './connection-table.ts';
import { ConnectionWatch, type Verdict } from './connection-watch.ts';
import { type Endpoint, type PeerIdentity, plainAddress, type Transport } from './flow.ts';

const PING = Buffer.from('\r\n\r\n');
const PONG = Buffer.from('\r\n');
const CR = 0x0d;
const LF = 0x0a;

export interface StreamFacts extends ConnectionFacts {
  socket: Socket;
  /** The one the peer showed, in DER. */
  certificate: Buffer | undefined;
  /** The peer opened it. */
  accepted: boolean;
}

/** One TCP or TLS connection, whoever opened it. Closes itself when the stream cannot be followed any more. */
export class StreamConnection implements Connection {
  readonly reliable = true;
  readonly transport: Transport;
  readonly protocol: 'tcp' | 'tls';
  readonly secure: boolean;
  readonly peer: PeerIdentity | undefined;
  readonly certificate: Buffer | undefined;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #facts: StreamFacts;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  readonly #watch: ConnectionWatch;
  #started = false;

  constructor(facts: StreamFacts) {
    const { socket, transport } = facts;
    this.#facts = facts;
    this.#socket = socket;
    this.transport = transport;
    this.protocol = transport.protocol === 'tls' ? 'tls' : 'tcp';
    this.secure = this.protocol === 'tls';
    this.peer = facts.peer;
    this.certificate = facts.certificate;
    this.remote = facts.remote;
    this.local = { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
    this.#framer = new StreamFramer(facts.limits);
    this.#watch = new ConnectionWatch(facts.connections, facts.accepted, monotonicNow());
    socket.on('data', (segment) => this.#receive(segment));
    socket.on('error', (error) => facts.log.debug({ err: error, remote: this.remote.address }, 'connection error'));
    socket.on('close', () => facts.onClosed());
  }

  get open(): boolean {
    return this.#socket.writable;
  }

  send(bytes: Buffer, failed: (error: Failure) => void): void {
    this.#watch.said(monotonicNow());
    if (this.open) this.#facts.events.onSent?.(bytes, this);
    this.#write(bytes, failed);
  }

  judge(now: Ms, inUse: () => boolean): Verdict {
    return this.#watch.judge(now, inUse);
  }

  /** Double CRLF: keeps NATs open, and peers that know RFC 5626 answer it. */
  ping(): void {
    this.#write(PING, () => undefined);
  }

  /** Lets what is written go out, then closes; a peer that does not close its side is cut off. */
  end(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #write(bytes: Buffer, failed: (error: Failure) => void): void {
    const name = this.protocol.toUpperCase();
    if (!this.open) {
      failed(transportFailure(`the ${name} connection is closed`));
      return;
    }
    if (this.#socket.writableLength + bytes.length > this.#facts.connections.pendingBytes) {
      this.#socket.destroy();
      failed(transportFailure(`the peer does not read from its ${name} connection`));
      return;
    }
    this.#socket.write(bytes, (error) => {
      if (error !== null && error !== undefined) failed(transportFailure(`${name}: ${error.message}`, error));
    });
  }

  #receive(segment: Buffer): void {
    const now = monotonicNow();
    this.#watch.heard(now);
    if (segment.length === 2 && segment[0] === CR && segment[1] === LF && !this.#framer.inMessage) this.#watch.pong();
    if (!this.#started) {
      this.#started = true;
      if (!mayBeSip(segment)) {
        this.#facts.log.debug({ remote: this.remote.address }, 'connection closed: not SIP');
        this.#socket.destroy();
        return;
      }
    }
    const framed = this.#framer.push(segment);
    for (const one of framed) {
      switch (one.type) {
        case 'message':
          this.#sensible();
          this.#facts.events.onMessage(one.message, this, one.bytes);
          break;
        case 'ping':
          this.#sensible();
          this.#write(PONG, () => undefined);
          break;
        case 'bad-message':
          this.#facts.events.onBadMessage(one.error, this, one.bytes);
          if (this.#watch.wrong()) this.end();
          break;
        case 'broken':
          this.#facts.events.onBadMessage(one.error, this, one.bytes);
          this.end();
          break;
      }
    }
    this.#watch.inMessage(this.#framer.inMessage, framed.length > 0, now);
  }

  #sensible(): void {
    if (this.#watch.sensible()) this.#facts.onProven();
  }
}

/** Longest method a real peer sends, with room to spare. */
const LONGEST_METHOD = 64;

/**
 * Looks at the first bytes of a connection: TLS on a port without TLS, HTTP and other garbage are cut off at once,
 * without being held until their headers end. A start line that is not whole yet passes.
 */
function mayBeSip(bytes: Buffer): boolean {
  if (bytes[0] === CR || bytes[0] === LF) return true;
  const end = bytes.indexOf(LF);
  if (end !== -1) return /(^SIP\/| SIP\/)/i.test(bytes.toString('latin1', 0, Math.min(end, 4096)));
  const space = bytes.indexOf(0x20);
  const method = bytes.toString('latin1', 0, space === -1 ? Math.min(bytes.length, LONGEST_METHOD + 1) : space);
  return method.length <= LONGEST_METHOD && /^[A-Za-z0-9.!%*_+`'~/-]+$/.test(method);
}
