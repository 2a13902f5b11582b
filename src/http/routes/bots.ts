import type { FastifyInstance } from 'fastify';
import type { BotProfile } from '../../call/bot/bot-profile.ts';
import { NO_RETRY } from '../../call/orders/order.ts';
import { missingVariables } from '../../call/orders/words.ts';
import { botsResponse } from '../schemas/orders.ts';
import { problems } from '../schemas/problems.ts';

/** Who can speak, and what a bot that calls out has to be given. */
export function botRoutes(app: FastifyInstance, { bots }: { bots(): ReadonlyMap<string, BotProfile> }): void {
  app.get(
    '/bots',
    {
      schema: {
        operationId: 'listBots',
        summary: 'Bots, with what an order for one has to bring',
        tags: ['calling out'],
        response: { 200: { description: 'As configured now', ...botsResponse }, ...problems(401) },
      },
    },
    async () => ({
      bots: [...bots().entries()].map(([name, profile]) => ({ name, outbound: outboundOf(name, profile) })),
    }),
  );
}

function outboundOf(bot: string, profile: BotProfile) {
  const manner = profile.outbound;
  if (!manner) return null;
  return {
    variables: missingVariables(profile, manner, { to: '', bot, variables: {}, retry: NO_RETRY }),
    purpose: manner.purpose ?? null,
    verify: manner.verify,
    onMachine: manner.onMachine,
  };
}
