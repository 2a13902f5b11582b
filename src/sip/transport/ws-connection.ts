import { isUtf8 } from 'node:buffer';
import type { RawData, WebSocket } from 'ws';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { transportFailure } from '../errors.ts';
import { parseDatagram, SipParseError } from '../message/parse.ts';
import type { Connection, ConnectionFacts } from './connection-table.ts';
import { ConnectionWatch, type Verdict } from './connection-watch.ts';
import type { Endpoint, PeerIdentity, Transport } from './flow.ts';

const CR = 0x0d;
const PONG = Buffer.from('\r\n');
/** RFC 6455 7.4.1 */
const NORMAL = 1000;
const POLICY = 1008;

export interface WsFacts extends ConnectionFacts {
  webSocket: WebSocket;
  local: Endpoint;
}

/** One WebSocket of a browser or another client: each message is one SIP message (RFC 7118 4.2). */
export class WsConnection implements Connection {
  readonly reliable = true;
  readonly transport: Transport;
  readonly protocol: 'ws' | 'wss';
  readonly secure: boolean;
  readonly peer: PeerIdentity | undefined;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #facts: WsFacts;
  readonly #webSocket: WebSocket;
  readonly #watch: ConnectionWatch;
  #pingedAt: Ms;
  #answered = true;

  constructor(facts: WsFacts) {
    const { webSocket, transport } = facts;
    this.#facts = facts;
    this.#webSocket = webSocket;
    this.transport = transport;
    this.protocol = transport.protocol === 'wss' ? 'wss' : 'ws';
    this.secure = this.protocol === 'wss';
    this.peer = facts.peer;
    this.remote = facts.remote;
    this.local = facts.local;
    const now = monotonicNow();
    this.#pingedAt = now;
    this.#watch = new ConnectionWatch(facts.connections, true, now);
    webSocket.on('message', (data) => this.#receive(data));
    webSocket.on('pong', () => this.#heard());
    webSocket.on('ping', () => this.#heard());
    // E.g. a message that is too large: ws closes the connection with the right code.
    webSocket.on('error', (error) => facts.log.debug({ err: error, remote: facts.remote.address }, 'WebSocket error'));
    webSocket.on('close', () => facts.onClosed());
  }

  get open(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  send(bytes: Buffer, failed: (error: Failure) => void): void {
    this.#watch.said(monotonicNow());
    if (this.open) this.#facts.events.onSent?.(bytes, this);
    this.#write(bytes, failed);
  }

  /** WebSocket pings find out whoever has gone without saying so; browsers answer them by themselves. */
  judge(now: Ms, inUse: () => boolean): Verdict {
    const { webSocketPingMs } = this.#facts.connections;
    if (now - this.#pingedAt > webSocketPingMs) {
      if (!this.#answered) return { close: 'no answer to a ping' };
      this.#pingedAt = now;
      this.#answered = false;
      this.ping();
    }
    const verdict = this.#watch.judge(now, inUse);
    return verdict === 'ping' ? 'fine' : verdict;
  }

  ping(): void {
    if (this.open) this.#webSocket.ping();
  }

  end(): void {
    if (this.#answered && this.open) this.#webSocket.close(NORMAL);
    else this.#webSocket.terminate();
  }

  #write(bytes: Buffer, failed: (error: Failure) => void): void {
    if (!this.open) {
      failed(transportFailure('the WebSocket is closed'));
      return;
    }
    if (this.#webSocket.bufferedAmount + bytes.length > this.#facts.connections.pendingBytes) {
      this.#webSocket.terminate();
      failed(transportFailure('the peer does not read from its WebSocket'));
      return;
    }
    // Text is what scripts in browsers read most easily; a body need not be text.
    this.#webSocket.send(bytes, { binary: !isUtf8(bytes) }, (error) => {
      if (error !== null && error !== undefined) failed(transportFailure(`WebSocket: ${error.message}`, error));
    });
  }

  #heard(): void {
    this.#answered = true;
    this.#watch.heard(monotonicNow());
  }

  #receive(data: RawData): void {
    this.#heard();
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const first = bytes[0];
    if (first === undefined) return;
    if (first === CR && bytes.length <= 4) {
      this.#sensible();
      // A client's double CRLF asks for one back; a single one is an answer (RFC 5626 3.5.1).
      if (bytes.length === 4) this.#write(PONG, () => undefined);
      return;
    }
    const { events, limits } = this.#facts;
    try {
      const message = parseDatagram(bytes, limits);
      this.#sensible();
      events.onMessage(message, this, bytes);
    } catch (error) {
      events.onBadMessage(error instanceof SipParseError ? error : new SipParseError(String(error), 400), this, bytes);
      if (this.#watch.wrong()) this.#webSocket.close(POLICY);
    }
  }

  #sensible(): void {
    if (this.#watch.sensible()) this.#facts.onProven();
  }
}
