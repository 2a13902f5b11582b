import type { DialLimit } from '../../call/dial-limits.ts';
import type { DialledLeg, Dialler, DialRequest, MediaAddress } from '../../call/legs/dialler.ts';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { CallPlace } from '../../sip/session/outgoing-request.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import type { MediaPlace } from '../embedded/session-leg.ts';
import { mediaPolicyOf } from '../trunks/trunk-media.ts';
import { call } from './calling.ts';
import { type Dialled, mayRedirect, readDialled, serves, shownNumber } from './destination.ts';
import { GatewayLeg } from './dialled-leg.ts';
import type { Gateway } from './gateway.ts';
import type { GatewayDesk } from './gateway-desk.ts';
import type { GatewayHealth } from './gateway-health.ts';
import { isOurHeader } from './gateway-schema.ts';
import { invitation } from './invitation.ts';
import { dialFailure, dialFailureOf, isDialFailure, isGatewaysFault, retryAfterOf } from './outcome.ts';

export interface GatewayDiallerOptions {
  userAgent: Pick<UserAgent, 'invite'>;
  /** In the order of trying; asked for each call, since configuration changes. */
  gateways: () => readonly Gateway[];
  /** Routes that the registrar of this account has named; empty without. */
  serviceRoute: (registration: string) => readonly string[];
  desk: GatewayDesk;
  health: GatewayHealth;
  media?: MediaPlace | undefined;
  clock: Clock;
  log: Logger;
}

/** A gateway that may be used for a call, and the number it is to show. */
interface Way {
  gateway: Gateway;
  shown: string | undefined;
}

/** Its call is being counted. */
type Begun = ReturnType<GatewayDesk['begin']>;

/** Calls out over the gateways of sip-config/: one after the other, as long as it is they who fail and not the called. */
export class GatewayDialler implements Dialler {
  readonly #o: GatewayDiallerOptions;

  constructor(options: GatewayDiallerOptions) {
    this.#o = options;
  }

  async dial(request: DialRequest, signal: AbortSignal): Promise<DialledLeg> {
    const { desk, health, clock, log } = this.#o;
    const { dialled, ways } = this.#waysTo(request);
    let failure: Failure | undefined;
    let attempts = 0;
    for (const way of health.inOrder(ways, clock.now())) {
      if (signal.aborted) throw cancelledEarly();
      const { name } = way.gateway;
      const begun = desk.begin(way.gateway, keyOf(dialled), request.whenUncounted);
      const attempt = await this.#attempt(way, dialled, request, begun, attempts, signal);
      const counted = await begun;
      if (typeof counted === 'string') {
        log.warn({ gateway: name, limit: counted }, 'a limit of the gateway keeps a call from being dialled');
        failure ??= limited(name, counted);
        continue;
      }
      if ('leg' in attempt) {
        const { leg } = attempt;
        if (leg.signal.aborted) counted();
        else leg.signal.addEventListener('abort', counted, { once: true });
        return leg;
      }
      counted();
      failure = attempt.failure;
      if (!attempt.another) throw failure;
      log.warn({ gateway: name, status: failure.sipStatus, reason: failure.message }, 'gateway failed a call');
      attempts++;
    }
    throw failure ?? dialFailure('unreachable', 'every gateway has asked for a pause');
  }

