import type { FastifyInstance } from 'fastify';
import type { Auth } from '../auth.ts';
import { signInState } from '../schemas/operations.ts';
import { problems } from '../schemas/problems.ts';

/** The page's way in: the admin token becomes an HttpOnly cookie. The token never stands in a URL. */
export function signInRoutes(app: FastifyInstance, auth: Auth): void {
  app.post<{ Body: { token: string } }>(
    '/login',
    {
      config: { open: true },
      bodyLimit: 4096,
      schema: {
        operationId: 'signIn',
        summary: 'Trade the admin token for a session cookie',
        tags: ['sign-in'],
        security: [],
        body: {
          type: 'object',
          required: ['token'],
          additionalProperties: false,
          properties: { token: { type: 'string', minLength: 1, maxLength: 512 } },
        },
        response: { 204: { description: 'Signed in', type: 'null' }, ...problems(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      await auth.signIn(request, reply, request.body.token);
      return reply.code(204).send();
    },
  );

  app.get(
    '/login',
    {
      // Open, so that the page can ask without an error: nothing is told but whether the client is known.
      config: { open: true },
      schema: {
        operationId: 'getSignIn',
        summary: 'Whether, and until when, this client is signed in',
        tags: ['sign-in'],
        security: [],
        response: { 200: { description: 'The state of this client', ...signInState } },
      },
    },
    async (request) => {
      const signedIn = await auth.isAuthenticated(request);
      const remaining = auth.sessionRemainingMs(request);
      return { signedIn, expiresAt: remaining === undefined ? null : new Date(Date.now() + remaining).toISOString() };
    },
  );

  app.post(
    '/logout',
    {
      config: { open: true },
      schema: {
        operationId: 'signOut',
        summary: 'End the session and drop the cookie',
        tags: ['sign-in'],
        security: [],
        response: { 204: { description: 'Signed out', type: 'null' } },
      },
    },
    async (request, reply) => {
      auth.signOut(request, reply);
      return reply.code(204).send();
    },
  );
}
