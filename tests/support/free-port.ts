import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what the kernel hands out by itself (net.ipv4.ip_local_port_range): between the look and its use nobody gets the
 * port by chance, as another test file does that binds to port 0.
 */
const FIRST = 10_240;
const PAIRS = 4_880;

/** An even port of the loopback that is free for UDP and TCP alike, as is the next one: RTP takes it with its RTCP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + 2 * Math.floor(Math.random() * PAIRS);
    const free = await Promise.all([isFreeTcp(port), isFreeUdp(port), isFreeTcp(port + 1), isFreeUdp(port + 1)]);
    if (free.every(Boolean)) return port;
  }
}

async function isFreeTcp(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const bound = await isBound(server);
  if (bound) await new Promise((resolve) => server.close(resolve));
  return bound;
}

async function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  const bound = await isBound(socket);
  if (bound) await new Promise<void>((resolve) => socket.close(resolve));
  return bound;
}

/** A `listening` or an `error`, whichever comes. */
const isBound = (one: NodeJS.EventEmitter) =>
  once(one, 'listening').then(
    () => true,
    () => false,
  );
