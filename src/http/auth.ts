import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { monotonicNow } from '../core/clock.ts';
import { LoginSessions, sameSecret } from './login-sessions.ts';
import { HttpProblem } from './problems.ts';

const COOKIE = 'svc_session';
const SESSIONS = 1000;
const LIFETIME_MS = 12 * 60 * 60 * 1000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served without authentication. */
    open?: boolean;
  }
}

export interface AuthOptions {
  adminToken: string;
  /** Wrong tokens one address may present per minute before it is refused unheard. */
  failuresPerMinute: number;
}

/**
 * Who may use the API: a bearer token for programs, a session cookie for the page (an EventSource or an audio element
 * cannot send headers). Wrong tokens are counted per address; past the limit every token from there is refused with
 * 429 before it is looked at. Session cookies, 256 random bits, are not guessable and not counted.
 */
export class Auth {
  readonly #adminToken: string;
  readonly #sessions = new LoginSessions(SESSIONS, LIFETIME_MS);
  readonly #failures: ReturnType<FastifyInstance['createRateLimit']>;

  constructor(app: FastifyInstance, options: AuthOptions) {
    this.#adminToken = options.adminToken;
    this.#failures = app.createRateLimit({ max: options.failuresPerMinute, timeWindow: 60_000 });
  }

  /** The bearer token or the session cookie is good now. Throws HttpProblem 429 after too many wrong tokens. */
  async isAuthenticated(request: FastifyRequest): Promise<boolean> {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return this.#tokenIsRight(request, bearer);
    return this.sessionRemainingMs(request) !== undefined;
  }

  /** Milliseconds until the request's sign-in ends; undefined when it has none. */
  sessionRemainingMs(request: FastifyRequest): number | undefined {
    const id = sessionCookie(request);
    return id === undefined ? undefined : this.#sessions.remaining(id, monotonicNow());
  }

  /** onRequest hook of everything that is not open. */
  async require(request: FastifyRequest): Promise<void> {
    if (!(await this.isAuthenticated(request))) {
      throw new HttpProblem(401, 'Not signed in', 'Send the admin token as a bearer token, or sign in on the page.', {
        'www-authenticate': 'Bearer realm="sip-voice-connector"',
      });
    }
    if (request.headers.authorization === undefined) requireSameOrigin(request);
  }

  /** Trades the token for a cookie. */
  async signIn(request: FastifyRequest, reply: FastifyReply, token: string): Promise<void> {
    requireSameOrigin(request);
    if (!(await this.#tokenIsRight(request, token))) {
      throw new HttpProblem(401, 'Wrong token', 'This is not the admin token of this connector.', {
        'www-authenticate': 'Bearer realm="sip-voice-connector"',
      });
    }
    const id = this.#sessions.open(monotonicNow());
    reply.header('set-cookie', cookie(id, LIFETIME_MS / 1000, request.protocol === 'https'));
  }

  signOut(request: FastifyRequest, reply: FastifyReply): void {
    const id = sessionCookie(request);
    if (id !== undefined) this.#sessions.close(id);
    reply.header('set-cookie', cookie('', 0, request.protocol === 'https'));
  }

  async #tokenIsRight(request: FastifyRequest, token: string): Promise<boolean> {
    const before = await this.#failures(request, { increment: false });
    if (!before.isAllowed && before.remaining === 0) {
      const seconds = Math.max(1, before.ttlInSeconds);
      request.log.warn('sign-in refused: too many wrong tokens from this address');
      throw new HttpProblem(
        429,
        'Too many wrong tokens',
        `Too many wrong tokens came from your address. Try again in ${seconds} s.`,
        { 'retry-after': String(seconds) },
      );
    }
    if (sameSecret(token, this.#adminToken)) return true;
    await this.#failures(request);
    request.log.warn({ address: request.ip }, 'wrong token');
    return false;
  }
}

/**
 * A request that a cookie authenticates must come from our own page when it changes something. SameSite=Strict says so
 * already; this holds for browsers that treat another port of this host as the same site.
 */
function requireSameOrigin(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const origin = request.headers.origin;
  if (origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === request.host) return;
  throw new HttpProblem(403, 'Other origin', 'This request came from another page than the connector’s own.');
}

function sessionCookie(request: FastifyRequest): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE && value) return value;
  }
  return undefined;
}

function cookie(value: string, maxAgeSeconds: number, secure: boolean): string {
  return `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure ? '; Secure' : ''}`;
}
