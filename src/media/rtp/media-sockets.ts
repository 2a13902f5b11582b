import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';

/** `at`: when it arrived, as near as is known. The bytes are the receiver's during the call only: the next datagram may take their place. */
export type OnDatagram = (data: Uint8Array, address: string, port: number, at: Ms) => void;

export interface SocketPair {
  /** Even (RFC 3550 section 11), whenever the system can be brought to it. */
  rtp: Socket;
  /** The port above. */
  rtcp: Socket;
}

/** How often a pair is looked for when any will do. */
const ATTEMPTS = 30;

/** Binds RTP to `port` (0: any even one) and RTCP to the port above. Rejects with the system's error, e.g. EADDRINUSE. */
export async function bindPair(
  address: string,
  port: number,
  onRtp: OnDatagram,
  onRtcp: OnDatagram,
): Promise<SocketPair> {
  for (let attempt = 1; ; attempt++) {
    const rtp = await bind(address, port, onRtp);
    const own = rtp.address().port;
    try {
      if (port === 0 && own % 2 === 1) throw Object.assign(new Error('odd port'), { code: 'EADDRINUSE' });
      return { rtp, rtcp: await bind(address, own + 1, onRtcp) };
    } catch (error) {
      await closed(rtp);
      if (port !== 0 || attempt === ATTEMPTS || codeOf(error) !== 'EADDRINUSE') throw error;
    }
  }
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

/** A peer's address as a socket bound to `own` can send to it: IPv4 from a dual-stack socket is mapped (RFC 4291 2.5.5.2). */
export function reachable(address: string, own: string): string {
  return isIP(address) === 4 && isIP(own) === 6 ? `::ffff:${address}` : address;
}

/** Rejects with the system's error. */
export function bind(address: string, port: number, onDatagram: OnDatagram): Promise<Socket> {
  const family = isIP(address) === 6 ? 6 : 4;
  // Addresses are numeric here; the default lookup would cost a deferred callback per packet.
  const socket = createSocket({ type: `udp${family}`, lookup: (host, _options, done) => done(null, host, family) });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('message', (data, from) => onDatagram(data, from.address, from.port, monotonicNow()));
      resolve(socket);
    });
  });
}
