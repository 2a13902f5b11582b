import { isIPv6 } from 'node:net';
import type { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { transportFailure } from '../errors.ts';
import { SipRequest, type SipResponse } from '../message/message.ts';
import { DEFAULT_PARSE_LIMITS, type ParseLimits, type SipParseError } from '../message/parse.ts';
import { hostOf } from '../message/uri.ts';
import { formatVia, type Via } from '../message/values.ts';
import { type Endpoint, type Flow, isWildcard, type Protocol, type Transport, type TransportEvents } from './flow.ts';
import { FacingAddresses } from './local-address.ts';
import { type Hop, resolveHost } from './resolve.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS, TcpTransport } from './tcp.ts';
import { UdpTransport } from './udp.ts';

export interface ListenOptions {
  protocol: 'udp' | 'tcp';
  host: string;
  /** 0 takes a free one; see `bound`. */
  port: number;
}

export interface TransportLayerOptions {
  listen: readonly ListenOptions[];
  /** What peers are told in Via and Contact; else the bound address, or the one that faces the peer. */
  publicAddress?: string | undefined;
  parse?: Partial<ParseLimits> | undefined;
  connections?: Partial<ConnectionLimits> | undefined;
  log: Logger;
}

/** Requests larger than this do not go by UDP when TCP is to be had: 200 bytes below the Ethernet MTU (18.1.1). */
const LARGEST_DATAGRAM = 1300;

/** All transports of one user agent, and the rules of RFC 3261 section 18 that are common to them. */
export class TransportLayer {
  readonly #transports: Transport[];
  readonly #facing = new FacingAddresses();
  readonly #publicAddress: string | undefined;

  constructor(options: TransportLayerOptions, events: TransportEvents) {
    this.#publicAddress = options.publicAddress;
    const limits = { ...DEFAULT_PARSE_LIMITS, ...options.parse };
    const connections = { ...DEFAULT_CONNECTION_LIMITS, ...options.connections };
    const { log } = options;
    const inbound: TransportEvents = {
      onMessage: (message, flow) => {
        if (message instanceof SipRequest) stampSource(message, flow);
        events.onMessage(message, flow);
      },
      onBadMessage: (error, flow) => {
        if (error.partial instanceof SipRequest) stampSource(error.partial, flow);
        events.onBadMessage(error, flow);
      },
    };
    const guarded = neverThrowing(inbound, log);
    this.#transports = options.listen.map(({ protocol, host, port }) =>
      protocol === 'udp'
        ? new UdpTransport({ host, port, limits, log }, guarded)
        : new TcpTransport({ host, port, limits, connections, log }, guarded),
    );
  }

  get bound(): { protocol: Protocol; host: string; port: number }[] {
    return this.#transports.map(({ protocol, bound }) => ({ protocol, host: bound.address, port: bound.port }));
  }

  /** @throws Failure when one address cannot be bound; the others are released */
  async listen(): Promise<void> {
    try {
      for (const transport of this.#transports) await transport.listen();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * The way a request of `bytes` goes (18.1.1): by the transport the URI names, else UDP when it fits and TCP when it
   * does not, back to UDP when TCP cannot be had. `hint` is the connection the dialog came by; it is used where the
   * target is the same host, or cannot be reached otherwise.
   * @throws Failure 503
   */
  async route(hop: Hop, bytes: number, hint: Flow | undefined): Promise<Flow> {
    const remote = await resolveHost(hop);
    const tooLarge = bytes > LARGEST_DATAGRAM;
    const udp = this.#find('udp', remote);
    const tcp = this.#find('tcp', remote);
    const first = hop.protocol === 'tcp' || (tooLarge && tcp !== undefined) || udp === undefined ? tcp : udp;
    if (first === undefined) throw transportFailure(`no transport to ${remote.address}`);
    if (first === udp) return udp.flowTo(remote);
    const connected = first.existingTo(remote);
    if (connected !== undefined) return connected;
    const usable = hint?.reliable && hint.open ? hint : undefined;
    if (usable !== undefined && usable.remote.address === remote.address) return usable;
    try {
      return await first.flowTo(remote);
    } catch (error) {
      if (usable !== undefined) return usable;
      // The peer may not speak TCP at all: 18.1.1 wants the request sent again by UDP then.
      if (hop.protocol !== 'tcp' && udp !== undefined) return udp.flowTo(remote);
      throw error;
    }
  }

  /** Host and port for Via and Contact, as this peer can reach them. */
  addressFor(flow: Flow): { host: string; port: number } | Promise<{ host: string; port: number }> {
    // A connection we opened has a port nobody listens on.
    const port = this.#find(flow.protocol, flow.remote)?.bound.port ?? flow.local.port;
    if (this.#publicAddress !== undefined) return { host: hostOf(this.#publicAddress), port };
    if (!isWildcard(flow.local.address)) return { host: hostOf(flow.local.address), port };
    const facing = this.#facing.facing(flow.remote.address);
    if (typeof facing === 'string') return { host: hostOf(facing), port };
    return facing.then((address) => ({ host: hostOf(address), port }));
  }

  /** Address a media socket for this peer binds to: the one signalling is bound to. */
  bindAddressFor(flow: Flow): string {
    return this.#find(flow.protocol, flow.remote)?.bound.address ?? flow.local.address;
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
    const port = !flow.reliable && via.params.has('rport') ? flow.remote.port : (via.port ?? 5060);
    if (!flow.reliable && port === flow.remote.port) {
      flow.send(response, failed);
      return;
    }
    // Without rport the answer goes to the port the Via names; behind a closed connection to a new one (18.2.2).
    const transport = this.#find(flow.protocol, flow.remote);
    if (transport === undefined) {
      failed(transportFailure('the transport is gone'));
      return;
    }
    transport.flowTo({ address, port }).then(
      (other) => other.send(response, failed),
      (error: Failure) => failed(error),
    );
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  #find(protocol: Protocol, remote: Endpoint): Transport | undefined {
    const v6 = isIPv6(remote.address);
    const fitting = (transport: Transport) =>
      transport.protocol === protocol && (isIPv6(transport.bound.address) === v6 || transport.bound.address === '::');
    return this.#transports.find(fitting);
  }
}

/** Writes down where a request really came from (18.2.1, RFC 3581 section 4). A Via that is no Via stays as it is. */
function stampSource(request: SipRequest, flow: Flow): void {
  let via: Via;
  try {
    via = request.via;
  } catch {
    return;
  }
  const wantsPort = via.params.get('rport') === '';
  const lies = via.params.has('received') || (via.params.has('rport') && !wantsPort);
  if (!wantsPort && !lies && via.host === hostOf(flow.remote.address)) return;
  let params = via.params.without('received').with('received', flow.remote.address);
  if (via.params.has('rport')) params = params.with('rport', String(flow.remote.port));
  request.headers.replaceFirst('Via', formatVia({ ...via, params }));
}

/** Nothing from the network may throw out of a socket's handler, whatever it makes us do. */
function neverThrowing(events: TransportEvents, log: Logger): TransportEvents {
  const guard = <T extends unknown[]>(run: (...args: T) => void) => {
    return (...args: T) => {
      try {
        run(...args);
      } catch (error) {
        log.debug({ err: error }, 'SIP message dropped');
      }
    };
  };
  return {
    onMessage: guard((message: SipRequest | SipResponse, flow: Flow) => events.onMessage(message, flow)),
    onBadMessage: guard((error: SipParseError, flow: Flow) => events.onBadMessage(error, flow)),
  };
}
