import type { BotProfile } from '../../call/bot/bot-profile.ts';
import { type MachineManner, NO_RETRY, type OrderRequest, type RetryRule } from '../../call/orders/order.ts';
import type { NewOrder } from '../../call/orders/order-book.ts';
import { missingVariables } from '../../call/orders/words.ts';
import { invalid } from '../problems.ts';

/** What an order can ask for. */
export interface OrderFacts {
  /** The bots there are now. */
  bots(): ReadonlyMap<string, BotProfile>;
  /** Is there a gateway of this name? */
  gatewayKnown(name: string): boolean;
}

export interface OrderBody {
  to: string;
  bot: string;
  purpose?: string;
  variables?: Record<string, string>;
  earliest?: string;
  latest?: string;
  ringSeconds?: number;
  gateway?: string;
  onMachine?: MachineManner;
  retry?: RetryRule;
}

const DAY_MS = 24 * 3_600_000;
/** Orders are for the days to come, not for the years. */
const LONGEST_WAIT_MS = 31 * DAY_MS;

/** Between when it may be dialled. Throws 400 for what has passed, or is far off. */
export function timesOf({ earliest, latest }: OrderBody, now: Date): Pick<NewOrder, 'notBefore' | 'notAfter'> {
  const notBefore = earliest === undefined ? now : new Date(earliest);
  const notAfter = latest === undefined ? new Date(notBefore.getTime() + DAY_MS) : new Date(latest);
  if (notAfter <= notBefore) throw invalid('latest must be after earliest.', 'latest');
  if (notAfter <= now) throw invalid('latest lies in the past.', 'latest');
  if (notBefore.getTime() > now.getTime() + LONGEST_WAIT_MS)
    throw invalid('earliest lies more than 31 days ahead.', 'earliest');
  return { notBefore, notAfter };
}

/** What is asked for, with what the bot says where the client says nothing. Throws 400 for what could not be carried out. */
export function requestOf(body: OrderBody, { bots, gatewayKnown }: OrderFacts): OrderRequest {
  const profile = bots().get(body.bot);
  const manner = profile?.outbound;
  if (!profile || !manner) {
    const callers = [...bots()].flatMap(([name, one]) => (one.outbound ? [name] : []));
    const there =
      callers.length > 0
        ? `Those that call are ${callers.slice(0, 20).join(', ')}.`
        : 'No bot of sip-config/ has `outbound`.';
    throw invalid(`There is no bot "${body.bot}" that calls out. ${there}`, 'bot');
  }
  if (body.gateway !== undefined && !gatewayKnown(body.gateway)) {
    throw invalid(`There is no gateway "${body.gateway}": name one of GET /gateways, or leave it out.`, 'gateway');
  }
  const request: OrderRequest = {
    to: normalised(body.to),
    bot: body.bot,
    purpose: body.purpose,
    variables: body.variables ?? {},
    gateway: body.gateway,
    ringMs: body.ringSeconds && body.ringSeconds * 1000,
    onMachine: body.onMachine,
    retry: body.retry ?? manner.retry ?? NO_RETRY,
  };
  const missing = missingVariables(profile, manner, request);
  if (missing.length > 0) {
    const fields = missing.map((name) => `variables.${name}`);
    throw invalid(`The bot's words need these variables: ${missing.join(', ')}.`, ...fields);
  }
  if ((request.onMachine ?? manner.onMachine) === 'leave-message' && manner.message === undefined) {
    throw invalid('This bot has no message to leave: give it `outbound.message`, or ask for hang-up.', 'onMachine');
  }
  return request;
}

/** Numbers without their separators: one number is one destination, however it was written. */
export function normalised(to: string): string {
  return /^sips?:/i.test(to) ? to : to.replace(/[().\s-]/g, '');
}
