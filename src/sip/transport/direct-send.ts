import type { Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { handleOf } from '../../core/dgram-handle.ts';
import { loadSystemCalls, type SystemCalls } from '../../core/system-calls.ts';

// <sys/socket.h> of Linux.
const AF_INET = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct sockaddr_in. */
const ADDRESS_BYTES = 16;
/** Of a datagram; longer ones are dgram's. */
const MOST_BYTES = 16_384;

/**
 * Sends datagrams by sendto(2) itself, without waiting: Node's way, with a request, a look at the address and a callback a tick
 * later, takes more than twice as long. What cannot be sent so is left to dgram. IPv4 only.
 */
export class DirectSend {
  readonly #calls: SystemCalls;
  readonly #fd: number;
  readonly #packet = Buffer.from(new ArrayBuffer(MOST_BYTES));
  readonly #to = new Uint8Array(new ArrayBuffer(ADDRESS_BYTES));
  readonly #packetAddress: number;
  readonly #toAddress: number;
  /** Whom the address in memory is. */
  #peer = '';

  private constructor(fd: number, calls: SystemCalls) {
    this.#fd = fd;
    this.#calls = calls;
    this.#packetAddress = calls.addressOf(this.#packet.buffer as ArrayBuffer);
    this.#toAddress = calls.addressOf(this.#to.buffer);
    this.#to[0] = AF_INET;
  }

  /**
   * For a bound socket of IPv4, and not behind its close: its number is another's then. Undefined where the system's calls are
   * not to be had: elsewhere than on Linux, or without koffi.
   */
  static over(socket: Socket): DirectSend | undefined {
    const handle = handleOf(socket);
    if (handle === undefined || socket.address().family !== 'IPv4') return undefined;
    try {
      return new DirectSend(handle.fd, loadSystemCalls());
    } catch {
      return undefined;
    }
  }

  /** False where it has not been sent: dgram is to do it, or to say what is wrong. */
  send(bytes: Buffer, port: number, address: string): boolean {
    if (bytes.length > MOST_BYTES || port < 1 || port > 65_535 || !this.#aim(address)) return false;
    this.#to[2] = port >>> 8;
    this.#to[3] = port;
    bytes.copy(this.#packet);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const { length } = bytes;
    return this.#calls.sendto(this.#fd, this.#packetAddress, length, flags, this.#toAddress, ADDRESS_BYTES) === length;
  }

  #aim(address: string): boolean {
    if (address === this.#peer) return true;
    if (!isIPv4(address)) return false;
    this.#to.set(address.split('.').map(Number), 4);
    this.#peer = address;
    return true;
  }
}
