import { X509Certificate } from 'node:crypto';
import { isIP, Socket } from 'node:net';
import {
  checkServerIdentity,
  createServer,
  type PeerCertificate,
  type Server,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { transportFailure } from '../errors.ts';
import type { ParseLimits } from '../message/parse.ts';
import type { ConnectionGate } from './connection-gate.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { ConnectionTable, keyOf } from './connection-table.ts';
import type { Endpoint, Flow, Target, Transport, TransportEvents } from './flow.ts';
import { objectionTo } from './ocsp.ts';
import { altNamesIn, identityOf } from './peer-identity.ts';
import { StreamConnection } from './stream-connection.ts';
import { remoteOf, StreamListener } from './stream-listener.ts';
import type { TlsCredentials } from './tls-credentials.ts';

export interface StreamOptions {
  host: string;
  port: number;
  ipv6Only: boolean;
  limits: ParseLimits;
  connections: ConnectionLimits;
  gate: ConnectionGate;
  /** Given: TLS, else TCP. */
  credentials?: TlsCredentials | undefined;
  log: Logger;
}

/** Connections of TCP, or of TLS when there are credentials (RFC 3261 18, RFC 5922). */
export class StreamTransport implements Transport {
  readonly protocol: 'tcp' | 'tls';
  readonly #options: StreamOptions;
  readonly #events: TransportEvents;
  readonly #listener: StreamListener;
  readonly #table: ConnectionTable<StreamConnection>;
  readonly #connecting = new Map<string, Promise<Flow>>();
  readonly #tls: Server | undefined;
  #closed = false;

  constructor(options: StreamOptions, events: TransportEvents) {
    this.protocol = options.credentials === undefined ? 'tcp' : 'tls';
    this.#options = options;
    this.#events = events;
    this.#table = new ConnectionTable(options.log, (flow) => events.inUse?.(flow) ?? false);
    if (options.credentials !== undefined) this.#tls = this.#secureServer(options.credentials);
    const { host, port, ipv6Only, gate, log } = options;
    const { handshakeMs } = options.connections;
    // Behind the gate, so that a refused peer costs no handshake.
    this.#listener = new StreamListener(
      { name: this.protocol, host, port, ipv6Only, gate, handshakeMs, log },
      (socket) => {
        if (this.#tls === undefined) this.#accepted(socket);
        else this.#tls.emit('connection', socket);
      },
    );
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

  async flowTo(target: Target): Promise<Flow> {
    const key = this.#keyTo(target);
    const existing = this.#table.get(key);
    if (existing !== undefined) return existing;
    let connecting = this.#connecting.get(key);
    if (connecting === undefined) {
      connecting = this.#connect(target, key).finally(() => this.#connecting.delete(key));
      this.#connecting.set(key, connecting);
    }
    return connecting;
  }

  existingTo(target: Target): Flow | undefined {
    return this.#table.get(this.#keyTo(target));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#table.close();
    await this.#listener.close();
  }

  /** What was verified for one name is not good for another. */
  #keyTo(target: Target): string {
    return this.#tls === undefined ? keyOf(target) : `${keyOf(target)} ${target.name ?? target.address}`;
  }

  #secureServer(credentials: TlsCredentials): Server {
    const { connections, log } = this.#options;
    const server = createServer({ ...credentials.serverOptions(), handshakeTimeout: connections.handshakeMs });
    server.on('secureConnection', (socket) => this.#accepted(socket));
    server.on('tlsClientError', (error, socket) => {
      log.debug({ err: error, remote: socket.remoteAddress }, 'TLS handshake failed');
      socket.destroy();
    });
    credentials.staple(server);
    credentials.onChange(() => {
      server.setSecureContext(credentials.serverOptions());
      this.#table.endWhere(
        ({ certificate }) => certificate !== undefined && credentials.hasRevoked(certificate),
        'its certificate has been revoked',
      );
    });
    return server;
  }

  #accepted(socket: Socket): void {
    const remote = remoteOf(socket);
    if (remote === undefined || this.#closed) {
      socket.destroy();
      return;
    }
    this.#listener.handedOn(remote);
    this.#adopt(socket, remote, keyOf(remote), true, () => undefined);
  }

  async #connect(target: Target, key: string): Promise<Flow> {
    if (this.#closed) throw transportFailure(`the ${this.protocol} transport is closed`);
    const pass = this.#options.gate.connect();
    if (pass === undefined) throw transportFailure('no room for another connection');
    let socket: Socket;
    try {
      socket = await this.#dial(target);
    } catch (error) {
      pass.leave();
      throw error;
    }
    if (this.#closed) {
      pass.leave();
      socket.destroy();
      throw transportFailure(`the ${this.protocol} transport is closed`);
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    return this.#adopt(socket, { address: target.address, port: target.port }, key, false, () => pass.leave());
  }

  #dial(target: Target): Promise<Socket> {
    const { credentials, connections } = this.#options;
    const name = target.name ?? target.address;
    const place = { host: target.address, port: target.port };
    const socket =
      credentials === undefined
        ? new Socket()
        : tlsConnect({
            ...place,
            ...credentials.clientOptions(),
            requestOCSP: true,
            // SNI takes names only (RFC 6066 3).
            ...(isIP(name) === 0 ? { servername: name } : {}),
            checkServerIdentity: (_, certificate) => checkSipIdentity(name, certificate),
          });
    return connected(socket, {
      what: `${this.protocol.toUpperCase()} to ${keyOf(target)}`,
      withinMs: connections.connectMs,
      begin: (ready) => {
        if (credentials === undefined) socket.connect(place, ready);
        else whenSecure(socket as TLSSocket, ready);
      },
    });
  }

  #adopt(socket: Socket, remote: Endpoint, key: string, accepted: boolean, onClosed: () => void): StreamConnection {
    const { limits, connections, log } = this.#options;
    const shown = this.#tls && (socket as TLSSocket).getPeerX509Certificate();
    const connection = new StreamConnection({
      transport: this,
      socket,
      remote,
      peer: shown && identityOf(socket as TLSSocket, shown),
      certificate: shown?.raw,
      accepted,
      limits,
      connections,
      events: this.#events,
      log,
      onProven: () => this.#listener.prove(remote),
      onClosed: () => {
        this.#table.remove(key, connection);
        onClosed();
      },
    });
    this.#table.add(key, connection);
    return connection;
  }
}

