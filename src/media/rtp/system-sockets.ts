import type { Socket } from 'node:dgram';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { bind, closed, type OnDatagram } from './media-sockets.ts';
import { loadSystemCalls, type SystemCalls } from './system-calls.ts';

// <sys/socket.h> of Linux, 64 bits, little-endian.
const AF_INET = 2;
const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_REALTIME = 0;
/** struct sockaddr_in. */
const ADDRESS_BYTES = 16;
/** struct cmsghdr with a struct timespec behind it. */
const STAMP_BYTES = 32;
/** struct msghdr: name, its length, the vector, its length, control, its length, flags; 8 bytes each. */
const MESSAGE_BYTES = 56;
const [NAME_LENGTH, CONTROL_LENGTH] = [2, 10];

/** Longer datagrams are cut off here: nobody takes such. More than the longest of DTLS that is listened to. */
export const LONGEST_DATAGRAM = 2304;
/** Datagrams are views of blocks like this, freed when nothing in them is held any more. */
const BLOCK_BYTES = 65_536;
/** Of one call at one look, so that a flood to one port leaves the others their time: 17,000 a second. The kernel drops the rest. */
export const MOST_AT_ONCE = 256;
/** A stamp older than this tells that the wall clock was set meanwhile. */
const OLDEST_STAMP_MS = 1000;

/**
 * Datagrams by the system's own calls, for sockets that dgram has bound and will close. Node's way costs a callback, an
 * object and a copy of the address per packet, and two calls and 64 kB of memory per packet that arrives; here a packet
 * costs one call, without waiting, when its call's turn comes. Nothing is told when something arrives: look at every tick.
 * One per thread.
 */
export class SystemUdp {
  readonly #calls: SystemCalls;
  readonly #fixed = new ArrayBuffer(256);
  readonly #message = new Uint8Array(this.#fixed, 0, MESSAGE_BYTES);
  readonly #messageWords = new Uint32Array(this.#fixed, 0, MESSAGE_BYTES / 4);
  /** struct iovec: where the next datagram goes. */
  readonly #vector = new Uint32Array(this.#fixed, 64, 4);
  readonly #name = new Uint32Array(this.#fixed, 96, ADDRESS_BYTES / 4);
  readonly #control = new Uint32Array(this.#fixed, 128, STAMP_BYTES / 4);
  readonly #time = new Uint8Array(this.#fixed, 192, 16);
  readonly #timeWords = new Uint32Array(this.#fixed, 192, 4);
  #block = new ArrayBuffer(BLOCK_BYTES);
  #blockAddress: number;
  #used = 0;
  #now: Ms = 0;
  /** Wall time less monotonic time, ms, as of this look. */
  #wallOffset: Ms = 0;

