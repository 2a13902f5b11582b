import { createSocket, type Socket } from 'node:dgram';
import { type Ms, monotonicNow } from '../../src/core/clock.ts';

/** `from`: the sender's port. `at`: a stamp that tells how far two packets lie apart, ms. The bytes are good until the next read. */
export type OnPacket = (data: Uint8Array, from: number, at: Ms) => void;

/** Where a crowd sends and hears RTP of all its calls: a port of 127.0.0.1, looked at when it is told to. */
export interface PacketSocket {
  readonly port: number;
  /** Stamps are the kernel's, so they do not depend on when somebody comes to look. */
  readonly stamped: boolean;
  /** Reads all that waits. */
  receive(take: OnPacket): void;
  /** Takes a copy of a packet to be sent to that port of 127.0.0.1; it leaves with the others, at `flush` at the latest. */
  put(packet: Uint8Array, port: number): void;
  flush(): void;
  /** Once. */
  close(): void;
}

/** By dgram, one packet at a time, where there is nothing better. */
export class DgramPackets implements PacketSocket {
  readonly port: number;
  readonly stamped = false;
  readonly #socket: Socket;
  #waiting: { data: Uint8Array; from: number; at: Ms }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (data, from) => this.#waiting.push({ data, from: from.port, at: monotonicNow() }));
  }

  static async open(): Promise<DgramPackets> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: 1 << 23,
      sendBufferSize: 1 << 22,
      // Addresses are numeric: the default look-up would cost more than the sending.
      lookup: (host, _options, done) => done(null, host, 4),
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DgramPackets(socket);
  }

  receive(take: OnPacket): void {
    for (const { data, from, at } of this.#waiting) take(data, from, at);
    this.#waiting = [];
  }

  put(packet: Uint8Array, port: number): void {
    this.#socket.send(packet.slice(), port, '127.0.0.1');
  }

  flush(): void {}

  close(): void {
    this.#socket.close();
  }
}
