import { isIPv6 } from 'node:net';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { transportFailure } from '../errors.ts';
import { DEFAULT_PARSE_LIMITS, type ParseLimits } from '../message/parse.ts';
import { hostOf } from '../message/uri.ts';
import type { Via } from '../message/values.ts';
import type { WireTap } from '../trace/wire-tap.ts';
import { ConnectionGate, type GateRefusal } from './connection-gate.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { type Dns, systemDns } from './dns.ts';
import { type Flow, isWildcard, type Protocol, type Transport } from './flow.ts';
import { guardedEvents, type MessageEvents } from './inbound.ts';
import { FacingAddresses } from './local-address.ts';
import { type Located, Locator } from './locator.ts';
import { isNowhere, isPrivate } from './nat.ts';
import { defaultPort, type Hop } from './next-hop.ts';
import { StreamTransport } from './stream-transport.ts';
import { TlsCredentials } from './tls-credentials.ts';
import type { TlsFiles } from './tls-files.ts';
import { UdpTransport } from './udp.ts';
import { WsTransport } from './ws-transport.ts';

export interface ListenOptions {
  protocol: Protocol;
  /** An IP address; `::` takes IPv4 as well, unless it is listened to beside it. */
  host: string;
  /** 0 takes a free one; see `bound`. */
  port: number;
  /** Of WebSockets: pages that may connect, other than `webSocketOrigins`; pages of this very machine. */
  origins?: 'this-machine' | undefined;
}

export interface TransportLayerOptions {
  listen: readonly ListenOptions[];
  /**
   * What peers are told in Via and Contact, one for IPv4, one for IPv6; else the bound address, or the one that faces
   * the peer.
   */
  publicAddress?: string | readonly string[] | undefined;
  /** Needed for `tls` and `wss`. */
  tls?: TlsFiles | undefined;
  /** Pages that may connect by WebSocket; any when undefined. */
  webSocketOrigins?: readonly string[] | undefined;
  dns?: Dns | undefined;
  parse?: Partial<ParseLimits> | undefined;
  connections?: Partial<ConnectionLimits> | undefined;
  /** May this address open a connection to us? Default: yes. Must not throw. */
  welcome?: ((address: string) => boolean) | undefined;
  /** Sees every message. */
  tap?: WireTap | undefined;
  log: Logger;
}

/** For metrics. */
export interface TransportStats {
  /** Open ones. */
  connections: Partial<Record<Protocol, number>>;
  /** Since the start, as are those that made room for others. */
  refused: Record<GateRefusal, number>;
  evicted: number;
  /** INVITEs let go unread, since they had waited for so long that they have been sent again. */
  late: number;
}

/** Requests larger than this do not go by UDP when TCP is to be had: 200 bytes below the Ethernet MTU (18.1.1). */
const LARGEST_DATAGRAM = 1300;
const LOOK_AFTER_EVERY: Ms = 10_000;

/** All transports of one user agent, and the rules of RFC 3261 section 18 that are common to them. */
export class TransportLayer {
  readonly #transports: Transport[];
  readonly #facing = new FacingAddresses();
  readonly #publicAddresses: readonly string[];
  readonly #credentials: TlsCredentials | undefined;
  readonly #gate: ConnectionGate;
  readonly #locator: Locator;
  readonly #log: Logger;
  #caretaker: NodeJS.Timeout | undefined;
  #refusedBefore = 0;