  /** Throws Failure where the calls are not to be had. */
  constructor(calls = loadSystemCalls()) {
    this.#calls = calls;
    const at = calls.addressOf(this.#fixed);
    const words = this.#messageWords;
    const point = (field: number, offset: number) => {
      words[field] = (at + offset) % 2 ** 32;
      words[field + 1] = Math.floor((at + offset) / 2 ** 32);
    };
    point(0, this.#name.byteOffset);
    point(4, this.#vector.byteOffset);
    words[6] = 1;
    point(8, this.#control.byteOffset);
    this.#vector[2] = LONGEST_DATAGRAM;
    this.#blockAddress = calls.addressOf(this.#block);
  }

  /** One that has sent itself a datagram over the loopback and read it as it was. Rejects with Failure where it cannot. */
  static async tried(now: () => Ms): Promise<SystemUdp> {
    const udp = new SystemUdp();
    const socket = await bind('127.0.0.1', 0, () => undefined);
    try {
      const { port } = socket.address();
      const own = udp.open(socket);
      if (own === undefined)
        throw new Failure('dgram does not tell its descriptor', { code: 'no-descriptor', blame: 'us' });
      own.aim('127.0.0.1', port);
      const errno = own.send(Uint8Array.of(1, 2, 3));
      const sentAt = now();
      udp.look(sentAt);
      const read: string[] = [];
      own.receive(1, (data, address, from, at) => {
        read.push(`${[...data]} ${address} ${from === port} ${Math.abs(at - sentAt) < OLDEST_STAMP_MS}`);
      });
      if (errno !== 0 || read[0] !== '1,2,3 127.0.0.1 true true') {
        throw new Failure(`a datagram went wrong: ${errno}, ${read[0]}`, { code: 'no-system-calls', blame: 'us' });
      }
      return udp;
    } finally {
      await closed(socket);
    }
  }

  /** Takes over what dgram would do with the socket's datagrams. Undefined: leave it to dgram (IPv6, or an unknown dgram). */
  open(socket: Socket): SystemSocket | undefined {
    if (socket.address().family !== 'IPv4') return undefined;
    const handle = handleOf(socket);
    if (handle === undefined) return undefined;
    // Without stamps a datagram came when it is looked at.
    this.#calls.setsockopt(handle.fd, SOL_SOCKET, SO_TIMESTAMPNS, Uint8Array.of(1, 0, 0, 0), 4);
    handle.recvStop();
    return new SystemSocket(this, handle.fd);
  }

  /** Call it before looking at sockets: what stands in stamps is related to the monotonic clock. */
  look(now: Ms): void {
    this.#now = now;
    if (this.#calls.clock_gettime(CLOCK_REALTIME, this.#time) !== 0) return;
    this.#wallOffset = milliseconds(this.#timeWords, 0) - now;
  }

  /** 0, or the system's error number. */
  send(fd: number, packet: Uint8Array, to: Uint8Array): number {
    const sent = this.#calls.sendto(fd, packet, packet.length, MSG_DONTWAIT | MSG_NOSIGNAL, to, ADDRESS_BYTES);
    return sent < 0 ? this.#calls.errno() : 0;
  }

  /** The next datagram that waits; undefined when none does. Where from and when: see below. */
  receive(fd: number): Uint8Array | undefined {
    if (this.#used + LONGEST_DATAGRAM > BLOCK_BYTES) {
      this.#block = new ArrayBuffer(BLOCK_BYTES);
      this.#blockAddress = this.#calls.addressOf(this.#block);
      this.#used = 0;
    }
    const at = this.#blockAddress + this.#used;
    this.#vector[0] = at % 2 ** 32;
    this.#vector[1] = Math.floor(at / 2 ** 32);
    this.#messageWords[NAME_LENGTH] = ADDRESS_BYTES;
    this.#messageWords[CONTROL_LENGTH] = STAMP_BYTES;
    const length = this.#calls.recvmsg(fd, this.#message, MSG_DONTWAIT);
    if (length < 0) return undefined;
    const data = new Uint8Array(this.#block, this.#used, length);
    this.#used += (length + 7) & ~7;
    return data;
  }

  /** Of the datagram received last, the address as it stands in memory, and family and port. */
  get fromAddress(): number {
    return this.#name[1]!;
  }

  get fromPort(): number {
    const word = this.#name[0]!;
    return ((word >>> 8) & 0xff00) | (word >>> 24);
  }

  /** When the kernel took it in. */
  get arrivedAt(): Ms {
    const control = this.#control;
    if (this.#messageWords[CONTROL_LENGTH]! < STAMP_BYTES || control[3] !== SO_TIMESTAMPNS) return this.#now;
    const at = milliseconds(control, 4) - this.#wallOffset;
    return at > this.#now || at < this.#now - OLDEST_STAMP_MS ? this.#now : at;
  }
}

/** One bound socket: where it sends to, and what has arrived at it. */
export class SystemSocket {
  readonly #udp: SystemUdp;
  #fd: number;
  /** struct sockaddr_in of where packets go. */
  readonly #to = new Uint8Array(new ArrayBuffer(ADDRESS_BYTES));
  /** Where the datagram before came from, so that its address is written as text once per call, not once per packet. */
  #from = -1;
  #fromText = '';

  constructor(udp: SystemUdp, fd: number) {
    this.#udp = udp;
    this.#fd = fd;
    this.#to[0] = AF_INET;
  }

  /** `address`: four numbers with dots. */
  aim(address: string, port: number): void {
    this.#to[2] = port >>> 8;
    this.#to[3] = port;
    this.#to.set(address.split('.').map(Number), 4);
  }

  /** Sends there now, or not at all. 0, or the system's error number. */
  send(packet: Uint8Array): number {
    return this.#fd < 0 ? 0 : this.#udp.send(this.#fd, packet, this.#to);
  }

  /** Hands on what has arrived, at most so many. */
  receive(most: number, take: OnDatagram): void {
    const udp = this.#udp;
    for (let i = 0; i < most && this.#fd >= 0; i++) {
      const data = udp.receive(this.#fd);
      if (data === undefined) return;
      if (udp.fromAddress !== this.#from) {
        const from = udp.fromAddress;
        this.#from = from;
        this.#fromText = `${from & 0xff}.${(from >>> 8) & 0xff}.${(from >>> 16) & 0xff}.${from >>> 24}`;
      }
      take(data, this.#fromText, udp.fromPort, udp.arrivedAt);
    }
  }

  /** Before dgram closes it: its number will be another's. */
  close(): void {
    this.#fd = -1;
  }
}

function milliseconds(words: Uint32Array, at: number): Ms {
  return (words[at]! + words[at + 1]! * 2 ** 32) * 1000 + words[at + 2]! / 1e6;
}

interface Handle {
  readonly fd: number;
  recvStop(): unknown;
}

/**
 * dgram's inner handle, which has the descriptor: no public way leads to it. Undefined where it is not as it was in
 * Node 20 to 24; then everything is left to dgram.
 */
function handleOf(socket: Socket): Handle | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  const state = symbol && (socket as unknown as Record<symbol, { handle?: Partial<Handle> } | undefined>)[symbol];
  const handle = state?.handle;
  const known = typeof handle?.fd === 'number' && handle.fd >= 0 && typeof handle.recvStop === 'function';
  return known ? (handle as Handle) : undefined;
}
