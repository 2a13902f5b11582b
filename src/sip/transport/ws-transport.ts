import { createServer as createHttp, type Server as HttpServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Logger } from '../../core/log.ts';
import { transportFailure } from '../errors.ts';
import type { ParseLimits } from '../message/parse.ts';
import type { ConnectionGate } from './connection-gate.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { ConnectionTable, keyOf } from './connection-table.ts';
import { type Endpoint, type Flow, plainAddress, type Transport, type TransportEvents } from './flow.ts';
import { remoteOf, StreamListener } from './stream-listener.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import { WsConnection } from './ws-connection.ts';

/** The registered sub-protocol (RFC 7118 4.1). */
const SUB_PROTOCOL = 'sip';
/** Headers of the upgrade, cookies of the page included. */
const MAX_UPGRADE_BYTES = 8_192;

export interface WsOptions {
  host: string;
  port: number;
  ipv6Only: boolean;
  limits: ParseLimits;
  connections: ConnectionLimits;
  gate: ConnectionGate;
  /** Given: WSS, else WS. */
  credentials?: TlsCredentials | undefined;
  /** Pages that may connect, as `https://phone.example`; any when undefined. Clients that are no browser send no Origin. */
  origins?: readonly string[] | 'this-machine' | undefined;
  log: Logger;
}

/** SIP over WebSocket (RFC 7118), as the server: clients connect, we never do. */
export class WsTransport implements Transport {
  readonly protocol: 'ws' | 'wss';
  readonly #options: WsOptions;
  readonly #events: TransportEvents;
  readonly #listener: StreamListener;
  readonly #table: ConnectionTable<WsConnection>;
  readonly #webSockets: WebSocketServer;
  #closed = false;

  constructor(options: WsOptions, events: TransportEvents) {
    const { host, port, ipv6Only, limits, connections, gate, credentials, log } = options;
    this.protocol = credentials === undefined ? 'ws' : 'wss';
    this.#options = options;
    this.#events = events;
    this.#table = new ConnectionTable(log, (flow) => events.inUse?.(flow) ?? false);
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compression costs memory for each connection, and messages are small.
      perMessageDeflate: false,
      maxPayload: limits.headBytes + limits.bodyBytes,
      handleProtocols: (offered) => (offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false),
    });
    const http = this.#httpServer();
    const { handshakeMs } = connections;
    const listening = { name: this.protocol, host, port, ipv6Only, gate, handshakeMs, log };
    this.#listener = new StreamListener(listening, (socket) => http.emit('connection', socket));
  }

  get bound(): Endpoint {
    return this.#listener.bound;
  }

  get connections(): number {
    return this.#table.size;
  }

  async listen(): Promise<void> {
    await this.#listener.listen();
    this.#table.start();
  }

  async flowTo(target: Endpoint): Promise<Flow> {
    const existing = this.existingTo(target);
    if (existing === undefined) throw transportFailure('the WebSocket of that client is closed');
    return existing;
  }

  existingTo(target: Endpoint): Flow | undefined {
    return this.#table.get(keyOf(target));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#table.close();
    await this.#listener.close();
  }

  /** Listens to nothing itself: it gets the sockets that passed the gate. */
  #httpServer(): HttpServer {
    const { credentials, log } = this.#options;
    const limits = { maxHeaderSize: MAX_UPGRADE_BYTES, keepAliveTimeout: 1 };
    const server =
      credentials === undefined
        ? createHttp(limits)
        : createHttps({
            // Browsers would ask their users for one; those authenticate by other means.
            ...credentials.serverOptions('none'),
            ...limits,
            handshakeTimeout: this.#options.connections.handshakeMs,
          });
    if ('setSecureContext' in server) {
      credentials?.onChange(() => server.setSecureContext(credentials.serverOptions('none')));
      credentials?.staple(server);
    }
    server.on('request', (_, response) => {
      const headers = { Upgrade: 'websocket', Connection: 'close', 'Content-Type': 'text/plain' };
      response.writeHead(426, headers).end('SIP over WebSocket only (RFC 7118)\n');
    });
    server.on('tlsClientError', (error: Error, socket: Socket) => {
      log.debug({ err: error, remote: socket.remoteAddress }, 'TLS handshake failed');
      socket.destroy();
    });
    server.on('clientError', (error: Error, socket: Duplex) => {
      log.debug({ err: error }, 'not HTTP on a WebSocket port');
      socket.destroy();
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    return server;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const fault = this.#fault(request);
    if (fault !== undefined) {
      this.#options.log.info({ origin: request.headers.origin?.slice(0, 100), status: fault }, 'WebSocket refused');
      socket.end(`HTTP/1.1 ${fault} ${STATUS_CODES[fault]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const remote = remoteOf(request.socket);
    if (remote === undefined || this.#closed) {
      socket.destroy();
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#listener.handedOn(remote);
      const { limits, connections, log } = this.#options;
      const { localAddress, localPort } = request.socket;
      const key = keyOf(remote);
      const connection = new WsConnection({
        transport: this,
        webSocket,
        remote,
        local: { address: plainAddress(localAddress ?? ''), port: localPort ?? 0 },
        peer: undefined,
        limits,
        connections,
        events: this.#events,
        log,
        onProven: () => this.#listener.prove(remote),
        onClosed: () => this.#table.remove(key, connection),
      });
      this.#table.add(key, connection);
    });
  }

  /** HTTP status that refuses the upgrade. */
  #fault(request: IncomingMessage): number | undefined {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim().toLowerCase());
    if (!offered.includes(SUB_PROTOCOL)) return 400;
    const { origin } = request.headers;
    const { origins } = this.#options;
    if (origin === undefined || origins === undefined) return undefined;
    const welcome = origins === 'this-machine' ? isOfThisMachine(origin) : origins.includes(origin.toLowerCase());
    return welcome ? undefined : 403;
  }
}

/** A page that this machine serves to its own browser. */
function isOfThisMachine(origin: string): boolean {
  return URL.canParse(origin) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(origin).hostname);
}