  /** @throws Failure bad-setting for certificate files that cannot be used */
  constructor(options: TransportLayerOptions, events: MessageEvents) {
    const { publicAddress, log } = options;
    this.#log = log;
    this.#publicAddresses = typeof publicAddress === 'string' ? [publicAddress] : (publicAddress ?? []);
    this.#credentials = options.tls === undefined ? undefined : new TlsCredentials(options.tls, log);
    const connections = { ...DEFAULT_CONNECTION_LIMITS, ...options.connections };
    this.#gate = new ConnectionGate(connections, options.welcome);
    const shared = {
      limits: { ...DEFAULT_PARSE_LIMITS, ...options.parse },
      connections,
      gate: this.#gate,
      origins: options.webSocketOrigins,
      log,
    };
    const guarded = guardedEvents(events, log, options.tap);
    const transportFor = (place: ListenOptions): Transport => {
      const here = { ...shared, host: place.host, port: place.port, ipv6Only: hasIpv4Beside(place, options.listen) };
      switch (place.protocol) {
        case 'udp':
          return new UdpTransport(here, guarded);
        case 'tcp':
          return new StreamTransport(here, guarded);
        case 'tls':
          return new StreamTransport({ ...here, credentials: this.#needCredentials('tls') }, guarded);
        case 'ws':
          return new WsTransport({ ...here, origins: place.origins ?? here.origins }, guarded);
        case 'wss':
          return new WsTransport({ ...here, credentials: this.#needCredentials('wss') }, guarded);
      }
    };
    this.#transports = options.listen.map(transportFor);
    this.#locator = new Locator({
      dns: options.dns ?? systemDns(),
      speaks: (protocol, family) => this.#find(protocol, family === 6 ? '::1' : '127.0.0.1', undefined) !== undefined,
      now: monotonicNow,
      random: Math.random,
    });
  }

  get bound(): { protocol: Protocol; host: string; port: number }[] {
    return this.#transports.map(({ protocol, bound }) => ({ protocol, host: bound.address, port: bound.port }));
  }

  get stats(): TransportStats {
    const connections: Partial<Record<Protocol, number>> = {};
    let late = 0;
    for (const { protocol, connections: open, late: dropped = 0 } of this.#transports) {
      late += dropped;
      if (open !== undefined) connections[protocol] = (connections[protocol] ?? 0) + open;
    }
    return { connections, refused: { ...this.#gate.refused }, evicted: this.#gate.evicted, late };
  }

  /** How long messages wait until we read them. */
  get receiveDelayMs(): Ms {
    return Math.max(0, ...this.#transports.map(({ receiveDelayMs = 0 }) => receiveDelayMs));
  }

  /** @throws Failure when one address cannot be bound; the others are released */
  async listen(): Promise<void> {
    try {
      for (const transport of this.#transports) await transport.listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#credentials?.watch();
    this.#caretaker = setInterval(() => this.#lookAfter(), LOOK_AFTER_EVERY);
    this.#caretaker.unref();
  }

  /**
   * The way a request of `bytes` goes (18.1.1, RFC 3263): to the first server of its URI that can be had, by the
   * transport the URI or DNS names; what is too large for UDP by TCP, by UDP after all when TCP cannot be had. `hint`
   * is the way the dialog came by. It is taken where the target is the same host, or cannot be reached otherwise: it
   * sits behind a NAT, or at the other end of a WebSocket. `tried` are the ways that this request has gone before
   * (RFC 3263 4.3): their servers are left out.
   * @throws Failure 503
   */
  async route(hop: Hop, bytes: number, hint: Flow | undefined, tried: readonly Flow[] = []): Promise<Flow> {
    const isNew = ({ address, port }: { address: string; port: number }) =>
      tried.every(({ remote }) => remote.address !== address || remote.port !== port);
    const held = hint?.open && (!hop.secure || hint.secure) && isNew(hint.remote) ? hint : undefined;
    const webSocket = hop.protocol === 'ws' || hop.protocol === 'wss';
    if (held !== undefined) {
      const onWebSocket = held.protocol === 'ws' || held.protocol === 'wss';
      if (webSocket ? onWebSocket : isNowhere(hop.host)) return held;
      const named = hop.protocol ?? held.protocol;
      if (named === held.protocol && isPrivate(hop.host) && !isPrivate(held.remote.address)) return held;
    }
    if (webSocket) throw transportFailure('the WebSocket of that client is closed');
    let failure: Failure | undefined;
    const found = await this.#locator.locate(hop).catch((error: unknown): Located[] => {
      failure = asFailure(error);
      return [];
    });
    const places = found.filter(isNew);
    for (const place of places) {
      for (const way of this.#waysTo(place, bytes)) {
        const transport = this.#find(way.protocol, way.address, hint);
        if (transport === undefined) continue;
        const connected = transport.existingTo(way);
        if (connected !== undefined) return connected;
        if (held?.reliable && held.protocol === way.protocol && held.remote.address === way.address) return held;
        try {
          return await transport.flowTo(way);
        } catch (error) {
          failure = asFailure(error);
          if (way === place) this.#locator.avoid(place);
        }
      }
    }
    const meant = places.length === 0 || places.some(({ protocol }) => protocol === held?.protocol);
    if (held?.reliable && meant) return held;
    throw failure ?? transportFailure(`no transport to ${hop.host.slice(0, 80)}`);
  }

  /** Nobody answered there, or said 503: requests after this one try other servers of the same name first. */
  suspect(flow: Flow): void {
    this.#locator.avoid({ protocol: flow.protocol, address: flow.remote.address, port: flow.remote.port });
  }

  /** Host and port for Via and Contact, as this peer can reach them. */
  addressFor(flow: Flow): { host: string; port: number } | Promise<{ host: string; port: number }> {
    // A connection we opened has a port nobody listens on.
    const { port } = flow.transport.bound;
    const v6 = isIPv6(flow.remote.address);
    const open = this.#publicAddresses.find((address) => isIPv6(address) === v6);
    if (open !== undefined) return { host: hostOf(open), port };
    if (!isWildcard(flow.local.address)) return { host: hostOf(flow.local.address), port };
    const facing = this.#facing.facing(flow.remote.address);
    if (typeof facing === 'string') return { host: hostOf(facing), port };
    return facing.then((address) => ({ host: hostOf(address), port }));
  }

  /** Address a media socket for this peer binds to: the one signalling is bound to. */
  bindAddressFor(flow: Flow): string {
    const { address } = flow.transport.bound;
    return address === '::' && !isIPv6(flow.remote.address) ? '0.0.0.0' : address;
  }

  /**
   * Sends a response where its request came from (18.2.2, RFC 3581 section 4). `via` is undefined where nobody can
   * read it. Never throws.
   */
  respond(response: Buffer, via: Via | undefined, flow: Flow, failed: (error: Failure) => void): void {
    if (via === undefined || (flow.reliable && flow.open)) {
      flow.send(response, failed);
      return;
    }
    const address = flow.remote.address;
    const rport = !flow.reliable && via.params.has('rport');
    const port = rport ? flow.remote.port : (via.port ?? defaultPort(flow.protocol));
    if (!flow.reliable && port === flow.remote.port) {
      flow.send(response, failed);
      return;
    }
    // Without rport the answer goes to the port the Via names; behind a closed connection to a new one (18.2.2).
    flow.transport.flowTo({ address, port, name: via.host }).then(
      (other) => other.send(response, failed),
      (error: Failure) => failed(error),
    );
  }

  /** Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#caretaker);
    this.#credentials?.close();
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  /** A place, preceded by TCP to it when the request is too large for a datagram. */
  #waysTo(place: Located, bytes: number): Located[] {
    return place.protocol === 'udp' && bytes > LARGEST_DATAGRAM ? [{ ...place, protocol: 'tcp' }, place] : [place];
  }

  /** The transport for a peer there; of several the one the dialog came by. */
  #find(protocol: Protocol, address: string, hint: Flow | undefined): Transport | undefined {
    const v6 = isIPv6(address);
    const fits = (transport: Transport) => {
      const { bound } = transport;
      if (transport.protocol !== protocol) return false;
      return isIPv6(bound.address) === v6 || (bound.address === '::' && !this.#speaksIpv4(protocol));
    };
    if (hint !== undefined && fits(hint.transport)) return hint.transport;
    return this.#transports.find(fits);
  }

  /** Is there a transport of its own for IPv4? Then that of `::` is for IPv6 only. */
  #speaksIpv4(protocol: Protocol): boolean {
    return this.#transports.some((one) => one.protocol === protocol && !isIPv6(one.bound.address));
  }

  #needCredentials(protocol: Protocol): TlsCredentials {
    if (this.#credentials !== undefined) return this.#credentials;
    throw new Failure(`${protocol} needs a certificate`, { code: 'bad-setting', blame: 'us' });
  }

  /** Refused connections are told of in one line for all of the last seconds: a flood must not flood the log. */
  #lookAfter(): void {
    this.#gate.sweep(monotonicNow());
    const { refused, evicted, open } = this.#gate;
    const now = Object.values(refused).reduce((sum, count) => sum + count, evicted);
    if (now > this.#refusedBefore) this.#log.warn({ refused, evicted, open }, 'SIP connections were refused');
    this.#refusedBefore = now;
  }
}

function hasIpv4Beside(place: ListenOptions, all: readonly ListenOptions[]): boolean {
  if (place.host !== '::') return true;
  return all.some((other) => other.protocol === place.protocol && !isIPv6(other.host) && other.port === place.port);
}
