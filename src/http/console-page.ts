import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problems.ts';

/**
 * Serves the built page at /. Its addresses (/calls/..., /calls-out/...) are the page's own, so a navigation to one gets index.html;
 * everything else that is unknown is a 404 as problem+json.
 */
export async function consolePage(app: FastifyInstance, consoleDir: string | undefined): Promise<void> {
  const built = consoleDir !== undefined && existsSync(join(consoleDir, 'index.html'));
  if (built) {
    await app.register(fastifyStatic, {
      root: consoleDir,
      wildcard: false,
      index: 'index.html',
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders: (reply, path) => {
        // Names under assets/ carry a hash of their content.
        const hashed = path.includes('/assets/') || path.includes('\\assets\\');
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (isNavigation(request)) {
      if (built) return page(reply);
      return sendProblem(
        request,
        reply,
        404,
        'The page is not built',
        'Run npm run build, or npm start, which builds it.',
      );
    }
    const detail = 'There is nothing at this address. /api/v1/openapi.json describes the API.';
    return sendProblem(request, reply, 404, 'Not found', detail);
  });
}

function page(reply: FastifyReply): FastifyReply {
  return reply.code(200).sendFile('index.html');
}

function isNavigation(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const path = request.url.split('?', 1)[0]!;
  if (!/^\/(|phone|supervise|(calls|calls-out)(\/.*)?)$/.test(path)) return false;
  return (request.headers.accept ?? '').includes('text/html');
}
