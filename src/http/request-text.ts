import type { Ajv } from 'ajv';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from './problems.ts';

const DEEPEST = 32;

/**
 * Refuses, with 400, what JSON and addresses can carry and no text can: U+0000 and halves of surrogate pairs. No database
 * keeps them, no voice says them.
 */
export function refuseBrokenText(app: FastifyInstance): void {
  app.addHook('preValidation', async (request: FastifyRequest) => {
    const parts = { body: request.body, query: request.query, path: request.params };
    for (const [where, value] of Object.entries(parts)) {
      const field = brokenText(value, [], where);
      if (field === undefined) continue;
      const message = 'has a character that is none: U+0000, or half of a surrogate pair';
      const errors = [{ field, in: where, message }];
      throw new HttpProblem(400, 'The request is not valid', `${field} (${where}): ${message}`, {}, errors);
    }
  });
}

/** Where the first such text stands; undefined: nowhere. `itself`: what a value that is no part of anything is called. */
function brokenText(value: unknown, path: readonly string[], itself: string): string | undefined {
  if (typeof value === 'string') {
    return value.includes('\0') || !value.isWellFormed() ? path.join('.') || itself : undefined;
  }
  if (typeof value !== 'object' || value === null || path.length > DEEPEST) return undefined;
  for (const [key, one] of Object.entries(value)) {
    const found = brokenText(key, path, itself) ?? brokenText(one, [...path, key.toWellFormed()], itself);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `date-time` (RFC 3339) as far as there is such a moment: a leap second is well-formed, and no Date. */
export function needMoments(ajv: Ajv): void {
  const wellFormed = ajv.formats['date-time'] as { validate(text: string): boolean };
  const validate = (text: string) => wellFormed.validate(text) && !Number.isNaN(Date.parse(text));
  ajv.addFormat('date-time', { type: 'string', validate });
}
