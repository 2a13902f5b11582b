import type { SystemCalls } from './system-calls.ts';

// <sys/socket.h> of Linux.
const AF_INET = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct sockaddr_in. */
export const ADDRESS_BYTES = 16;

/** A struct sockaddr_in in memory, at an address that stays. IPv4 only. */
export class SocketAddress {
  readonly at: number;
  readonly #bytes = new Uint8Array(new ArrayBuffer(ADDRESS_BYTES));

  constructor(calls: Pick<SystemCalls, 'addressOf'>) {
    this.at = calls.addressOf(this.#bytes.buffer);
    this.#bytes[0] = AF_INET;
  }

  /** `address`: four numbers with dots. */
  set address(address: string) {
    this.#bytes.set(address.split('.').map(Number), 4);
  }

  set port(port: number) {
    this.#bytes[2] = port >>> 8;
    this.#bytes[3] = port;
  }
}

/** Sends datagrams by sendto(2) itself, without waiting, out of one place in memory. */
export class DatagramSender {
  readonly #calls: SystemCalls;
  readonly #packet: Uint8Array<ArrayBuffer>;
  readonly #packetAddress: number;

  /** `longest`: of a datagram, bytes. */
  constructor(calls: SystemCalls, longest: number) {
    this.#calls = calls;
    this.#packet = new Uint8Array(new ArrayBuffer(longest));
    this.#packetAddress = calls.addressOf(this.#packet.buffer);
  }

  /** How many bytes have left; negative where the system has refused (errno). Throws RangeError for more than the longest. */
  send(fd: number, packet: Uint8Array, to: SocketAddress): number {
    this.#packet.set(packet);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return this.#calls.sendto(fd, this.#packetAddress, packet.length, flags, to.at, ADDRESS_BYTES);
  }
}
