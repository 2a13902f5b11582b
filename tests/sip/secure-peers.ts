import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import { parseDatagram } from '../../src/sip/message/parse.ts';
import { Peer, StreamPeer } from './support.ts';

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
