import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect, type Server, type TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import WebSocket from 'ws';
import { SipRequest } from '../../src/sip/message/message.ts';
import { parseDatagram } from '../../src/sip/message/parse.ts';
import { StreamFramer } from '../../src/sip/message/stream-framer.ts';
import type { PeerIdentity } from '../../src/sip/transport/flow.ts';
import type { TlsFiles } from '../../src/sip/transport/tls-files.ts';
import type { UserAgentOptions } from '../../src/sip/user-agent.ts';
import { listen, Peer, StreamPeer } from './support.ts';

/** What is to be closed behind a test, the last first. */
type Open = { close(): unknown }[];

/** A user agent that listens for TLS, what it knows of its peers by their requests, and how they join it. */
export async function secureAgent(open: Open, tls: TlsFiles & { ca: string }, options: Partial<UserAgentOptions> = {}) {
  const peers: (PeerIdentity | undefined)[] = [];
  const { ua } = await listen({
    listen: [{ protocol: 'tls', host: '127.0.0.1', port: 0 }],
    tls,
    admit: (_, flow) => {
      expect([flow.protocol, flow.secure]).toEqual(['tls', true]);
      peers.push(flow.peer);
      return undefined;
    },
    ...options,
  });
  open.push(ua);
  const port = ua.bound[0]!.port;
  const join = async (more: ConnectionOptions = {}) => {
    const peer = await TlsPeer.open(port, { ca: readFileSync(tls.ca), ...more });
    open.push(peer);
    return peer;
  };
  return { ua, port, peers, join };
}

/** The port of a TLS server that is closed with its connections behind the test. */
export async function listening(open: Open, server: Server): Promise<number> {
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A far end that answers every request with 200. */
export function answering(socket: TLSSocket): void {
  const framer = new StreamFramer();
  socket.on('error', () => undefined);
  socket.on('data', (segment) => {
    for (const framed of framer.push(segment)) {
      if (framed.type !== 'message' || !(framed.message instanceof SipRequest)) continue;
      const { headers } = framed.message;
      const echoed = ['via', 'from', 'to', 'call-id', 'cseq'].map((name) => `${name}: ${headers.get(name)}\r\n`);
      socket.write(`SIP/2.0 200 OK\r\n${echoed.join('')}Content-Length: 0\r\n\r\n`);
    }
  });
}

/** A peer on a TLS connection it opened. */
export class TlsPeer extends StreamPeer<TLSSocket> {
  readonly transport = 'TLS';

  /** Rejects when the handshake fails on this side. */
  static async open(port: number, options: ConnectionOptions): Promise<TlsPeer> {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
    return new TlsPeer(socket);
  }
}

/** A client such as sip.js in a browser: an address nobody can reach in Via and Contact, one message per frame. */
export class WebSocketPeer extends Peer {
  readonly transport: 'WS' | 'WSS';
  override readonly host = 'ada-browser.invalid';
  readonly port = 5060;
  readonly webSocket: WebSocket;
  /** Frames as they came: text or not, and what was in them. */
  readonly frames: { binary: boolean; text: string }[] = [];

  private constructor(webSocket: WebSocket, secure: boolean) {
    super();
    this.transport = secure ? 'WSS' : 'WS';
    this.webSocket = webSocket;
    webSocket.on('message', (data: Buffer, binary) => {
      this.frames.push({ binary, text: data.toString() });
      if (data.length > 4) this.take(parseDatagram(data));
    });
    webSocket.on('error', () => undefined);
  }

  /** Rejects when the upgrade is refused. */
  static async open(url: string, options: WebSocket.ClientOptions = {}, protocols = ['sip']): Promise<WebSocketPeer> {
    const webSocket = new WebSocket(url, protocols, options);
    await new Promise<void>((resolve, reject) => {
      webSocket.once('open', resolve);
      webSocket.once('error', reject);
    });
    return new WebSocketPeer(webSocket, url.startsWith('wss:'));
  }

  /** As JsSIP and sip.js write it: `ws` whether encrypted or not. */
  override get contact(): string {
    return `sip:ada@${this.host};transport=ws`;
  }

  write(bytes: Buffer | string): void {
    this.webSocket.send(bytes);
  }

  close(): void {
    this.webSocket.terminate();
  }
}
