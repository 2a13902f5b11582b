import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

const TAGS = ['calls', 'calling out', 'supervision', 'live', 'sign-in', 'operations'];

/** The OpenAPI document, made of the schemas of the routes that are added behind it. */
export async function describe(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'SIP voice connector',
        version: '1.0.0',
        description: 'Calls the connector has taken and is taking: transcripts, transactions, recordings, live events.',
        // `identifier` is OpenAPI 3.1's, and the package's types are 3.0's.
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      servers: [{ url: '/' }],
      tags: TAGS.map((name) => ({ name })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The admin token' },
          session: { type: 'apiKey', in: 'cookie', name: 'svc_session', description: 'Set by POST /api/v1/login' },
        },
      },
      security: [{ bearer: [] }, { session: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `def-${i}`),
    },
  });
}
