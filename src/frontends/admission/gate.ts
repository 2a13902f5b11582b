import type { Clock, Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import type { DigestGuard } from '../../sip/auth/digest-guard.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { Verdict } from '../../sip/transactions/transaction-layer.ts';
import type { Flow } from '../../sip/transport/flow.ts';
import { calledNumber } from '../embedded/party.ts';
import type { Account } from '../outbound/account.ts';
import type { BrowserPhones, GrantedPhone } from '../trunks/browser-phones.ts';
import { type Identified, identify, trunkByAddress } from '../trunks/identify.ts';
import type { SipConfig } from '../trunks/sip-config.ts';
import type { Trunk } from '../trunks/trunk.ts';
import type { TrunkDesk } from '../trunks/trunk-desk.ts';
import type { AdmissionCounters, RefusalReason } from './counters.ts';
import type { Overload } from './load-guard.ts';
import { isScanner } from './scanners.ts';
import type { Sources } from './sources.ts';
import { type Patience, patienceOf } from './waiting-line.ts';

/** A call that may be taken: whose it is, and who answers it. */
export interface Admitted {
  trunk: Trunk;
  /** Undefined: it is for the supervisors' line. */
  bot: string | undefined;
  /** The supervision that a phone in a browser was let in for. */
  supervisionId?: string | undefined;
  /** It waits for its turn, at most so long. */
  waitMs?: Ms | undefined;
}

export interface GateOptions {
  config: () => SipConfig;
  guard: DigestGuard;
  /** Phones in browsers. */
  phones?: BrowserPhones | undefined;
  sources: Sources;
  trunks: TrunkDesk;
  counters: AdmissionCounters;
  /** The account whose registration has brought this request to us: it is that registrar's. */
  registered?: ((request: SipRequest, flow: Flow) => Account | undefined) | undefined;
  /** Why no new call is taken at all now. */
  closed: () => 'draining' | 'stopped' | Overload | undefined;
  /** Why this new call is refused while others are taken; undefined: it is not. */
  shed: (now: Ms) => Overload | undefined;
  /** Is there room for one more call that waits until there is time for it, and will its turn come within this time? */
  mayWait: (because: Overload, patience: Patience) => boolean;
  /** Is there room for one more call, all trunks together? */
  hasRoom: () => boolean;
  retryAfterSeconds: number;
  clock: Clock;
  log: Logger;
}

/** Refused calls that are logged one by one; in a flood the others are counted. */
const TOLD = { perSecond: 5, burst: 20 };

/** A challenge that is not answered counts as this many strikes: an honest peer answers the first. */
const UNANSWERED_CHALLENGE = 0.25;

/**
 * Who gets in, decided before a transaction is made, so that what is refused costs no memory. The order is that of cost:
 * the peers of calls that are up, blocked sources, sources that send too much (these two hear nothing), then who it is,
 * and only then whether there is room and where the number leads.
 */
export class Gate {
  readonly #o: GateOptions;
  /** INVITEs on their way to becoming calls. */
  readonly #admitted = new WeakMap<SipRequest, Admitted>();
  /** Phones in browsers that want to be called. */
  readonly #registering = new WeakMap<SipRequest, GrantedPhone>();
  readonly #told: TokenBucket;
  #untold = 0;
  /** Why the request that is being judged is refused. */
  #why: { reason: RefusalReason; trunk: string | undefined } | undefined;

  constructor(options: GateOptions) {
    this.#o = options;
    this.#told = new TokenBucket(TOLD, options.clock.now());
  }

  /** What the verdict 'accept' on this INVITE was based on. */
  admitted(invite: SipRequest): Admitted | undefined {
    return this.#admitted.get(invite);
  }

  /** What the phone may do that sends this REGISTER; undefined for everybody else's. */
  registering(request: SipRequest): GrantedPhone | undefined {
    return this.#registering.get(request);
  }

  /** `known`: the request belongs to a call that is there; such calls never suffer from what is going on here. */
  judge(request: SipRequest, flow: Flow, known: boolean): Verdict {
    if (known) return 'accept';
    this.#why = undefined;
    const verdict = this.#judge(request, flow);
    const isCall = request.method === 'INVITE' && request.toTag === undefined;
    if (isCall && typeof verdict === 'object' && verdict.status !== 401) this.#tell(request, flow, verdict.status);
    return verdict;
  }

  /** Callers who were refused ask why, and all they can name is the time. */
  #tell(request: SipRequest, flow: Flow, status: number): void {
    const { clock, log } = this.#o;
    if (!this.#told.take(TOLD, clock.now())) {
      this.#untold++;
      return;
    }
    const others = this.#untold > 0 ? { others_before: this.#untold } : {};
    this.#untold = 0;
    const called = request.uri.slice(0, 80);
    const facts = { sip_call_id: request.callId.slice(0, 128), remote: flow.remote.address, called, status };
    log.info({ ...facts, ...this.#why, ...others }, 'call refused');
  }

  #judge(request: SipRequest, flow: Flow): Verdict {
    const config = this.#o.config();
    const now = this.#o.clock.now();
    const account = this.#o.registered?.(request, flow);
    if (account !== undefined) return this.#judgeRegistered(request, account, config, now);
    const named = trunkByAddress(config, flow.remote.address) !== undefined;
    if (!named) {
      const silence = this.#silence(request, flow, config, now);
      if (silence) return this.#drop(silence);
    }
    // Requests for calls we do not know: nothing that needs a transaction, whoever asks. Addresses can be forged.
    if (request.toTag !== undefined || request.method === 'CANCEL')
      return this.#refuse('no-such-call', { status: 481 });
    const who = identify(config, this.#o.guard, request, flow, now, this.#o.phones);
    if (who.kind !== 'trunk') return this.#turnAway(who, flow, config, now);
    if (who.username !== undefined) this.#o.sources.vouch(flow.remote.address, config.admission, now);
    if (request.method === 'INVITE') return this.#admit(request, who, config, now);
    if (request.method === 'REGISTER' && who.trunk.browser) {
      if (who.phone?.may !== 'be-called') return this.#refuse('not-allowed', { status: 403 });
      this.#registering.set(request, who.phone);
    }
    return this.#serve(request);
  }

  /** Where we are registered we are known, and so is who sends what comes for that Contact. */
  #judgeRegistered(request: SipRequest, account: Account, config: SipConfig, now: Ms): Verdict {
    if (request.method !== 'INVITE' || request.toTag !== undefined) return this.#serve(request);
    return this.#admit(request, account, config, now);
  }

  #serve(request: SipRequest): Verdict {
    const closed = this.#o.closed();
    return request.method === 'OPTIONS' && closed !== undefined ? this.#refuse(closed, this.#later()) : 'accept';
  }

  /** A blocked source opens no connection; those it has stay for its calls. */
  welcome(address: string): boolean {
    if (trunkByAddress(this.#o.config(), address) !== undefined) return true;
    if (!this.#o.sources.isBlocked(address, this.#o.clock.now())) return true;
    this.#o.counters.refused('blocked');
    return false;
  }

  /** A request that cannot be read: one that is no trunk's has a few answers, then silence. */
  judgeMalformed(_error: Failure, flow: Flow): 'answer' | 'drop' {
    const config = this.#o.config();
    const { address } = flow.remote;
    if (trunkByAddress(config, address)) return 'answer';
    const { sources, clock, counters } = this.#o;
    const now = clock.now();
    if (sources.isBlocked(address, now)) counters.refused('blocked');
    else if (!sources.take(address, config.admission, now)) counters.refused('source-rate');
    else {
      counters.refused('malformed');
      if (!this.#strike('malformed', flow, {}, config, now)) return 'answer';
    }
    return 'drop';
  }

  /** A call that passed the gate when there was room may find none: others did at the same moment. */
  stillFits({ trunk }: Admitted): boolean {
    return this.#o.trunks.hasRoom(trunk) && this.#o.hasRoom();
  }

  #silence(request: SipRequest, flow: Flow, config: SipConfig, now: Ms): RefusalReason | undefined {
    const { sources } = this.#o;
    const { address } = flow.remote;
    if (sources.isBlocked(address, now)) return 'blocked';
    if (isScanner(request)) {
      this.#strike('scanner', flow, { weight: Number.POSITIVE_INFINITY }, config, now);
      return 'scanner';
    }
    return sources.take(address, config.admission, now) ? undefined : 'source-rate';
  }

  #turnAway(who: Exclude<Identified, { kind: 'trunk' }>, flow: Flow, config: SipConfig, now: Ms): Verdict {
    const ask = (values: string[]) => ({ status: 401, headers: { 'WWW-Authenticate': values } });
    switch (who.kind) {
      case 'challenge':
        if (this.#strike('challenge', flow, { weight: UNANSWERED_CHALLENGE }, config, now))
          return this.#drop('blocked');
        return this.#refuse('challenge', ask(who.values));
      case 'wrong':
        // The nonce was made for this very address, so this is no forged datagram.
        this.#o.log.info({ remote: flow.remote.address, user: who.username.slice(0, 64) }, 'wrong SIP password');
        if (this.#strike('wrong-password', flow, { proven: true }, config, now)) return this.#drop('wrong-password');
        return this.#refuse('wrong-password', ask(who.values));
      case 'mismatch':
        if (this.#strike('mismatch', flow, {}, config, now)) return this.#drop('mismatch');
        return this.#refuse('mismatch', { status: 400 });
      case 'stranger':
        if (this.#strike('stranger', flow, {}, config, now)) return this.#drop('stranger');
        return this.#refuse('stranger', { status: 403 });
    }
  }

  #admit(
    request: SipRequest,
    { trunk, bot, phone }: { trunk: Trunk; bot?: string | undefined; phone?: GrantedPhone | undefined },
    config: SipConfig,
    now: Ms,
  ): Verdict {
    const { trunks, hasRoom, clock, counters } = this.#o;
    const refused = (reason: RefusalReason, verdict: Exclude<Verdict, string>) => {
      trunks.refused(trunk.name);
      return this.#refuse(reason, verdict, trunk.name);
    };
    const closed = this.#o.closed();
    if (closed !== undefined) return refused(closed, this.#later());
    if (!hasRoom()) return refused('calls', this.#later());
    const full = trunks.refusal(trunk, now);
    if (full) return refused(full.reason, this.#later(full.waitMs));
    const shed = this.#o.shed(now);
    const patience = shed && patienceOf(request);
    if (shed && (patience === undefined || !this.#o.mayWait(shed, patience))) return refused(shed, this.#later());
    if (phone?.may === 'be-called') return refused('not-allowed', { status: 403 });
    const supervisionId = phone?.may === 'supervise' ? phone.supervisionId : undefined;
    const destination = supervisionId
      ? { supervisors: true }
      : bot === undefined
        ? config.numbers.destination(calledNumber(request), trunk.name, clock.wall())
        : { bot };
    if ('refuse' in destination) {
      const { status, retryAfterSeconds } = destination.refuse;
      const headers = retryAfterSeconds === undefined ? undefined : { 'Retry-After': String(retryAfterSeconds) };
      return refused(status === 404 ? 'no-such-number' : 'number-closed', { status, headers });
    }
    this.#admitted.set(request, {
      trunk,
      bot: 'bot' in destination ? destination.bot : undefined,
      supervisionId,
      waitMs: patience?.waitMs,
    });
    counters.accepted();
    return 'accept';
  }

  #strike(
    reason: RefusalReason,
    flow: Flow,
    how: { weight?: number; proven?: boolean },
    { admission }: SipConfig,
    now: Ms,
  ): boolean {
    const { sources, log, clock } = this.#o;
    const { address } = flow.remote;
    const blocked = sources.strike(address, reason, how, admission, now, clock.wall());
    if (blocked) {
      log.warn(
        { remote: address, reason, seconds: admission.block.forSeconds },
        'source blocked: it hears nothing now',
      );
    }
    return blocked;
  }

  #later(waitMs = 0): { status: 503; headers: { 'Retry-After': string } } {
    const seconds = Math.max(this.#o.retryAfterSeconds, Math.ceil(waitMs / 1000));
    return { status: 503, headers: { 'Retry-After': String(seconds) } };
  }

  #refuse(reason: RefusalReason, verdict: Exclude<Verdict, string>, trunk?: string): Verdict {
    this.#why = { reason, trunk };
    this.#o.counters.refused(reason);
    return verdict;
  }

  #drop(reason: RefusalReason): 'drop' {
    this.#o.counters.refused(reason);
    return 'drop';
  }
}
