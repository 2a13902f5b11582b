import type { FastifyInstance } from 'fastify';

const CLOSE_GRACE_MS = 2000;

/**
 * Closes once, however often it is asked. Connections that carry no request (browsers open some ahead of need) would
 * hold the server open, so they are cut as soon as the last running request is done, and all of them after the grace.
 */
export function closer(app: FastifyInstance): () => Promise<void> {
  let running = 0;
  let closing: Promise<void> | undefined;
  const cut = () => app.server.closeAllConnections();
  app.server.on('request', (_request, response) => {
    running++;
    response.once('close', () => {
      running--;
      if (closing && running === 0) cut();
    });
  });
  const close = async () => {
    const timer = setTimeout(cut, CLOSE_GRACE_MS);
    const closed = app.close();
    if (running === 0) cut();
    await closed;
    clearTimeout(timer);
  };
  return () => {
    closing ??= close();
    return closing;
  };
}
