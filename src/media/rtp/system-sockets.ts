import type { Socket } from 'node:dgram';
import type { Ms } from '../../core/clock.ts';
import { ADDRESS_BYTES, DatagramSender, SocketAddress } from '../../core/datagram-sender.ts';
import { handleOf } from '../../core/dgram-handle.ts';
import { Failure } from '../../core/errors.ts';
import { loadSystemCalls, type SystemCalls } from '../../core/system-calls.ts';
import { bind, closed, type OnDatagram } from './media-sockets.ts';

// <sys/socket.h> of Linux, 64 bits, little-endian.
const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35;
const MSG_DONTWAIT = 0x40;
const CLOCK_REALTIME = 0;
/** struct cmsghdr with a struct timespec behind it. */
const STAMP_BYTES = 32;
/** struct mmsghdr, in words of 4 bytes: name, its length, the vector, its length, control, its length, flags; the datagram's length. */
const MESSAGE_WORDS = 16;
const [NAME, NAME_LENGTH, VECTOR, VECTORS, CONTROL, CONTROL_LENGTH, LENGTH] = [0, 2, 4, 6, 8, 10, 14];
/**
 * Datagrams taken by one call. Nearly always one has come: that no other waits is then found out in the same call, at a
 * fraction of what another one costs.
 */
const TOGETHER = 4;
/** Behind the messages, for each: struct iovec (where the datagram goes), struct sockaddr_in, and the stamp. */
const PART_WORDS = 4 + ADDRESS_BYTES / 4 + STAMP_BYTES / 4;
const [PART_ADDRESS, PART_STAMP] = [4, 8];

