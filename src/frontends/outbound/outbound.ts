import type { DialCounter, GatewayCount } from '../../call/dial-counter.ts';
import type { Dialler } from '../../call/legs/dialler.ts';
import type { GatewayStatus, OutboundDesk, RegistrationStatus } from '../../call/outbound.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { Flow } from '../../sip/transport/flow.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import type { MediaPlace } from '../embedded/session-leg.ts';
import type { Account } from './account.ts';
import type { Gateway } from './gateway.ts';
import { GatewayDesk } from './gateway-desk.ts';
import { GatewayDialler } from './gateway-dialler.ts';
import { GatewayHealth } from './gateway-health.ts';
import { GatewayPings } from './gateway-pings.ts';
import { Registrations } from './registrations.ts';

/** The part of sip-config/ that leads out. */
export interface WaysOut {
  /** In the order of trying. */
  readonly gateways: readonly Gateway[];
  readonly registrations: readonly Account[];
}

export interface OutboundOptions {
  userAgent: UserAgent;
  /** What is configured now. */
  ways: () => WaysOut;
  /** Counts calls for all connectors; each for itself without. */
  counter?: DialCounter | undefined;
  media?: MediaPlace | undefined;
  clock: Clock;
  log: Logger;
}

/** Calls out and registrations: the dialler with what it knows of its gateways, kept in step with the configuration. */
export class Outbound implements OutboundDesk {
  readonly dialler: Dialler;
  readonly #o: OutboundOptions;
  readonly #desk: GatewayDesk;
  readonly #health = new GatewayHealth();
  readonly #pings: GatewayPings;
  readonly #registrations: Registrations;
  #state: 'idle' | 'open' | 'closed' = 'idle';

  constructor(options: OutboundOptions) {
    const { userAgent, ways, counter, media, clock, log } = options;
    this.#o = options;
    this.#desk = new GatewayDesk({ counter, clock, log });
    this.#registrations = new Registrations({ userAgent, clock, log });
    this.#pings = new GatewayPings({ userAgent, health: this.#health, clock, log });
    this.dialler = new GatewayDialler({
      userAgent,
      gateways: () => ways().gateways,
      serviceRoute: (name) => this.#registrations.serviceRoute(name),
      desk: this.#desk,
      health: this.#health,
      media,
      clock,
      log,
    });
  }

  /** The user agent listens: pings and registrations begin. */
  start(): void {
    this.#state = 'open';
    this.reconfigured();
  }

  /** The configuration has changed. Calls that are up or being dialled go on as they began. */
  reconfigured(): void {
    if (this.#state !== 'open') return;
    const { gateways, registrations } = this.#o.ways();
    const names = new Set(gateways.map(({ name }) => name));
    this.#desk.keep(names);
    this.#health.keep(names);
    this.#pings.sync(gateways);
    this.#registrations.sync(registrations);
    if (gateways.length > 0) this.#o.counter?.prepare();
  }

  /** The account whose Contact this request has come for. */
  owner(request: SipRequest, flow: Flow): Account | undefined {
    return this.#registrations.owner(request, flow);
  }

  gateways(): GatewayStatus[] {
    const now = this.#o.clock.now();
    return this.#o.ways().gateways.map(({ name, limits }) => ({
      name,
      state: this.#health.state(name, now),
      calls: this.#desk.calls(name),
      callsToday: this.#desk.callsToday(name, now),
      limits: { calls: limits.calls, callsPerSecond: limits.callsPerSecond, callsPerDay: limits.callsPerDay },
      outcomes: this.#desk.outcomes(name),
      lastFailure: this.#health.lastFailure(name),
    }));
  }

  async counts(): Promise<ReadonlyMap<string, GatewayCount> | undefined> {
    return this.#o.counter?.counts().catch(() => undefined);
  }

  registrations(): RegistrationStatus[] {
    return this.#registrations.status();
  }

  /** Takes registrations back, so that no more calls come this way; calls can still be made. Idempotent. */
  async leave(): Promise<void> {
    this.#state = 'closed';
    this.#pings.close();
    await this.#registrations.close();
  }
}
