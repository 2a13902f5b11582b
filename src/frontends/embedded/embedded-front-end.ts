import type { DialCounter } from '../../call/dial-counter.ts';
import type { CallLeg, FrontEnd } from '../../call/legs/call-leg.ts';
import type { Dialler } from '../../call/legs/dialler.ts';
import { type Ms, systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import { schemeOf } from '../../sip/message/uri.ts';
import type { IncomingInvite, Refusal } from '../../sip/session/incoming-invite.ts';
import type { Session } from '../../sip/session/session.ts';
import type { SessionTimerOptions } from '../../sip/session/session-timer.ts';
import type { WireTap } from '../../sip/trace/wire-tap.ts';
import type { TimerValues } from '../../sip/transactions/timers.ts';
import type { ConnectionLimits } from '../../sip/transport/connection-limits.ts';
import type { Flow, Protocol } from '../../sip/transport/flow.ts';
import type { TlsFiles } from '../../sip/transport/tls-files.ts';
import type { ListenOptions, TransportStats } from '../../sip/transport/transport-layer.ts';
import { UserAgent } from '../../sip/user-agent.ts';
import type { Admission } from '../admission/admission.ts';
import { Outbound, type WaysOut } from '../outbound/outbound.ts';
import type { TrunkMedia } from '../trunks/trunk-media.ts';
import { type CallOrigin, EmbeddedLeg } from './embedded-leg.ts';
import { partyOf, userPart } from './party.ts';
import { PhoneDialler } from './phone-dialler.ts';
import { PhoneRegistrar } from './phone-registrar.ts';
import { type MediaPlace, SessionLeg } from './session-leg.ts';

export interface EmbeddedFrontEndOptions {
  listen: readonly ListenOptions[];
  publicAddress?: string | readonly string[] | undefined;
  /** Needed to listen on `tls` and `wss`. */
  tls?: TlsFiles | undefined;
  /** Pages that may connect by WebSocket; any when undefined. */
  webSocketOrigins?: readonly string[] | undefined;
  connections?: Partial<ConnectionLimits> | undefined;
  media?: MediaPlace | undefined;
  log: Logger;
  /** Called user parts that are served; any when undefined. Others get 404. */
  accept?: readonly string[] | undefined;
  /** Who may call, and which bot answers; everybody and the default bot when undefined. */
  admission?: Admission | undefined;
  /** Gateways and registrations, as they are configured now; none when undefined. */
  waysOut?: (() => WaysOut) | undefined;
  /** Counts calls out for all connectors; each for itself without. */
  dialCounter?: DialCounter | undefined;
  /** The trunk of phones in browsers, as it is configured now; none when undefined. */
  browserTrunk?: (() => { name: string; media: TrunkMedia } | undefined) | undefined;
  /** Calls at the same time; further ones get 503 with Retry-After. */
  maxCalls: number;
  /** Where a call comes from: asked once, when it rings. Default: from no known trunk, and nobody is trusted. */
  origin?: ((request: SipRequest, flow: Flow) => CallOrigin) | undefined;
  /** Seconds a refused caller is told to wait. Default 5. */
  retryAfterSeconds?: number | undefined;
  /** Session timers (RFC 4028); seconds. Default: 1800, and nothing below 90. */
  sessionTimer?: Partial<SessionTimerOptions> | undefined;
  /** Sees every SIP message. */
  tap?: WireTap | undefined;
  /** RFC 3261 timers other than the standard's, for tests. */
  timers?: Partial<TimerValues> | undefined;
}

/** Calls straight from the network: the SIP user agent of this process. */
export class EmbeddedFrontEnd implements FrontEnd {
  readonly name = 'embedded';
  /** Calls out and registrations, as sip-config/ has them. */
  readonly outbound: Outbound;
  /** Phones in browsers that take calls. */
  readonly phones = new PhoneRegistrar(systemClock);
  /** Calls anybody who can be called. */
  readonly dialler: Dialler;
  readonly #options: EmbeddedFrontEndOptions;
  readonly #userAgent: UserAgent;
  readonly #accept: ReadonlySet<string> | undefined;
  #onCall: ((leg: CallLeg) => void) | undefined;
  #live = 0;
  #state: 'stopped' | 'listening' | 'draining' | 'closed' = 'stopped';

  constructor(options: EmbeddedFrontEndOptions) {
    this.#options = options;
    this.#accept = options.accept === undefined ? undefined : new Set(options.accept);
    const { listen, publicAddress, tls, webSocketOrigins, connections = {}, admission, log, timers } = options;
    this.#userAgent = new UserAgent({
      listen,
      publicAddress,
      tls,
      webSocketOrigins,
      limits: { connections },
      log,
      timers,
      sessionTimer: options.sessionTimer,
      tap: options.tap,
      onRequest: admission && ((request, flow, known) => admission.judge(request, flow, known)),
      welcome: admission && ((address) => admission.welcome(address)),
      onMalformed: admission && ((error, flow) => admission.judgeMalformed(error, flow)),
      admit: (request) => this.#admit(request),
      onRegister: (request, flow) => this.phones.register(request, flow, admission?.registering(request)),
      onInvite: (invite) => {
        const refuse = () => invite.reject(this.#busy());
        if (admission?.waits(invite, () => this.#bring(invite), refuse)) invite.queued();
        else this.#bring(invite);
      },
    });
    const ways = options.waysOut ?? (() => ({ gateways: [], registrations: [] }));
    const { media, dialCounter: counter } = options;
    this.outbound = new Outbound({ userAgent: this.#userAgent, ways, counter, media, clock: systemClock, log });
    this.dialler = new PhoneDialler({
      userAgent: this.#userAgent,
      registrar: this.phones,
      trunk: () => options.browserTrunk?.(),
      media,
      others: this.outbound.dialler,
    });
  }

  /** Where it listens, with the real ports. */
  get bound(): { protocol: Protocol; host: string; port: number }[] {
    return this.#userAgent.bound;
  }

  get transportStats(): TransportStats {
    return this.#userAgent.transportStats;
  }

  /** How long messages wait until we read them. */
  get receiveDelayMs(): Ms {
    return this.#userAgent.receiveDelayMs;
  }

  /** Of calls in and out. */
  get dialogs(): number {
    return this.#userAgent.dialogs;
  }

  /** Calls that are ringing or up. */
  get calls(): number {
    return this.#live;
  }

  /** @throws Failure when an address cannot be bound */
  async start(onCall: (leg: CallLeg) => void): Promise<void> {
    this.#onCall = onCall;
    await this.#userAgent.start();
    this.#state = 'listening';
    this.outbound.start();
  }

  drain(): void {
    if (this.#state === 'listening') this.#state = 'draining';
    this.#options.admission?.drain();
    void this.outbound.leave();
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    const places = this.bound.map(({ protocol, host, port }) => `${protocol} ${host}:${port}`).join(', ');
    return { ok: this.#state === 'listening', detail: `${this.#state}, ${places}, ${this.#live} calls` };
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.outbound.leave();
    await this.#userAgent.close();
  }

  #admit(request: SipRequest): Refusal | undefined {
    if (this.#state !== 'listening') return this.#busy();
    if (request.method !== 'INVITE') return undefined;
    if (this.#accept !== undefined && !this.#accept.has(calledUser(request))) return { status: 404 };
    return this.#live >= this.#options.maxCalls ? this.#busy() : undefined;
  }

  #busy(): Refusal {
    return { status: 503, headers: { 'Retry-After': String(this.#options.retryAfterSeconds ?? 5) } };
  }

  /** One of those that are here, until it is over. */
  #count(invite: IncomingInvite): void {
    this.#live++;
    invite.signal.addEventListener('abort', () => this.#live--, { once: true });
  }

  #bring(invite: IncomingInvite): void {
    const { admission } = this.#options;
    const admitted = admission?.take(invite);
    if (admission && !admitted) {
      invite.reject(this.#busy());
      return;
    }
    const replaced = invite.replaces && SessionLeg.of(invite.replaces);
    const ringing = invite.replaces?.dialog.state === 'early' ? invite.replaces : undefined;
    if (ringing !== undefined && isFromThere(invite, ringing)) {
      this.#count(invite);
      ringing.pickUp?.(invite);
      return;
    }
    if (invite.replaces !== undefined && !mayReplace(invite, invite.replaces, replaced, admitted?.trunk.name)) {
      invite.reject({ status: 403 });
      return;
    }
    this.#count(invite);
    if (replaced !== undefined) {
      const { uri, displayName } = invite.request.from;
      void replaced.takeOver(invite, partyOf(uri, displayName));
      return;
    }
    const origin = admitted
      ? {
          trunk: admitted.trunk.name,
          trusted: admitted.trunk.trustIdentity,
          bot: admitted.bot,
          media: admitted.trunk.media,
          supervisor: admitted.bot === undefined,
          supervisionId: admitted.supervisionId,
        }
      : this.#options.origin?.(invite.request, invite.session.flow);
    this.#onCall?.(new EmbeddedLeg(invite, origin, this.#options.media, admitted?.answered));
  }
}

/** Who speaks from the address a call is with, or rings at: one telephone picks up what rings at another of its exchange. */
function isFromThere(invite: IncomingInvite, call: Session): boolean {
  return invite.session.flow.remote.address === call.flow.remote.address;
}

/**
 * May this peer put itself in the place of a call's far end (RFC 3891 5)? Who is of the same trunk may, or speaks from the
 * address the call is with; a call that is nobody's leg, or has been taken over already, is nobody's to take.
 */
function mayReplace(
  invite: IncomingInvite,
  replaces: Session,
  leg: SessionLeg | undefined,
  trunk: string | undefined,
): boolean {
  if (leg === undefined) return false;
  if (leg instanceof EmbeddedLeg && trunk !== undefined && leg.trunk === trunk) return true;
  return isFromThere(invite, replaces);
}

function calledUser(request: SipRequest): string {
  return schemeOf(request.uri) === 'tel' ? request.uri.slice(4) : (userPart(request.sipUri) ?? '');
}
