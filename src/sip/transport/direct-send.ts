import type { Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { DatagramSender, SocketAddress } from '../../core/datagram-sender.ts';
import { handleOf } from '../../core/dgram-handle.ts';
import { loadSystemCalls, type SystemCalls } from '../../core/system-calls.ts';

/** Of a datagram; longer ones are dgram's. */
const MOST_BYTES = 16_384;

/**
 * Sends datagrams by sendto(2) itself, without waiting: Node's way, with a request, a look at the address and a callback a tick
 * later, takes more than twice as long. What cannot be sent so is left to dgram. IPv4 only.
 */
export class DirectSend {
  readonly #fd: number;
  readonly #sender: DatagramSender;
  readonly #to: SocketAddress;
  /** Whom the address in memory is. */
  #peer = '';

  private constructor(fd: number, calls: SystemCalls) {
    this.#fd = fd;
    this.#sender = new DatagramSender(calls, MOST_BYTES);
    this.#to = new SocketAddress(calls);
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
    this.#to.port = port;
    return this.#sender.send(this.#fd, bytes, this.#to) === bytes.length;
  }

  #aim(address: string): boolean {
    if (address === this.#peer) return true;
    if (!isIPv4(address)) return false;
    this.#to.address = address;
    this.#peer = address;
    return true;
  }
}
