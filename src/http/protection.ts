import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import type { PhoneDesk } from '../call/phone-desk.ts';
import type { TrustedProxies } from './forwarded.ts';
import { HttpProblem } from './problems.ts';
import { phoneSource } from './routes/phone.ts';

export interface Protection {
  /** With it, the page may open a WebSocket to it. */
  phones: PhoneDesk | undefined;
  proxies: TrustedProxies;
  /** Everything is served by HTTPS. */
  encrypted: boolean;
  /** Per address. */
  requestsPerSecond: number;
}

const HSTS_SECONDS = 30 * 86_400;
/** What the page may ask the browser for: its phone needs the microphone. */
const PERMISSIONS = 'camera=(), geolocation=(), microphone=(self)';

/**
 * Headers of every answer, and how much one address may ask. The content policy allows the page its own files and nothing
 * else: no inline script or style.
 */
export async function protect(
  app: FastifyInstance,
  { phones, proxies, encrypted, requestsPerSecond }: Protection,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'"],
        // The page's phone speaks SIP over a WebSocket on a port of its own.
        'connect-src': ["'self'", (raw) => (phones && phoneSource(phones, proxies.arrivalOf(raw))) ?? "'self'"],
        'media-src': ["'self'"],
        'manifest-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // In the clear it is for the proxy that adds TLS to say; not for subdomains, which need not be ours.
    strictTransportSecurity: encrypted ? { maxAge: HSTS_SECONDS, includeSubDomains: false } : false,
    frameguard: { action: 'deny' },
  });
  await app.register(rateLimit, {
    global: true,
    max: requestsPerSecond,
    timeWindow: 1000,
    errorResponseBuilder: (_request, context) =>
      new HttpProblem(429, 'Too many requests', `At most ${context.max} requests per second are answered.`),
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('permissions-policy', PERMISSIONS);
  });
}
