import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { plainAddress } from './flow.ts';

/** Peers whose route is remembered; the one asked for longest ago is forgotten first. */
const CACHE_SIZE = 1024;
/** Routes asked for at the same time; beyond that the first address of this machine has to do. */
const MAX_LOOKUPS = 64;

/**
 * Which address of this machine faces a peer: asked from the kernel's routing table with a connected UDP socket,
 * which sends nothing. For sockets bound to a wildcard, whose own address says nothing to a peer.
 */
export class FacingAddresses {
  readonly #cache = new Map<string, string | Promise<string>>();
  #lookups = 0;

  /** At once when it is known, else as a promise that never rejects. */
  facing(peer: string): string | Promise<string> {
    const known = this.#cache.get(peer);
    if (known !== undefined) {
      this.#cache.delete(peer);
      this.#cache.set(peer, known);
      return known;
    }
    if (this.#lookups >= MAX_LOOKUPS) return anyAddress(isIPv6(peer));
    this.#lookups++;
    const asked = askRoute(peer).then((address) => {
      this.#lookups--;
      this.#remember(peer, address);
      return address;
    });
    this.#remember(peer, asked);
    return asked;
  }

  #remember(peer: string, address: string | Promise<string>): void {
    this.#cache.set(peer, address);
    if (this.#cache.size > CACHE_SIZE) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
  }
}

function askRoute(peer: string): Promise<string> {
  const v6 = isIPv6(peer);
  return new Promise((resolve) => {
    const socket = createSocket(v6 ? 'udp6' : 'udp4');
    const done = (address: string) => {
      socket.removeAllListeners();
      socket.close();
      resolve(address);
    };
    socket.once('error', () => done(anyAddress(v6)));
    // Port 9 is discard; nothing is sent.
    socket.connect(9, peer, () => done(plainAddress(socket.address().address)));
  });
}

/** A peer without a route gets an address of ours that is at least real. */
function anyAddress(v6: boolean): string {
  const family = v6 ? 'IPv6' : 'IPv4';
  for (const addresses of Object.values(networkInterfaces())) {
    for (const entry of addresses ?? []) if (entry.family === family && !entry.internal) return entry.address;
  }
  return v6 ? '::1' : '127.0.0.1';
}
