import { randomBytes } from 'node:crypto';
import {
  cseq,
  header,
  parseVia,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  serialize,
  type Via,
} from './sip-message.ts';
import { branchOf, ClientTransaction, DEFAULT_TIMERS, ServerTransaction, type SipTimers } from './sip-transactions.ts';
import { type Address, type Flow, type SipTransport, SipWire, type TraceEntry } from './sip-wire.ts';

export interface EndpointOptions {
  readonly transport?: SipTransport;
  /** Address to bind and to name in Via and Contact. */
  readonly host?: string;
  /** 0 or left out: a free port. */
  readonly port?: number;
  readonly timers?: SipTimers;
}

export function token(bytes = 8): string {
  return randomBytes(bytes).toString('hex');
}

/** Routes messages to transactions and new requests to their owner. One signalling socket. */
export class SipEndpoint {
  readonly wire: SipWire;
  readonly timers: SipTimers;
  /** A request that belongs to no transaction yet. An ACK of a 2xx has no transaction to answer on. */
  onRequest: (request: SipRequest, transaction: ServerTransaction | undefined) => void = () => {};
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();

  private constructor(wire: SipWire, timers: SipTimers) {
    this.wire = wire;
    this.timers = timers;
    wire.onMessage = (message, flow) => this.#receive(message, flow);
  }

  static async open(options: EndpointOptions = {}): Promise<SipEndpoint> {
    const wire = await SipWire.open(options.transport ?? 'udp', options.host ?? '127.0.0.1', options.port ?? 0);
    return new SipEndpoint(wire, options.timers ?? DEFAULT_TIMERS);
  }

  get trace(): readonly TraceEntry[] {
    return this.wire.trace;
  }

  /** Address and port as they stand in Via and URIs: IPv6 in brackets. */
  get #place(): string {
    const { address, port } = this.wire.local;
    return `${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  /** sip:user@address:port of this endpoint, with its transport. */
  contact(user: string): string {
    return `sip:${user}@${this.#place}${this.wire.transport === 'tcp' ? ';transport=tcp' : ''}`;
  }

  /** A top Via with a fresh branch, asking for the RFC 3581 way back. */
  via(branch = `z9hG4bK${token()}`): string {
    return `SIP/2.0/${this.wire.transport.toUpperCase()} ${this.#place};branch=${branch};rport`;
  }

  /** Starts a client transaction; the request must have its Via already. */
  request(
    request: SipRequest,
    to: Address,
    onResponse: (response: SipResponse, local: boolean) => void,
  ): ClientTransaction {
    const key = `${branchOf(request)} ${request.method}`;
    const transaction = new ClientTransaction({
      request,
      reliable: this.wire.transport === 'tcp',
      timers: this.timers,
      transmit: (data) => this.wire.send(data, to),
      onResponse,
      onDone: () => this.#clients.delete(key),
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  /** For ACK of a 2xx, which is no transaction, and for tests that send what they like. */
  async send(message: SipMessage | Buffer, to: Address): Promise<void> {
    await this.wire.send(Buffer.isBuffer(message) ? message : serialize(message), to);
  }

  close(): void {
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) transaction.close();
    this.wire.close();
  }

  #receive(message: SipMessage, flow: Flow): void {
    try {
      if (message.kind === 'response') this.#receiveResponse(message);
      else this.#receiveRequest(message, flow);
    } catch {
      this.wire.garbage++;
    }
  }

  #receiveResponse(response: SipResponse): void {
    this.#clients.get(`${branchOf(response)} ${cseq(response).method}`)?.receive(response);
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const via = parseVia(header(request, 'via') ?? '');
    const branch = via.params.get('branch') ?? '';
    const id = `${branch} ${via.host}:${via.port ?? 5060}`;
    if (request.method === 'ACK') {
      const invite = this.#servers.get(`${id} INVITE`);
      if (invite?.refused) invite.receiveAck();
      else this.onRequest(request, undefined);
      return;
    }
    const key = `${id} ${request.method}`;
    const known = this.#servers.get(key);
    if (known) {
      known.receiveAgain();
      return;
    }
    const stamped = withReceived(request, flow);
    const transaction = new ServerTransaction({
      request: stamped,
      reliable: this.wire.transport === 'tcp',
      timers: this.timers,
      transmit: (data) => this.#reply(data, via, flow),
      onDone: () => this.#servers.delete(key),
    });
    this.#servers.set(key, transaction);
    this.onRequest(stamped, transaction);
  }

  /** Section 18.2.2: without rport a UDP response goes to the sent-by port at the address the request came from. */
  #reply(data: Buffer, via: Via, flow: Flow): void {
    if (this.wire.transport === 'tcp' || via.params.has('rport')) flow.send(data);
    else void this.wire.send(data, { address: flow.address, port: via.port ?? 5060 }).catch(() => {});
  }

  /** The INVITE transaction that a CANCEL names (section 9.2). */
  inviteFor(cancel: SipRequest): ServerTransaction | undefined {
    const via = parseVia(header(cancel, 'via') ?? '');
    return this.#servers.get(`${via.params.get('branch') ?? ''} ${via.host}:${via.port ?? 5060} INVITE`);
  }
}

/** Notes in the top Via where the request came from (RFC 3261 section 18.2.1, RFC 3581 section 4). */
function withReceived(request: SipRequest, flow: Flow): SipRequest {
  const top = request.headers.findIndex((h) => /^(via|v)$/i.test(h.name));
  const headers = request.headers.map((h, i) => {
    if (i !== top) return h;
    const [first, ...rest] = h.value.split(',');
    const stamped = `${first!.replace(/;rport(?=;|$)/i, `;rport=${flow.port}`)};received=${flow.address}`;
    return { name: h.name, value: [stamped, ...rest].join(',') };
  });
  return { ...request, headers };
}