/** Calls back when the handshake is over and what the server has shown of its certificate (OCSP) is in order; else it ends. */
function whenSecure(socket: TLSSocket, ready: () => void): void {
  let response: Buffer | undefined;
  // Behind the certificate and before the end of the handshake; null where there is none.
  socket.once('OCSPResponse', (shown: Buffer | null) => {
    response = shown ?? undefined;
  });
  socket.once('secureConnect', () => {
    const { raw, issuerCertificate } = socket.getPeerCertificate(true);
    const certificate = new X509Certificate(raw);
    const issuer = issuerCertificate === undefined ? certificate : new X509Certificate(issuerCertificate.raw);
    const objection = objectionTo({ response, certificate, issuer, now: Date.now() });
    if (objection === undefined) ready();
    else socket.destroy(new Error(objection));
  });
}

/** @throws Failure 503; the socket is destroyed then */
function connected(
  socket: Socket,
  facts: { what: string; withinMs: Ms; begin(ready: () => void): void },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      socket.off('error', onError).off('close', onClose);
    };
    const give = (error: Failure) => {
      settle();
      // Destroying may bring one more error, which nobody needs.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error) => give(transportFailure(`${facts.what}: ${error.message}`, error));
    const onClose = () => give(transportFailure(`${facts.what}: closed`));
    const timer = setTimeout(() => give(transportFailure(`${facts.what}: no answer`)), facts.withinMs);
    socket.on('error', onError).on('close', onClose);
    facts.begin(() => {
      settle();
      resolve(socket);
    });
  });
}

/**
 * Is this certificate for the SIP domain we asked for (RFC 5922 7.2)? A `sip:` URI among the names decides alone; else
 * DNS names, addresses and the common name, as on the web.
 */
function checkSipIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const domains = altNamesIn(certificate.subjectaltname ?? '')
    .filter((altName) => /^URI:sip:/i.test(altName))
    .map((altName) => altName.slice('URI:sip:'.length).toLowerCase());
  if (domains.length === 0) return checkServerIdentity(name, certificate);
  if (domains.includes(name.toLowerCase())) return undefined;
  return new Error(`certificate is for ${domains.slice(0, 3).join(', ')}`);
}
