import type { ActionCatalogue } from '../banking/declaration.ts';
import type { Bots } from '../call/bot/bots.ts';
import type { CallDeps } from '../call/call-deps.ts';
import type { Calls } from '../call/calls.ts';
import { openUntil } from '../call/campaigns/open-until.ts';
import type { Dialler } from '../call/legs/dialler.ts';
import { OrderDesk } from '../call/orders/order-desk.ts';
import { OutboundCaller } from '../call/orders/outbound-caller.ts';
import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { rateOf } from '../core/token-bucket.ts';
import type { Admission } from '../frontends/admission/admission.ts';
import type { ConfigWatch } from '../frontends/trunks/config-watch.ts';
import { closesAt } from '../frontends/trunks/hours.ts';
import type { PostgresStore } from '../store/postgres/store.ts';

export interface CallingOutParts {
  config: Config;
  sipConfig: ConfigWatch;
  store: PostgresStore;
  dialler: Dialler;
  bots: Bots;
  calls: Calls;
  engines: Pick<CallDeps, 'time' | 'recognizer' | 'synthesizer' | 'model'>;
  catalogue: ActionCatalogue;
  admission: Admission;
  log: Logger;
}

/** Orders and campaigns, and who makes their calls. */
export function callingOut(parts: CallingOutParts): OrderDesk {
  const { config, sipConfig, store, dialler, bots, calls, engines, catalogue, admission, log } = parts;
  const caller = new OutboundCaller({
    dialler,
    botNamed: (name) => bots.named(name),
    place: (opening) => calls.place(opening),
    deps: engines,
    verifyAction: catalogue.actions.find(({ policy }) => policy.effect === 'verify')?.name,
    log,
  });
  const { calls: most, perSecond, inboundReserve } = config.outbound;
  // Hours that are no more are closed: whoever took them away did not mean "at any time".
  const hoursEnd = (name: string, at: Date) => {
    const hours = sipConfig.current.hours.get(name);
    return hours && closesAt(hours, at);
  };
  return new OrderDesk({
    book: store.orders,
    dial: (order) => caller.call(order),
    // Calls out never take the room that is kept for calls in, and none is made while calls in are refused.
    room: () =>
      admission.status().state === 'open' ? Math.floor(config.maxCalls * (1 - inboundReserve)) - calls.size : 0,
    feed: () => {
      const now = systemClock.wall();
      return store.campaigns.feed(now, (settings) => openUntil(settings, now, hoursEnd));
    },
    limits: { calls: most, rate: rateOf(perSecond) },
    clock: systemClock,
    log,
  });
}
