import type { Ms } from '../../src/core/clock.ts';
import { fromLibc, type Libc } from '../../src/core/system-calls.ts';
import type { OnPacket, PacketSocket } from './packet-socket.ts';

// <sys/socket.h> of Linux, 64 bits, little-endian.
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_TIMESTAMPNS = 35;
const MSG_DONTWAIT = 0x40;
const LOOPBACK = 0x0100007f;
/** Datagrams per call. */
const SLOTS = 256;
/** struct mmsghdr: a struct msghdr of 56 bytes (as in system-sockets.ts), and how long its datagram is. In words of 4 bytes: */
const MESSAGE_WORDS = 16;
const [NAME_LENGTH, VECTOR, VECTORS, CONTROL, CONTROL_LENGTH, LENGTH] = [2, 4, 6, 8, 10, 14];
/** Behind all messages, for each: struct iovec, struct sockaddr_in, struct cmsghdr with a struct timespec, and a packet. */
const ADDRESS_BYTES = 16;
const STAMP_BYTES = 32;
/** RTP of 20 ms and more. */
const PACKET_BYTES = 256;
const REST_WORDS = (16 + ADDRESS_BYTES + STAMP_BYTES + PACKET_BYTES) / 4;
/** What comes in a second for a thousand calls may wait, should its reader stand still. */
const WAITING_BYTES = 64 * 2 ** 20;

interface SocketCalls {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  close(fd: number): number;
  addressOf: Libc['addressOf'];
}

/**
 * A UDP socket on 127.0.0.1 that reads and sends hundreds of datagrams by one call, when it is told to: nobody is woken up
 * by what arrives, so a far end like this costs whoever sends to it no more than a network would, and takes little of the
 * cores it shares with them.
 */
export class BatchedSocket implements PacketSocket {
  readonly port: number;
  readonly stamped = true;
  readonly #calls: SocketCalls;
  readonly #fd: number;
  readonly #in: Messages;
  readonly #out: Messages;
  #waiting = 0;

  /** Undefined where the system's calls are not to be had (koffi is optional): use dgram then. */
  static open(): BatchedSocket | undefined {
    const calls = loadSocketCalls();
    return calls && new BatchedSocket(calls);
  }

