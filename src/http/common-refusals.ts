import type { FastifyInstance } from 'fastify';
import { problems } from './schemas/problems.ts';

const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Adds to each route's description how anything may be refused before the route is asked: too often, by an address that
 * is too long, or with a body that is too large or not of its type, wanted or not. Before the routes are made, which
 * describe only what they refuse themselves.
 */
export function describeCommonRefusals(app: FastifyInstance): void {
  app.addHook('onRoute', ({ url, method, schema }) => {
    if (schema?.response === undefined || schema.hide === true) return;
    const statuses = [429];
    if (/[:*]/.test(url)) statuses.push(414);
    if ([method].flat().some((one) => WITH_BODY.has(one))) statuses.push(400, 413, 415);
    schema.response = { ...problems(...statuses), ...(schema.response as Record<string, unknown>) };
  });
}
