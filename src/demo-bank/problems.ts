import type { FastifyReply } from 'fastify';

/** RFC 9457 problem details. `type` is what clients should act on; `detail` is for people and never holds a secret. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  [extension: string]: unknown;
}

const BASE = 'https://demo-bank.example/problems/';

export type ProblemName =
  | 'unauthorized'
  | 'not-found'
  | 'invalid-request'
  | 'wrong-pin'
  | 'locked'
  | 'card-already-blocked'
  | 'idempotency-key-reused'
  | 'unavailable'
  | 'internal';

const KNOWN: Record<ProblemName, { status: number; title: string }> = {
  unauthorized: { status: 401, title: 'The API key is missing or wrong' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'wrong-pin': { status: 401, title: 'Customer number and PIN do not match' },
  locked: { status: 423, title: 'Too many wrong PINs: locked for a while' },
  'card-already-blocked': { status: 409, title: 'The card is blocked already' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  unavailable: { status: 503, title: 'The bank cannot answer at the moment' },
  internal: { status: 500, title: 'Something went wrong in the bank' },
};

export function problem(
  name: ProblemName,
  extra: { status?: number; detail?: string; [key: string]: unknown } = {},
): Problem {
  return { type: `${BASE}${name}`, ...KNOWN[name], ...extra };
}

export function sendProblem(reply: FastifyReply, body: Problem): FastifyReply {
  return reply.status(body.status).type('application/problem+json').send(JSON.stringify(body));
}

/** What a handler answers with: status and JSON body; problems are bodies too. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers?: Record<string, string>;
}

export function problemAnswer(name: ProblemName, extra: Parameters<typeof problem>[1] = {}): Answer {
  const body = problem(name, extra);
  return { status: body.status, body };
}