/** Longer datagrams are cut off here: nobody takes such. More than the longest of DTLS that is listened to. */
export const LONGEST_DATAGRAM = 2304;
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
  /** What calls read and write, at addresses that stay. */
  readonly #words: Uint32Array;
  readonly #messages: number;
  readonly #time = new Uint8Array(new ArrayBuffer(16));
  readonly #timeWords = new Uint32Array(this.#time.buffer);
  readonly #sender: DatagramSender;
  /** Where datagrams arrive, and views of it by place and length: made once, since nearly all are as long as others before. */
  readonly #arrived = new ArrayBuffer(TOGETHER * LONGEST_DATAGRAM);
  readonly #views: (Uint8Array | undefined)[][] = Array.from({ length: TOGETHER }, () =>
    new Array(LONGEST_DATAGRAM + 1).fill(undefined),
  );
  #now: Ms = 0;
  /** Wall time less monotonic time, ms, as of this look. */
  #wallOffset: Ms = 0;

  /** Throws Failure where the calls are not to be had. */
  constructor(calls = loadSystemCalls()) {
    this.#calls = calls;
    const memory = new ArrayBuffer(TOGETHER * (MESSAGE_WORDS + PART_WORDS) * 4);
    const words = new Uint32Array(memory);
    this.#words = words;
    this.#messages = calls.addressOf(memory);
    const arrived = calls.addressOf(this.#arrived);
    for (let i = 0; i < TOGETHER; i++) {
      const message = i * MESSAGE_WORDS;
      const part = partOf(i);
      setAddress(words, message + NAME, this.#messages + (part + PART_ADDRESS) * 4);
      setAddress(words, message + VECTOR, this.#messages + part * 4);
      words[message + VECTORS] = 1;
      setAddress(words, message + CONTROL, this.#messages + (part + PART_STAMP) * 4);
      setAddress(words, part, arrived + i * LONGEST_DATAGRAM);
      words[part + 2] = LONGEST_DATAGRAM;
    }
    this.#sender = new DatagramSender(calls, LONGEST_DATAGRAM);
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

  /**
   * Takes over what dgram would do with the socket's datagrams; with `'sends'` what arrives stays dgram's. Undefined: leave it to
   * dgram (IPv6, or an unknown dgram).
   */
  open(socket: Socket, what: 'all' | 'sends' = 'all'): SystemSocket | undefined {
    if (socket.address().family !== 'IPv4') return undefined;
    const handle = handleOf(socket);
    if (handle === undefined) return undefined;
    if (what === 'sends') return new SystemSocket(this, handle.fd);
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

  /** For `send`. */
  newAddress(): SocketAddress {
    return new SocketAddress(this.#calls);
  }

  /** 0, or the system's error number. */
  send(fd: number, packet: Uint8Array, to: SocketAddress): number {
    return this.#sender.send(fd, packet, to) < 0 ? this.#calls.errno() : 0;
  }

  /** Reads what waits, at most so many and `TOGETHER` datagrams; how many it was, negative for none. What they are: see below. */
  receive(fd: number, most: number): number {
    const words = this.#words;
    for (let i = 0; i < TOGETHER; i++) {
      words[i * MESSAGE_WORDS + NAME_LENGTH] = ADDRESS_BYTES;
      words[i * MESSAGE_WORDS + CONTROL_LENGTH] = STAMP_BYTES;
    }
    return this.#calls.recvmmsg(fd, this.#messages, Math.min(most, TOGETHER), MSG_DONTWAIT, 0);
  }

  /** A datagram of those read last; the next read takes its place. */
  datagram(i: number): Uint8Array {
    const length = this.#words[i * MESSAGE_WORDS + LENGTH]!;
    const views = this.#views[i]!;
    let view = views[length];
    if (view === undefined) {
      view = new Uint8Array(this.#arrived, i * LONGEST_DATAGRAM, length);
      views[length] = view;
    }
    return view;
  }

  /** Where it came from: the address as it stands in memory, and the port. */
  fromAddress(i: number): number {
    return this.#words[partOf(i) + PART_ADDRESS + 1]!;
  }

  fromPort(i: number): number {
    const word = this.#words[partOf(i) + PART_ADDRESS]!;
    return ((word >>> 8) & 0xff00) | (word >>> 24);
  }

  /** When the kernel took it in. */
  arrivedAt(i: number): Ms {
    const words = this.#words;
    const stamp = partOf(i) + PART_STAMP;
    if (words[i * MESSAGE_WORDS + CONTROL_LENGTH]! < STAMP_BYTES || words[stamp + 3] !== SO_TIMESTAMPNS)
      return this.#now;
    const at = milliseconds(words, stamp + 4) - this.#wallOffset;
    return at > this.#now || at < this.#now - OLDEST_STAMP_MS ? this.#now : at;
  }
}

/** One bound socket: where it sends to, and what has arrived at it. */
export class SystemSocket {
  readonly #udp: SystemUdp;
  #fd: number;
  /** Where packets go. */
  readonly #to: SocketAddress;
  /** Where the datagram before came from, so that its address is written as text once per call, not once per packet. */
  #from = -1;
  #fromText = '';

  constructor(udp: SystemUdp, fd: number) {
    this.#udp = udp;
    this.#fd = fd;
    this.#to = udp.newAddress();
  }

  /** `address`: four numbers with dots. */
  aim(address: string, port: number): void {
    this.#to.address = address;
    this.#to.port = port;
  }

  /** Sends there now, or not at all. 0, or the system's error number. */
  send(packet: Uint8Array): number {
    return this.#fd < 0 ? 0 : this.#udp.send(this.#fd, packet, this.#to);
  }

  /** Hands on what has arrived, at most so many. */
  receive(most: number, take: OnDatagram): void {
    const udp = this.#udp;
    for (let left = most; left > 0 && this.#fd >= 0; ) {
      const count = udp.receive(this.#fd, left);
      for (let i = 0; i < count && this.#fd >= 0; i++) {
        const from = udp.fromAddress(i);
        if (from !== this.#from) {
          this.#from = from;
          this.#fromText = `${from & 0xff}.${(from >>> 8) & 0xff}.${(from >>> 16) & 0xff}.${from >>> 24}`;
        }
        take(udp.datagram(i), this.#fromText, udp.fromPort(i), udp.arrivedAt(i));
      }
      if (count < TOGETHER) return;
      left -= count;
    }
  }

  /** Before dgram closes it: its number will be another's. */
  close(): void {
    this.#fd = -1;
  }
}

/** Where what belongs to a message stands, in words. */
function partOf(message: number): number {
  return TOGETHER * MESSAGE_WORDS + message * PART_WORDS;
}

function setAddress(words: Uint32Array, at: number, address: number): void {
  words[at] = address % 2 ** 32;
  words[at + 1] = Math.floor(address / 2 ** 32);
}

function milliseconds(words: Uint32Array, at: number): Ms {
  return (words[at]! + words[at + 1]! * 2 ** 32) * 1000 + words[at + 2]! / 1e6;
}
