import type { Ms } from '../../core/clock.ts';
import { asFailure, type Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { sipFailure } from '../errors.ts';
import { newBranch, statelessTag } from '../identifiers.ts';
import { type SipMessage, SipRequest, type SipResponse } from '../message/message.ts';
import { isDefinedMethod } from '../message/methods.ts';
import { SipParseError } from '../message/parse.ts';
import { createResponse, isAnswerable } from '../message/response.ts';
import { parseSipUri } from '../message/uri.ts';
import type { Via } from '../message/values.ts';
import type { Scheduler, Timed } from '../scheduler.ts';
import type { Flow } from '../transport/flow.ts';
import { hopOf } from '../transport/next-hop.ts';
import type { TransportLayer } from '../transport/transport-layer.ts';
import { InviteClientMachine } from './invite-client.ts';
import { InviteServerMachine } from './invite-server.ts';
import { clientKey, mergeKey, serverKey } from './keys.ts';
import { NonInviteClientMachine } from './non-invite-client.ts';
import { NonInviteServerMachine } from './non-invite-server.ts';
import { RecentRefusals } from './recent-refusals.ts';
import type { TimerValues } from './timers.ts';
import { type ClientEvents, ClientTransaction, ServerTransaction, type TransactionHost } from './transaction.ts';

/** What becomes of a request: served, forgotten, or refused without state (`Retry-After`, `WWW-Authenticate` ...). */
export type Verdict = 'accept' | 'drop' | { status: number; headers?: ExtraHeaders | undefined };

/** A header with several values stands on as many lines: WWW-Authenticate cannot be joined (RFC 3261 7.3.1). */
type ExtraHeaders = Readonly<Record<string, string | readonly string[]>>;

/** The user of the transactions. Must not throw. */
export interface TransactionUser {
  /** Asked before anything is made of a new well-formed request, ACK aside: it is not asked about retransmissions. */
  admit(request: SipRequest, flow: Flow): Verdict;
  /** A request that cannot be read: is it worth a 4xx? */
  admitMalformed(error: Failure, flow: Flow): 'answer' | 'drop';
  /** A new request, ACK aside. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that belongs to no refusal: the ACK of a 2xx, or nobody's. */
  onAck(request: SipRequest, flow: Flow): void;
  /** Refused, or passed over, without state and for good. A challenge is neither. */
  onRefused(request: SipRequest): void;
  /** A response without a transaction: a 2xx after its transaction is over, or noise. */
  onStrayResponse(response: SipResponse): void;
}

export interface TransactionLayerOptions {
  transports: () => TransportLayer;
  scheduler: Scheduler;
  timers: TimerValues;
  /** Both kinds together. When full, requests of peers get 503 without state, ours fail with 503. */
  maxTransactions: number;
  retryAfterSeconds: number;
  log: Logger;
}

/** Matches messages to transactions (RFC 3261 17.1.3, 17.2.3) and runs their timers. */
export class TransactionLayer implements TransactionHost {
  readonly #options: TransactionLayerOptions;
  readonly #user: TransactionUser;
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #merges = new Map<string, ServerTransaction>();
  readonly #clients = new Map<string, ClientTransaction>();
  /** Of INVITEs, with 503: what may be otherwise a moment later. */
  readonly #refusals = new RecentRefusals<Exclude<Verdict, string>>();

  constructor(options: TransactionLayerOptions, user: TransactionUser) {
    this.#options = options;
    this.#user = user;
  }

  get size(): number {
    return this.#servers.size + this.#clients.size;
  }

  /** A message off the wire. @throws Failure for one that cannot be matched nor answered: it is to be dropped */
  receive(message: SipMessage, flow: Flow): void {
    if (message instanceof SipRequest) {
      this.#receiveRequest(message, flow);
      return;
    }
    const client = this.#clients.get(clientKey(message));
    if (client !== undefined) client.receive(message);
    else this.#user.onStrayResponse(message);
  }

  /** A message that does not parse: a request is answered without state where that is possible. */
  receiveBad(error: SipParseError, flow: Flow): void {
    this.#options.log.debug({ remote: flow.remote.address, why: error.message }, 'malformed SIP message');
    const verdict = this.#user.admitMalformed(error, flow);
    const request = error.partial;
    if (!(request instanceof SipRequest)) return;
    if (verdict === 'answer' && isAnswerable(request)) this.#refuseStateless(request, flow, error);
    else this.#user.onRefused(request);
  }

  /** The INVITE a CANCEL is for (9.2). @throws Failure 400 */
  cancelled(cancel: SipRequest): ServerTransaction | undefined {
    return this.#servers.get(serverKey(cancel, 'INVITE'));
  }

  /**
   * Sends a request by a new client transaction. Puts a Via on it. `nextHop` is the URI it goes to: the first route,
   * else the Request-URI. `hint` and `tried`: see TransportLayer.route.
   * @throws Failure 503 when there is no way to the next hop or no room for another transaction
   */
  async request(
    request: SipRequest,
    nextHop: string,
    events: ClientEvents,
    hint?: Flow,
    tried?: readonly Flow[],
  ): Promise<ClientTransaction> {
    this.#needRoom();
    const flow = await this.#prepare(request, nextHop, hint, tried);
    this.#needRoom();
    // Silence and 503 speak of the server, not of what was asked: the next request tries another (RFC 3263 4.3).
    return this.#start(request, flow, {
      onResponse: (response) => {
        if (response.status === 503) this.#options.transports().suspect(flow);
        events.onResponse(response);
      },
      onFailed: (error) => {
        this.#options.transports().suspect(flow);
        events.onFailed(error);
      },
    });
  }

  /** A CANCEL for this INVITE: same branch, same flow (9.1). */
  cancel(invite: ClientTransaction, events: ClientEvents): ClientTransaction {
    const { request } = invite;
    const cancel = new SipRequest('CANCEL', request.uri);
    cancel.headers.append('Via', request.headers.get('via') ?? '');
    for (const route of request.headers.lines('route')) cancel.headers.append('Route', route);
    cancel.headers.append('Max-Forwards', '70');
    for (const name of ['From', 'To', 'Call-ID']) {
      cancel.headers.append(name, request.headers.get(name.toLowerCase()) ?? '');
    }
    cancel.headers.append('CSeq', `${request.cseq.number} CANCEL`);
    return this.#start(cancel, invite.flow, events);
  }

  /** Sends an ACK of a 2xx, which is no transaction. @throws Failure 503 */
  async sendAck(ack: SipRequest, nextHop: string, hint: Flow | undefined): Promise<{ bytes: Buffer; flow: Flow }> {
    const flow = await this.#prepare(ack, nextHop, hint);
    const bytes = ack.serialize();
    flow.send(bytes, (error) => this.#options.log.info({ err: error }, 'ACK could not be sent'));
    return { bytes, flow };
  }

  close(): void {
    for (const server of [...this.#servers.values()]) server.terminate();
    for (const client of [...this.#clients.values()]) client.terminate();
  }

  now(): Ms {
    return this.#options.scheduler.now();
  }

  changed(timed: Timed): void {
    this.#options.scheduler.changed(timed);
  }

  respond(bytes: Buffer, via: Via, flow: Flow, failed: (error: Failure) => void): void {
    this.#options.transports().respond(bytes, via, flow, failed);
  }

  forgetServer(transaction: ServerTransaction): void {
    this.#servers.delete(transaction.key);
    const { mergeKey: merge } = transaction;
    if (merge !== undefined && this.#merges.get(merge) === transaction) this.#merges.delete(merge);
  }

  forgetClient(transaction: ClientTransaction): void {
    this.#clients.delete(transaction.key);
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const isAck = request.method === 'ACK';
    if (!isAck && viaOf(request) === undefined) {
      this.receiveBad(new SipParseError('malformed Via', 400, request), flow);
      return;
    }
    const key = serverKey(request, isAck ? 'INVITE' : request.method);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      // An old peer may use the INVITE's branch for the ACK of a 2xx as well.
      if (isAck && known.state === 'accepted') this.#user.onAck(request, flow);
      else known.receive(request);
      return;
    }
    if (isAck) {
      this.#user.onAck(request, flow);
      return;
    }
    const problem = faultOf(request);
    if (problem !== undefined) {
      if (this.#user.admitMalformed(problem, flow) === 'answer') this.#refuseStateless(request, flow, problem);
      else this.#user.onRefused(request);
      return;
    }
    const verdict = this.#refusals.of(key, this.now()) ?? this.#user.admit(request, flow);
    if (verdict === 'drop') {
      this.#user.onRefused(request);
      return;
    }
    if (verdict !== 'accept') {
      if (request.method === 'INVITE' && verdict.status === 503) this.#refusals.keep(key, verdict, this.now());
      this.#answerStateless(request, flow, verdict.status, verdict.headers);
      return;
    }
    if (this.size >= this.#options.maxTransactions) {
      this.#refuseStateless(request, flow, sipFailure(503, 'sip-full', 'no room for another transaction'));
      return;
    }
    const merge = request.toTag === undefined && request.method !== 'CANCEL' ? mergeKey(request) : undefined;
    const transaction = this.#newServer(request, flow, { key, mergeKey: merge });
    this.#servers.set(key, transaction);
    this.changed(transaction);
    if (merge !== undefined) {
      const first = this.#merges.get(merge);
      if (first !== undefined && !first.refused) {
        transaction.respond(createResponse(request, 482, transaction.localTag));
        return;
      }
      this.#merges.set(merge, transaction);
    }
    this.#user.onRequest(transaction);
  }

  #newServer(request: SipRequest, flow: Flow, keys: { key: string; mergeKey: string | undefined }): ServerTransaction {
    const { timers } = this.#options;
    const machine =
      request.method === 'INVITE'
        ? new InviteServerMachine(flow.reliable, timers, this.#cameAt(flow), () => createResponse(request, 100, ''))
        : new NonInviteServerMachine(flow.reliable, timers);
    return new ServerTransaction(this, machine, request, flow, keys);
  }

  /** It had waited for us before: the peer must have its 100 in time all the same. */
  #cameAt(flow: Flow): Ms {
    return this.now() - (flow.reliable ? 0 : this.#options.transports().receiveDelayMs);
  }

  #refuseStateless(request: SipRequest, flow: Flow, why: Failure): void {
    const headers: Record<string, string> = {};
    if (why.sipStatus === 503) headers['Retry-After'] = String(this.#options.retryAfterSeconds);
    if (why.sipStatus === 400) headers.Warning = `399 sip "${why.message.replace(/[^ -~]|["\\]/g, '?')}"`;
    this.#answerStateless(request, flow, why.sipStatus, headers);
  }

  /** The same answer with the same To tag to every copy of the request, and nothing kept (8.2.7). */
  #answerStateless(request: SipRequest, flow: Flow, status: number, headers: ExtraHeaders = {}): void {
    // An ACK is never answered, whatever is wrong with it.
    if (request.method === 'ACK') return;
    const response = createResponse(request, status, statelessTag(request.headers.get('via') ?? ''));
    for (const [name, value] of Object.entries(headers)) {
      response.headers.set(name, ...(typeof value === 'string' ? [value] : value));
    }
    this.#options
      .transports()
      .respond(response.serialize(), viaOf(request), flow, (error) =>
        this.#options.log.debug({ err: error }, 'refusal could not be sent'),
      );
    // Who is asked for a password goes on under the same Call-ID.
    if (status !== 401 && status !== 407) this.#user.onRefused(request);
  }

  async #prepare(request: SipRequest, nextHop: string, hint: Flow | undefined, tried?: readonly Flow[]): Promise<Flow> {
    const transports = this.#options.transports();
    // What the Via will add is not known yet; it is never much longer than this.
    const size = request.serialize().length + 120;
    const flow = await transports.route(hopOf(parseSipUri(nextHop)), size, hint, tried);
    const { host, port } = await transports.addressFor(flow);
    const via = `SIP/2.0/${flow.protocol.toUpperCase()} ${host}:${port};branch=${newBranch()};rport`;
    request.headers.prepend('Via', via);
    return flow;
  }

  #start(request: SipRequest, flow: Flow, events: ClientEvents): ClientTransaction {
    const { timers } = this.#options;
    const machine =
      request.method === 'INVITE'
        ? new InviteClientMachine(request, flow.reliable, timers)
        : new NonInviteClientMachine(request, flow.reliable, timers);
    const transaction = new ClientTransaction(this, machine, flow, clientKey(request), events);
    this.#clients.set(transaction.key, transaction);
    transaction.start();
    return transaction;
  }

  #needRoom(): void {
    if (this.size >= this.#options.maxTransactions) {
      throw sipFailure(503, 'sip-full', 'no room for another transaction');
    }
  }
}

/** Topmost Via; undefined when nobody can read it: then the answer goes where the request came from. */
function viaOf(request: SipRequest): Via | undefined {
  try {
    return request.via;
  } catch {
    return undefined;
  }
}

/** What makes a request unusable although its lines are well-formed: the structured headers (8.1.1). */
function faultOf(request: SipRequest): Failure | undefined {
  try {
    if (request.cseq.method !== request.method) {
      // For a method nobody has defined 501 says more (RFC 4475 3.1.2.18).
      const status = isDefinedMethod(request.method) ? 400 : 501;
      return sipFailure(status, 'sip-malformed', 'CSeq names another method', 'caller');
    }
    if (/^sips?:/i.test(request.uri) && request.sipUri.headers !== '') {
      return sipFailure(400, 'sip-malformed', 'header fields in the Request-URI');
    }
    request.from;
    request.to;
    if (request.callId === '') return sipFailure(400, 'sip-malformed', 'Call-ID is empty');
    request.contact;
    return undefined;
  } catch (error) {
    return asFailure(error);
  }
}
