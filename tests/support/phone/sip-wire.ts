import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, createServer, isIP, type Server, type Socket as TcpSocket } from 'node:net';
import { monotonicNow } from '../../../src/core/clock.ts';
import { parseMessage, type SipMessage } from './sip-message.ts';

export type SipTransport = 'udp' | 'tcp';

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** The way back to whoever sent a message: for TCP the very connection it came on. */
export interface Flow extends Address {
  readonly send: (data: Buffer) => void;
}

/** One message as it went over the wire, for tests and for `--trace`. */
export interface TraceEntry {
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly text: string;
}

const TRACE_LIMIT = 1000;

/**
 * The phone's signalling socket: one UDP socket, or a TCP listener with its connections. TCP requests from the far end
 * may come on the connection the phone made or on a new one to its Contact; both work.
 */
export class SipWire {
  readonly transport: SipTransport;
  /** The address put into Via and Contact. */
  readonly local: Address;
  readonly trace: TraceEntry[] = [];
  /** Datagrams or stream parts that were no SIP message. */
  garbage = 0;
  onMessage: (message: SipMessage, flow: Flow) => void = () => {};
  #udp: UdpSocket | undefined;
  #server: Server | undefined;
  readonly #connections = new Map<string, TcpSocket>();
  readonly #resolved = new Map<string, string>();
  #closed = false;

  private constructor(transport: SipTransport, local: Address) {
    this.transport = transport;
    this.local = local;
  }

  static async open(transport: SipTransport, host: string, port: number): Promise<SipWire> {
    if (transport === 'udp') {
      const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(port, host, resolve);
      });
      const wire = new SipWire('udp', { address: host, port: socket.address().port });
      wire.#udp = socket;
      socket.on('error', () => {});
      socket.on('message', (data, from) => {
        const { address, port } = from;
        wire.#received(data, { address, port, send: (reply) => wire.#sendUdp(reply, address, port) });
      });
      return wire;
    }
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no TCP address');
    const wire = new SipWire('tcp', { address: host, port: bound.port });
    wire.#server = server;
    server.on('connection', (socket) => wire.#adopt(socket));
    return wire;
  }

  /** Sends to an address or host name; an unreachable TCP peer rejects. */
  async send(data: Buffer, to: Address): Promise<void> {
    const address = await this.#resolve(to.address);
    if (this.#closed) return;
    if (this.#udp) return this.#sendUdp(data, address, to.port);
    const connection = await this.#connection(address, to.port);
    this.#write(connection, data);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#udp?.close();
    this.#server?.close();
    for (const socket of this.#connections.values()) socket.destroy();
  }

  async #resolve(host: string): Promise<string> {
    if (isIP(host)) return host;
    const known = this.#resolved.get(host);
    if (known) return known;
    const { address } = await lookup(host, { family: 4 });
    this.#resolved.set(host, address);
    return address;
  }

  #sendUdp(data: Buffer, address: string, port: number): void {
    if (this.#closed) return;
    this.#note('out', data);
    this.#udp?.send(data, port, address);
  }

  #connection(address: string, port: number): Promise<TcpSocket> {
    const known = this.#connections.get(`${address}:${port}`);
    if (known && !known.destroyed) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, localAddress: this.local.address });
      socket.once('error', reject);
      socket.once('connect', () => {
        this.#adopt(socket);
        resolve(socket);
      });
    });
  }

  #write(socket: TcpSocket, data: Buffer): void {
    if (this.#closed || socket.destroyed) return;
    this.#note('out', data);
    socket.write(data);
  }

  #adopt(socket: TcpSocket): void {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const port = socket.remotePort ?? 0;
    const key = `${address}:${port}`;
    this.#connections.set(key, socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#connections.get(key) === socket) this.#connections.delete(key);
    });
    const flow: Flow = { address, port, send: (data) => this.#write(socket, data) };
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const framed = nextFrame(pending);
        if (framed === undefined) break;
        pending = framed.rest;
        this.#received(framed.message, flow);
      }
    });
  }

  #received(data: Buffer, flow: Flow): void {
    if (this.#closed || data.length <= 4) return; // keep-alives (RFC 5626 section 3.5)
    this.#note('in', data);
    let message: SipMessage;
    try {
      message = parseMessage(data);
    } catch {
      this.garbage++;
      return;
    }
    this.onMessage(message, flow);
  }

  #note(direction: 'in' | 'out', data: Buffer): void {
    if (this.trace.length >= TRACE_LIMIT) this.trace.shift();
    this.trace.push({ at: monotonicNow(), direction, text: data.toString('utf8') });
  }
}

/** RFC 3261 section 18.3: on streams Content-Length delimits; CRLFs before a message are ignored (section 7.5). */
function nextFrame(data: Buffer): { message: Buffer; rest: Buffer } | undefined {
  let start = 0;
  while (start + 1 < data.length && data[start] === 13 && data[start + 1] === 10) start += 2;
  const split = data.indexOf('\r\n\r\n', start);
  if (split < 0) return undefined;
  const head = data.subarray(start, split).toString('latin1');
  const length = Number(/^(?:content-length|l)\s*:\s*(\d+)\s*$/im.exec(head)?.[1] ?? 0);
  const end = split + 4 + length;
  if (data.length < end) return undefined;
  return { message: data.subarray(start, end), rest: data.subarray(end) };
}