  private constructor(calls: SocketCalls) {
    this.#calls = calls;
    this.#fd = calls.socket(AF_INET, SOCK_DGRAM, 0);
    const address = Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    if (this.#fd < 0 || calls.bind(this.#fd, address, ADDRESS_BYTES) !== 0) throw new Error('no UDP socket to be had');
    calls.getsockname(this.#fd, address, Uint8Array.of(ADDRESS_BYTES, 0, 0, 0));
    this.port = (address[2]! << 8) | address[3]!;
    const option = (name: number, value: number) =>
      calls.setsockopt(this.#fd, SOL_SOCKET, name, new Uint8Array(Uint32Array.of(value).buffer), 4);
    option(SO_TIMESTAMPNS, 1);
    // As large as may be, for those who are not root.
    if (option(SO_RCVBUFFORCE, WAITING_BYTES) !== 0) option(SO_RCVBUF, WAITING_BYTES);
    this.#in = new Messages(calls.addressOf, true);
    this.#out = new Messages(calls.addressOf, false);
  }

  receive(take: OnPacket): void {
    for (;;) {
      this.#in.clear();
      const count = this.#calls.recvmmsg(this.#fd, this.#in.bytes, SLOTS, MSG_DONTWAIT, null);
      for (let slot = 0; slot < count; slot++) take(this.#in.packet(slot), this.#in.port(slot), this.#in.stamp(slot));
      if (count < SLOTS) return;
    }
  }

  put(packet: Uint8Array, port: number): void {
    this.#out.set(this.#waiting, packet, port);
    if (++this.#waiting === SLOTS) this.flush();
  }

  flush(): void {
    for (let from = 0; from < this.#waiting; ) {
      const sent = this.#calls.sendmmsg(this.#fd, this.#out.from(from), this.#waiting - from, MSG_DONTWAIT);
      // One that is refused, because nobody is there any more, is left out.
      from += Math.max(1, sent);
    }
    this.#waiting = 0;
  }

  close(): void {
    this.#calls.close(this.#fd);
  }
}

/** Structs for SLOTS datagrams, in memory that does not move. */
class Messages {
  readonly bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #from: readonly Uint8Array[];
  /** Of each slot, as long as its last packet was. */
  readonly #packets: Uint8Array[] = [];

  /** `stamped`: with room for the kernel's stamps. */
  constructor(addressOf: Libc['addressOf'], stamped: boolean) {
    const memory = new ArrayBuffer(SLOTS * (MESSAGE_WORDS + REST_WORDS) * 4);
    const words = new Uint32Array(memory);
    const base = addressOf(memory);
    const point = (field: number, word: number) => {
      words[field] = (base + word * 4) % 2 ** 32;
      words[field + 1] = Math.floor((base + word * 4) / 2 ** 32);
    };
    for (let slot = 0; slot < SLOTS; slot++) {
      const message = slot * MESSAGE_WORDS;
      const rest = restOf(slot);
      point(message, rest + 4);
      words[message + NAME_LENGTH] = ADDRESS_BYTES;
      point(message + VECTOR, rest);
      words[message + VECTORS] = 1;
      if (stamped) point(message + CONTROL, rest + 8);
      point(rest, rest + 16);
      words[rest + 2] = PACKET_BYTES;
      words[rest + 5] = LOOPBACK;
      this.#packets.push(new Uint8Array(memory, (rest + 16) * 4, PACKET_BYTES));
    }
    this.bytes = new Uint8Array(memory);
    this.#words = words;
    this.#from = Array.from({ length: SLOTS }, (_, slot) => new Uint8Array(memory, slot * MESSAGE_WORDS * 4));
  }

  /** The messages from this slot on. */
  from(slot: number): Uint8Array {
    return this.#from[slot]!;
  }

  /** Makes them ready to be read into. */
  clear(): void {
    const words = this.#words;
    for (let slot = 0; slot < SLOTS; slot++) {
      const message = slot * MESSAGE_WORDS;
      words[message + NAME_LENGTH] = ADDRESS_BYTES;
      words[message + CONTROL_LENGTH] = STAMP_BYTES;
    }
  }

  /** Makes one ready to be sent. */
  set(slot: number, packet: Uint8Array, port: number): void {
    const rest = restOf(slot);
    this.#words[rest + 2] = packet.length;
    this.#words[rest + 4] = AF_INET | ((port >>> 8) << 16) | ((port & 0xff) << 24);
    const own = this.#packets[slot]!;
    if (own.length === packet.length) own.set(packet);
    else this.#sized(slot, packet.length).set(packet);
  }

  /** What was read. */
  packet(slot: number): Uint8Array {
    const length = this.#words[slot * MESSAGE_WORDS + LENGTH]!;
    const packet = this.#packets[slot]!;
    return packet.length === length ? packet : this.#sized(slot, length);
  }

  port(slot: number): number {
    const word = this.#words[restOf(slot) + 4]!;
    return ((word >>> 8) & 0xff00) | (word >>> 24);
  }

  stamp(slot: number): Ms {
    const words = this.#words;
    const at = restOf(slot) + 8 + 4;
    return (words[at]! + words[at + 1]! * 2 ** 32) * 1000 + words[at + 2]! / 1e6;
  }

  #sized(slot: number, length: number): Uint8Array {
    const packet = new Uint8Array(this.bytes.buffer, (restOf(slot) + 16) * 4, length);
    this.#packets[slot] = packet;
    return packet;
  }
}

/** Where the rest of a slot begins, in words. */
function restOf(slot: number): number {
  return SLOTS * MESSAGE_WORDS + slot * REST_WORDS;
}

/** Undefined where they are not to be had. */
function loadSocketCalls(): SocketCalls | undefined {
  try {
    return fromLibc(({ call, addressOf }) => ({
      socket: call('int socket(int, int, int)'),
      bind: call('int bind(int, void *, uint32_t)'),
      getsockname: call('int getsockname(int, void *, void *)'),
      setsockopt: call('int setsockopt(int, int, int, void *, uint32_t)'),
      recvmmsg: call('int recvmmsg(int, void *, uint32_t, int, void *)'),
      sendmmsg: call('int sendmmsg(int, void *, uint32_t, int)'),
      close: call('int close(int)'),
      addressOf,
    }));
  } catch {
    return undefined;
  }
}
