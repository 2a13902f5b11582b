import type { Clock, Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { formatSipUri } from '../../sip/message/uri.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import type { Gateway } from './gateway.ts';
import type { GatewayHealth } from './gateway-health.ts';
import { routesOf } from './invitation.ts';

export interface GatewayPingsOptions {
  userAgent: Pick<UserAgent, 'request'>;
  health: GatewayHealth;
  clock: Clock;
  log: Logger;
}

const SILENCE: Ms = 4_000;

/** Asks gateways by OPTIONS whether they are there, each as often as it is configured (RFC 3261 11). */
export class GatewayPings {
  readonly #o: GatewayPingsOptions;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(options: GatewayPingsOptions) {
    this.#o = options;
  }

  sync(gateways: readonly Gateway[]): void {
    this.close();
    for (const gateway of gateways) {
      // Not all at the same moment, and each soon: until then we know nothing.
      if (gateway.pingSeconds !== undefined) this.#after(Math.random() * 1_000, gateway, gateway.pingSeconds * 1_000);
    }
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #after(delay: Ms, gateway: Gateway, every: Ms): void {
    const timer = setTimeout(async () => {
      const reason = await this.#ask(gateway);
      // Another configuration may have come meanwhile.
      if (this.#timers.get(gateway.name) !== timer) return;
      if (this.#o.health.pinged(gateway.name, reason, this.#o.clock.wall())) this.#tell(gateway.name, reason);
      this.#after(every, gateway, every);
    }, delay);
    timer.unref();
    this.#timers.set(gateway.name, timer);
  }

  /** Undefined when it is there: any answer says so, but for those that say that it cannot serve now. */
  async #ask(gateway: Gateway): Promise<string | undefined> {
    try {
      const options = { routes: routesOf(gateway), silenceMs: SILENCE, auth: gateway.auth };
      const { status, reason } = await this.#o.userAgent.request('OPTIONS', formatSipUri(gateway.to!), options);
      return [408, 500, 502, 503, 504].includes(status) ? `OPTIONS: ${status} ${reason}` : undefined;
    } catch (error) {
      return asFailure(error).message;
    }
  }

  #tell(gateway: string, reason: string | undefined): void {
    if (reason === undefined) this.#o.log.info({ gateway }, 'gateway answers again');
    else this.#o.log.warn({ gateway, reason }, 'gateway does not answer: tried behind the others');
  }
}
