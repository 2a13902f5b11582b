import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';

/** The certificates of the page and the API; implemented by TlsCredentials. */
export interface ServerCertificates {
  serverOptions(): TlsOptions;
  /** Told when there are new ones, which serve new connections from then on. */
  onChange(listener: () => void): void;
}

/** First byte of a TLS record that begins a handshake (RFC 8446 section 5.1). */
const HANDSHAKE = 0x16;
const FIRST_BYTE_WITHIN_MS = 10_000;

/**
 * An HTTPS server that understands HTTP just far enough to send people on: who opens a page in the clear is redirected, and
 * any other request is refused unread, since a client that sends its token in the clear has to be noticed, not served.
 */
export function httpsServer(certificates: ServerCertificates, handler: RequestListener): HttpsServer {
  const server = createHttps(certificates.serverOptions(), handler);
  certificates.onChange(() => server.setSecureContext(certificates.serverOptions()));
  const plain = createHttp({ maxHeaderSize: 8192, requestTimeout: FIRST_BYTE_WITHIN_MS }, sendOn);
  // What Node does with a new connection: its types know listeners by no more than `Function`.
  const handshakes = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    socket.setTimeout(FIRST_BYTE_WITHIN_MS, () => socket.destroy());
    const failed = () => socket.destroy();
    socket.once('error', failed);
    socket.once('readable', () => {
      const first = socket.read(1) as Buffer | null;
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.unshift(first);
      socket.off('error', failed);
      if (first[0] === HANDSHAKE) for (const begin of handshakes) begin.call(server, socket);
      else plain.emit('connection', socket);
    });
  });
  server.on('close', () => plain.closeAllConnections());
  return server;
}

function sendOn({ method, url = '/', headers }: IncomingMessage, response: ServerResponse): void {
  const { host, accept = '' } = headers;
  response.setHeader('connection', 'close');
  response.setHeader('cache-control', 'no-store');
  const page = method === 'GET' && accept.includes('text/html') && headers.authorization === undefined;
  if (page && host !== undefined && /^[\w.:[\]-]{1,255}$/.test(host) && url.startsWith('/')) {
    response.writeHead(308, { location: `https://${host}${url}` }).end();
    return;
  }
  const problem = {
    type: 'about:blank',
    title: 'HTTPS only',
    status: 403,
    detail: 'This address is served by HTTPS only.',
  };
  response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
}