  /**
   * One gateway. Its call is counted while the way is looked up and the offer made: the INVITE is written when it counts.
   * Where a limit stands, that was in vain, so the next call asks first. `another`: it is the gateway's fault that there is
   * no call, so another may be tried.
   */
  async #attempt(
    way: Way,
    dialled: Dialled,
    request: DialRequest,
    begun: Begun,
    attempts: number,
    signal: AbortSignal,
  ): Promise<{ leg: GatewayLeg } | { failure: Failure; another: boolean }> {
    const { desk, health, clock } = this.#o;
    const { name } = way.gateway;
    let rang = false;
    const onRinging = () => {
      rang = true;
    };
    const allowed = async () => {
      const counted = await begun;
      if (typeof counted === 'string') throw limited(name, counted);
      if (signal.aborted) throw cancelledEarly();
    };
    const offer = async (place: MediaAddress) => {
      const sdp = await request.offer(place);
      await allowed();
      return sdp;
    };
    try {
      if (desk.atLimit(name)) await allowed();
      const leg = await this.#call(way, dialled, { ...request, offer }, attempts, signal, onRinging);
      desk.count(name, 'answered');
      health.served(name);
      return { leg };
    } catch (error) {
      const failure = dialFailureOf(error);
      // Nothing was dialled.
      if (typeof (await begun) === 'string') return { failure, another: true };
      // What our own side threw, while it made the offer, says nothing of the gateway.
      if (!isDialFailure(failure)) return { failure, another: false };
      desk.count(name, failure.code.slice('dial-'.length));
      const cause = failure.cause instanceof Failure ? failure.cause : undefined;
      const another = cause !== undefined && isGatewaysFault(cause, rang);
      if (another) health.failed(name, failure.message, retryAfterOf(cause), clock.now(), clock.wall());
      else if (cause?.code === 'sip-refused') health.served(name);
      return { failure, another };
    }
  }

  /** @throws Failure dial-not-allowed, dial-no-gateway */
  #waysTo(request: DialRequest): { dialled: Dialled; ways: Way[] } {
    const dialled = readDialled(request.to);
    if (dialled === undefined) throw dialFailure('not-allowed', 'neither a telephone number nor a SIP URI');
    const ours = Object.keys(request.headers ?? {}).find(isOurHeader);
    if (ours !== undefined)
      throw dialFailure('not-allowed', `${ours.slice(0, 40)} is not a header for a call to bring`);
    const all = this.#o.gateways();
    const named = request.gateway === undefined ? all : all.filter(({ name }) => name === request.gateway);
    if (named.length === 0) {
      throw dialFailure('no-gateway', all.length === 0 ? 'no gateway is configured' : 'there is no such gateway');
    }
    const serving = named.filter((gateway) => serves(gateway, dialled));
    if (serving.length === 0) throw dialFailure('not-allowed', 'no gateway may be used for this destination');
    const ways = serving.flatMap((gateway): Way[] => {
      const shown = shownNumber(gateway, request.from);
      return shown === 'not-allowed' ? [] : [{ gateway, shown: shown.number }];
    });
    if (ways.length === 0) throw dialFailure('not-allowed', 'no gateway may show this number');
    return { dialled, ways };
  }

  async #call(
    { gateway, shown }: Way,
    dialled: Dialled,
    request: DialRequest,
    attempts: number,
    signal: AbortSignal,
    onRinging: () => void,
  ): Promise<GatewayLeg> {
    const { uri, options } = invitation(gateway, dialled, shown, request);
    const { userAgent, media } = this.#o;
    const policy = ({ secure }: CallPlace) => mediaPolicyOf(gateway.media, secure);
    const answered = await call({ userAgent, uri, by: gateway.name, media, policy, onRinging }, request, {
      ...options,
      routes: [...options.routes, ...this.#serviceRoute(gateway)],
      auth: gateway.auth,
      redirect: (target) => mayRedirect(gateway, target),
      reliable: gateway.reliableProvisionals,
      sessionExpires: gateway.sessionExpiresSeconds,
      signal,
      ringMs: request.ringMs ?? gateway.ringSeconds * 1000,
      silenceMs: gateway.silenceSeconds * 1000,
    });
    return new GatewayLeg(answered, gateway, attempts);
  }

  #serviceRoute({ registration }: Gateway): readonly string[] {
    return registration === undefined ? [] : this.#o.serviceRoute(registration);
  }
}

function cancelledEarly(): Failure {
  return dialFailure('cancelled', 'cancelled before it was dialled', { sipStatus: 487 });
}

function limited(gateway: string, limit: DialLimit | 'uncounted'): Failure {
  const why =
    limit === 'uncounted'
      ? 'calls cannot be counted while the database is away, so none is made'
      : `its limit stands (${limit})`;
  return dialFailure('limited', `gateway ${gateway}: ${why}`);
}

/** What limits count: the number, or the URI without what does not say who is meant. */
function keyOf(dialled: Dialled): string {
  return dialled.kind === 'number' ? dialled.number : `${dialled.uri.user ?? ''}@${dialled.uri.host}`;
}
