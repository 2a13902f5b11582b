import { type Ms, systemClock } from '../core/clock.ts';
import { asFailure } from '../core/errors.ts';
import { sipFailure } from './errors.ts';
import type { SipRequest, SipResponse } from './message/message.ts';
import { createResponse } from './message/response.ts';
import { schemeOf } from './message/uri.ts';
import { DEFAULT_LIMITS, type UserAgentLimits, type UserAgentOptions } from './options.ts';
import { Scheduler } from './scheduler.ts';
import { type CallOptions, callOut, type Offer } from './session/call-out.ts';
import { dialogKey } from './session/dialog.ts';
import { anewFrom, type ExchangeOptions, exchange } from './session/exchange.ts';
import { IncomingInvite, type Refusal } from './session/incoming-invite.ts';
import { type OutgoingOptions, outgoingRequest } from './session/outgoing-request.ts';
import type { Referral } from './session/referral.ts';
import { Registration, type RegistrationOptions } from './session/registration.ts';
import { replacedBy } from './session/replacement.ts';
import type { Session } from './session/session.ts';
import { DEFAULT_SESSION_TIMER } from './session/session-timer.ts';
import {
  allowHeader,
  contactUri,
  EXTENSIONS,
  inviteFault,
  methodFault,
  refuse,
  SDP,
  type Stack,
  unknownExtensions,
} from './session/stack.ts';
import { DEFAULT_TIMERS } from './transactions/timers.ts';
import type { ServerTransaction } from './transactions/transaction.ts';
import { TransactionLayer } from './transactions/transaction-layer.ts';
import type { Protocol } from './transport/flow.ts';
import { TransportLayer, type TransportStats } from './transport/transport-layer.ts';

export type { UserAgentLimits, UserAgentOptions } from './options.ts';

/** Who sends more in its own call than any call needs is asked to wait, and nothing is kept of it. */
const FLOODED = { status: 500, headers: { 'Retry-After': '1' } };

/** A SIP user agent, both client and server (RFC 3261), on UDP, TCP, TLS and WebSocket. It does not know what the calls are for. */
export class UserAgent {
  readonly #options: UserAgentOptions;
  readonly #stack: Stack;
  readonly #limits: UserAgentLimits;
  /** By the INVITE's transaction, until they are over: what CANCEL looks for. */
  readonly #invites = new Map<ServerTransaction, IncomingInvite>();
  #closing: Promise<void> | undefined;

