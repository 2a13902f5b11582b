import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { bindFailure, transportFailure } from '../errors.ts';
import type { SipMessage } from '../message/message.ts';
import { type ParseLimits, parseDatagram, SipParseError } from '../message/parse.ts';
import { DirectSend } from './direct-send.ts';
import { type Endpoint, type Flow, isWildcard, plainAddress, type Transport, type TransportEvents } from './flow.ts';
import { InviteQueue } from './invite-queue.ts';
import { PROBE_EVERY_MS, ReceiveDelay } from './receive-delay.ts';

/** The kernel's buffer for datagrams we have not read yet; a burst of INVITEs must not be lost in it. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** So many are sent in Node's way first: to make another ready takes 20 ms, which few calls never earn. */
const SENT_BEFORE_DIRECT = 500;

/** How they begin. */
const INVITE = Buffer.from('INVITE ');
const CANCEL = Buffer.from('CANCEL ');

export interface UdpOptions {
  host: string;
  port: number;
  /** `::` without IPv4, because another socket has that. */
  ipv6Only: boolean;
  limits: ParseLimits;
  log: Logger;
}

export class UdpTransport implements Transport {
  readonly protocol = 'udp';
  readonly connections = undefined;
  readonly #options: UdpOptions;
  readonly #events: TransportEvents;
  readonly #v6: boolean;
  #socket: Socket | undefined;
  #delay: ReceiveDelay | undefined;
  #probing: NodeJS.Timeout | undefined;
  #late = 0;
  readonly #invites = new InviteQueue<{ bytes: Buffer; from: RemoteInfo }>({
    take: ({ bytes, from }) => this.#read(bytes, from),
    now: monotonicNow,
    later: setImmediate,
  });
  #bound: Endpoint;
  #sent = 0;
  #direct: DirectSend | undefined;

  constructor(options: UdpOptions, events: TransportEvents) {
    this.#options = options;
    this.#events = events;
    this.#v6 = isIPv6(options.host);
    this.#bound = { address: options.host, port: options.port };
  }

  get bound(): Endpoint {
    return this.#bound;
  }

  async listen(): Promise<void> {
    const { host, port, ipv6Only, log } = this.#options;
    const socket = createSocket({
      type: this.#v6 ? 'udp6' : 'udp4',
      ipv6Only: this.#v6 && ipv6Only,
      // Only addresses come here; Node.js would ask its resolver about each of them.
      lookup: (address, _, found) => found(null, address, this.#v6 ? 6 : 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        socket.close();
        reject(bindFailure(`cannot listen on udp ${host}:${port}`, cause));
      });
      socket.bind(port, host, () => resolve());
    });
    socket.removeAllListeners('error');
    // After the bind an error is about one datagram (an ICMP answer, a full buffer), never about the socket.
    socket.on('error', (error) => log.warn({ err: error }, 'UDP socket error'));
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER);
    } catch (error) {
      log.debug({ err: error }, 'the kernel keeps its own UDP buffer size');
    }
    const { address, port: boundPort } = socket.address();
    this.#bound = { address, port: boundPort };
    this.#socket = socket;
    const own = isWildcard(address) ? (this.#v6 ? '::1' : '127.0.0.1') : address;
    const delay = new ReceiveDelay((bytes) => socket.send(bytes, boundPort, own, () => undefined));
    this.#delay = delay;
    this.#probing = setInterval(() => delay.probe(monotonicNow()), PROBE_EVERY_MS).unref();
  }

  /** How long datagrams wait until we read them. */
  get receiveDelayMs(): Ms {
    const now = monotonicNow();
    return (this.#delay?.ms(now) ?? 0) + this.#invites.waitMs(now);
  }

  /** INVITEs that were let go since they, or too many, had waited too long. */
  get late(): number {
    return this.#late + this.#invites.dropped;
  }

  async flowTo(remote: Endpoint): Promise<Flow> {
    return new UdpFlow(this, { address: remote.address, port: remote.port });
  }

  existingTo(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#direct = undefined;
    if (socket === undefined) return;
    clearInterval(this.#probing);
    this.#invites.close();
    // dgram hands datagrams to the kernel a tick later: the last refusals must not be lost with the socket.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  /** For UdpFlow. */
  send(bytes: Buffer, flow: Flow, failed: (error: Failure) => void): void {
    const { remote } = flow;
    if (this.#socket === undefined) {
      failed(transportFailure('the UDP socket is closed'));
      return;
    }
    this.#events.onSent?.(bytes, flow);
    if (++this.#sent === SENT_BEFORE_DIRECT) this.#direct = DirectSend.over(this.#socket);
    if (this.#direct?.send(bytes, remote.port, remote.address)) return;
    // A dual-stack socket knows IPv4 peers by their mapped addresses only.
    const address = this.#v6 && !remote.address.includes(':') ? `::ffff:${remote.address}` : remote.address;
    try {
      this.#socket.send(bytes, remote.port, address, (error) => {
        if (error !== null) {
          failed(transportFailure(`UDP to ${remote.address}:${remote.port}: ${error.message}`, error));
        }
      });
    } catch (error) {
      // dgram throws for a port of 0, or an address of the other family.
      failed(transportFailure(`UDP to ${remote.address}:${remote.port}`, error));
    }
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    // CRLF keep-alives (RFC 5626) and STUN need no answer from a socket that sits on a public address.
    const first = bytes[0];
    if (first === undefined) return;
    if (first < 0x20) {
      this.#delay?.take(bytes, monotonicNow());
      return;
    }
    // Each of them has its copy behind it in the queue, and another one to come. Whoever answers them in turn answers copies
    // for ever, always too late; let go unread, the queue is short within a moment and the next copy is in time.
    const isInvite = begins(bytes, INVITE);
    if (isInvite && this.#delay?.isStanding) this.#late++;
    else if (isInvite || begins(bytes, CANCEL)) this.#invites.add({ bytes, from });
    else this.#read(bytes, from);
  }

  #read(bytes: Buffer, from: RemoteInfo): void {
    const flow = new UdpFlow(this, { address: plainAddress(from.address), port: from.port });
    let message: SipMessage;
    try {
      message = parseDatagram(bytes, this.#options.limits);
    } catch (error) {
      const problem = error instanceof SipParseError ? error : new SipParseError(String(error), 400);
      this.#events.onBadMessage(problem, flow, bytes);
      return;
    }
    this.#events.onMessage(message, flow, bytes);
  }
}

function begins(bytes: Buffer, word: Buffer): boolean {
  return bytes[0] === word[0] && bytes.subarray(0, word.length).equals(word);
}

class UdpFlow implements Flow {
  readonly protocol = 'udp';
  readonly reliable = false;
  readonly open = true;
  readonly secure = false;
  readonly peer = undefined;
  readonly transport: UdpTransport;
  readonly local: Endpoint;
  readonly remote: Endpoint;

  constructor(transport: UdpTransport, remote: Endpoint) {
    this.transport = transport;
    this.local = transport.bound;
    this.remote = remote;
  }

  send(bytes: Buffer, failed: (error: Failure) => void): void {
    this.transport.send(bytes, this, failed);
  }
}