  constructor(options: UserAgentOptions) {
    this.#options = options;
    const { log } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const timers = { ...DEFAULT_TIMERS, ...options.timers };
    this.#limits = limits;
    const scheduler = new Scheduler(options.clock ?? systemClock, (error) => log.error({ err: error }, 'SIP timer'));
    const { maxTransactions, retryAfterSeconds } = limits;
    const transactions: TransactionLayer = new TransactionLayer(
      { transports: () => transports, scheduler, timers, maxTransactions, retryAfterSeconds, log },
      {
        admit: (request, flow) => {
          if (request.toTag !== undefined && this.#sessionFor(request)?.takes(request) === false) return FLOODED;
          return options.onRequest?.(request, flow, this.#knows(request)) ?? 'accept';
        },
        admitMalformed: (error, flow) => options.onMalformed?.(error, flow) ?? 'answer',
        onRequest: (tx) => this.#receive(tx),
        onAck: (ack) => this.#sessionFor(ack)?.receiveAck(ack),
        onRefused: (request) => options.tap?.refused?.(request.headers.get('call-id') ?? ''),
        onStrayResponse: (response) => log.debug({ status: response.status }, 'response without a transaction'),
      },
    );
    const transports = new TransportLayer(
      {
        listen: options.listen,
        publicAddress: options.publicAddress,
        tls: options.tls,
        webSocketOrigins: options.webSocketOrigins,
        dns: options.dns,
        parse: limits.parse,
        connections: limits.connections,
        welcome: options.welcome,
        tap: options.tap,
        log,
      },
      {
        onMessage: (message, flow) => transactions.receive(message, flow),
        onBadMessage: (error, flow) => transactions.receiveBad(error, flow),
        // Asked of connections that have been quiet for minutes, so a search will do.
        inUse: (flow) => [...sessions.values()].some((session) => session.flow === flow),
      },
    );
    const product = options.product ?? 'sip-voice-connector';
    const sessions = new Map<string, Session>();
    const referrals = new Map<string, Referral>();
    const sessionTimer = { ...DEFAULT_SESSION_TIMER, ...options.sessionTimer };
    this.#stack = {
      sessionTimer,
      transactions,
      transports,
      scheduler,
      timers,
      log,
      sessions,
      referrals,
      product,
      retryAfterSeconds,
    };
  }

  /** @throws Failure `sip-bind` when an address cannot be bound */
  start(): Promise<void> {
    return this.#stack.transports.listen();
  }

  /** Where it listens, with the real ports. */
  get bound(): { protocol: Protocol; host: string; port: number }[] {
    return this.#stack.transports.bound;
  }

  /** Calls that are ringing, answered or being hung up. */
  get dialogs(): number {
    return this.#stack.sessions.size;
  }

  get transactions(): number {
    return this.#stack.transactions.size;
  }

  /** How long messages wait until we read them: what comes before everything else in an answer's time. */
  get receiveDelayMs(): Ms {
    return this.#stack.transports.receiveDelayMs;
  }

  get transportStats(): TransportStats {
    return this.#stack.transports.stats;
  }

  /**
   * Calls `uri` with an SDP offer, which may be made when it is known from where; resolves when it is answered.
   * @throws Failure with the peer's status and the response as its cause, 408, 503, or 487 when `signal` aborts first
   */
  async invite(uri: string, offer: Offer, options: CallOptions = {}): Promise<Session> {
    if (this.#stack.sessions.size >= this.#limits.maxDialogs)
      throw sipFailure(503, 'sip-full', 'no room for another call');
    return callOut(this.#stack, uri, offer, options);
  }

  /**
   * A request outside of dialogs, e.g. OPTIONS; resolves with the final response, whatever its status.
   * @throws Failure 408 without an answer, 503 without a way
   */
  async request(
    method: string,
    uri: string,
    options: OutgoingOptions & Pick<ExchangeOptions, 'auth' | 'silenceMs'> = {},
  ): Promise<SipResponse> {
    const { request, nextHop } = await outgoingRequest(this.#stack, method, uri, options);
    const { response, failure } = await exchange(this.#stack, anewFrom(request), nextHop, options);
    if (response === undefined) throw failure;
    return response;
  }

  /** Registers, and stays registered until the result is closed; before the user agent is. */
  register(options: RegistrationOptions): Registration {
    return new Registration(this.#stack, options);
  }

  /** Refuses what rings with 503, says BYE to every call, then stops listening. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { sessions, scheduler, transactions, transports } = this.#stack;
    for (const invite of [...this.#invites.values()]) invite.reject({ status: 503 });
    const goodbyes = [...sessions.values()].map((session) => session.shutdown());
    if (goodbyes.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = scheduler.after(this.#limits.closeGraceMs, resolve);
      void Promise.allSettled(goodbyes).then(() => resolve());
      await promise;
      stop();
    }
    transactions.close();
    for (const session of [...sessions.values()]) session.end({ by: 'local', how: 'shutdown' });
    scheduler.close();
    await transports.close();
  }

  #receive(tx: ServerTransaction): void {
    try {
      this.#serve(tx);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.blame === 'us') this.#stack.log.error({ err: error }, 'SIP request failed');
      if (tx.pending) refuse(tx, failure.sipStatus);
    }
  }

  /** The order of RFC 3261 8.2: method, headers, body; then what the request is for. */
  #serve(tx: ServerTransaction): void {
    const { request } = tx;
    const { method } = request;
    if (method === 'CANCEL') {
      this.#cancel(tx);
      return;
    }
    const { onRegister } = this.#options;
    const wrongMethod = methodFault(method);
    if (wrongMethod !== undefined && !(method === 'REGISTER' && onRegister)) {
      refuse(tx, wrongMethod, allowHeader());
      return;
    }
    const scheme = schemeOf(request.uri);
    if (scheme === 'sip' || scheme === 'sips') request.sipUri;
    else if (scheme !== 'tel') throw sipFailure(416, 'sip-scheme', 'Request-URI of another scheme');
    const unknown = unknownExtensions(request);
    if (unknown.length > 0) {
      refuse(tx, 420, { Unsupported: unknown.join(', ') });
      return;
    }
    if (method === 'REGISTER') {
      const { status, headers } = onRegister!(request, tx.flow);
      refuse(tx, status, headers);
    } else if (method === 'NOTIFY') {
      // A subscription outlives the call it was made in (RFC 5057), so it is not looked for there.
      const referral = request.toTag === undefined ? undefined : this.#stack.referrals.get(keyOf(request));
      if (referral === undefined) refuse(tx, 481);
      else referral.receive(tx);
    } else if (request.toTag !== undefined) {
      const session = this.#sessionFor(request);
      if (session === undefined) refuse(tx, 481);
      else session.receive(tx);
    } else if (method === 'INVITE') this.#receiveInvite(tx);
    else if (method === 'OPTIONS') this.#receiveOptions(tx);
    // To be referred outside of a call is nothing we do for anybody.
    else if (method === 'REFER') refuse(tx, 403);
    // BYE, UPDATE, PRACK and INFO live in dialogs only.
    else refuse(tx, 481);
  }

  #cancel(tx: ServerTransaction): void {
    const invite = this.#stack.transactions.cancelled(tx.request);
    if (invite === undefined) {
      refuse(tx, 481);
      return;
    }
    // The same To tag as the INVITE's answers (9.2).
    tx.respond(createResponse(tx.request, 200, invite.localTag));
    const call = this.#invites.get(invite);
    if (call !== undefined) call.cancelled(tx.request);
    else if (invite.pending) refuse(invite, 487);
  }

  #receiveOptions(tx: ServerTransaction): void {
    const refusal = this.#options.admit?.(tx.request, tx.flow);
    const response = createResponse(tx.request, refusal?.status ?? 200, tx.localTag, refusal?.reason);
    const facts = { ...allowHeader(), Accept: SDP, 'Accept-Encoding': 'identity', Supported: EXTENSIONS.join(', ') };
    for (const [name, value] of Object.entries(refusal?.headers ?? facts)) response.headers.set(name, value);
    response.headers.set('Server', this.#stack.product);
    tx.respond(response);
    // Asked again it is answered again: nothing is kept of what anybody may send without end (8.2.7).
    tx.terminate();
  }

  #receiveInvite(tx: ServerTransaction): void {
    const refusal = this.#admission(tx);
    if (refusal !== undefined) {
      tx.onFailed = () => undefined;
      refuse(tx, refusal.status, refusal.headers);
      return;
    }
    const replaced = replacedBy(tx.request, this.#stack);
    if (replaced !== undefined && 'status' in replaced) {
      refuse(tx, replaced.status);
      return;
    }
    const address = this.#stack.transports.addressFor(tx.flow);
    if (!(address instanceof Promise)) {
      this.#ring(tx, address, replaced);
      return;
    }
    void address.then((found) => {
      // A CANCEL may have come while the kernel was asked for the route.
      if (!tx.pending) return;
      try {
        this.#ring(tx, found, replaced);
      } catch (error) {
        refuse(tx, asFailure(error).sipStatus);
      }
    });
  }

  #admission({ request, flow }: ServerTransaction): Refusal | undefined {
    const refusal = this.#options.admit?.(request, flow);
    if (refusal !== undefined) return refusal;
    const fault = inviteFault(request, this.#stack.sessionTimer);
    if (fault !== undefined) return fault;
    if (this.#closing === undefined && this.#stack.sessions.size < this.#limits.maxDialogs) return undefined;
    return { status: 503, headers: { 'Retry-After': String(this.#stack.retryAfterSeconds) } };
  }

  #ring(tx: ServerTransaction, address: { host: string; port: number }, replaced: Session | undefined): void {
    const user = tx.request.uri.startsWith('sip') ? tx.request.sipUri.user : undefined;
    const contact = contactUri(user, address, tx.flow, schemeOf(tx.request.uri) === 'sips');
    const addresses = { local: address.host, bind: this.#stack.transports.bindAddressFor(tx.flow) };
    const invite = new IncomingInvite(this.#stack, tx, contact, addresses, replaced);
    this.#invites.set(tx, invite);
    invite.signal.addEventListener('abort', () => this.#invites.delete(tx), { once: true });
    try {
      this.#options.onInvite(invite);
    } catch (error) {
      this.#stack.log.error({ err: error }, 'onInvite threw');
      invite.reject({ status: 500 });
    }
  }

  #knows(request: SipRequest): boolean {
    if (request.method === 'CANCEL') return this.#stack.transactions.cancelled(request) !== undefined;
    if (request.toTag === undefined) return false;
    return this.#sessionFor(request) !== undefined || this.#stack.referrals.has(keyOf(request));
  }

  #sessionFor(request: SipRequest): Session | undefined {
    return this.#stack.sessions.get(keyOf(request));
  }
}

/** Of the dialog a request of the peer belongs to. */
function keyOf(request: SipRequest): string {
  return dialogKey(request.callId, request.toTag ?? '', request.fromTag ?? '');
}
