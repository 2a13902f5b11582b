import { type Clock, systemClock } from '../core/clock.ts';
import { asFailure, Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { FilledRequest } from './data-paths.ts';

export interface BankRequest extends FilledRequest {
  /** The path with its placeholders, for logs: the filled one names customers. */
  route: string;
  correlationId: string;
  idempotencyKey: string | undefined;
  /** For this one attempt, ms. */
  timeoutMs: number;
}

export interface BankReply {
  status: number;
  /** Parsed JSON; undefined when the body was empty, or a refusal is no JSON. */
  data: unknown;
  /** When the bank wants to be asked again (Retry-After), ms. */
  retryAfterMs?: number | undefined;
}

/** The bank's API, one attempt at a time; who retries what is decided in bank-call.ts. */
export interface BankClient {
  /**
   * Rejects with Failure of blame bank: bank-unreachable (the request never left), bank-timeout, bank-broke-off and
   * bank-unreadable, a 2xx that is no JSON (it may have been carried out).
   */
  send(request: BankRequest): Promise<BankReply>;
  health(): Promise<{ ok: boolean; detail?: string }>;
}

export interface HttpBankClientOptions {
  /** Scheme, host, port and perhaps a path before the API's paths. */
  baseUrl: string;
  apiKey: string;
  log: Logger;
  healthPath?: string;
  clock?: Clock;
}

const MAX_BODY_BYTES = 1024 * 1024;
const HEALTH_TIMEOUT_MS = 2000;

/** The request cannot have reached the bank when connecting, or the handshake before it, failed like this. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Node's own fetch (undici): connections are kept open and used again. */
export class HttpBankClient implements BankClient {
  readonly #baseUrl: string;
  readonly #apiKey: string;
  readonly #log: Logger;
  readonly #healthPath: string;
  readonly #clock: Clock;

  constructor(options: HttpBankClientOptions) {
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.#apiKey = options.apiKey;
    this.#log = options.log;
    this.#healthPath = options.healthPath ?? '/health';
    this.#clock = options.clock ?? systemClock;
  }

  async send(request: BankRequest): Promise<BankReply> {
    const started = this.#clock.now();
    const facts = { method: request.method, route: request.route, correlation_id: request.correlationId };
    try {
      const reply = await this.#exchange(request);
      this.#log.debug({ ...facts, status: reply.status, ms: Math.round(this.#clock.now() - started) }, 'bank answered');
      return reply;
    } catch (error) {
      const failure = bankFailure(error, request);
      this.#log.warn({ ...facts, code: failure.code, ms: Math.round(this.#clock.now() - started) }, failure.message);
      throw failure;
    }
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    try {
      const response = await fetch(`${this.#baseUrl}${this.#healthPath}`, {
        redirect: 'manual',
        signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.status < 500 ? { ok: true } : { ok: false, detail: `bank answers ${response.status}` };
    } catch (error) {
      return { ok: false, detail: bankFailure(error, { method: 'GET', route: this.#healthPath }).message };
    }
  }

  async #exchange(request: BankRequest): Promise<BankReply> {
    const query = new URLSearchParams(request.query).toString();
    const headers: Record<string, string> = {
      accept: 'application/json, application/problem+json',
      authorization: `Bearer ${this.#apiKey}`,
      'x-correlation-id': request.correlationId,
    };
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(`${this.#baseUrl}${request.path}${query === '' ? '' : `?${query}`}`, {
      method: request.method,
      headers,
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      // A redirect would take the key and the customer's data somewhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(request.timeoutMs),
    });
    const { status, headers: said } = response;
    const text = await bodyOf(response);
    const data = parsed(text);
    // A page of maintenance, or of whatever else stands before the API, is not the bank saying that it is done.
    if (response.ok && data === undefined && text.trim() !== '') throw unreadable(status);
    return { status, data, retryAfterMs: retryAfterMs(said.get('retry-after'), this.#clock.wall()) };
  }
}

function unreadable(status: number): Failure {
  return new Failure(`the bank answered ${status} with something that is no JSON`, {
    code: 'bank-unreadable',
    blame: 'bank',
    retryable: true,
  });
}

/** Seconds, or a date (RFC 9110 10.2.3); undefined for anything else. */
function retryAfterMs(text: string | null, now: Date): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** JSON is UTF-8 (RFC 8259 8.1); older systems of banks say what else they send. */
function decoderFor(contentType: string | null): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

async function bodyOf(response: Response): Promise<string> {
  const decoder = decoderFor(response.headers.get('content-type'));
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      throw new Failure(`the bank's answer is longer than ${MAX_BODY_BYTES} bytes`, {
        code: 'bank-broke-off',
        blame: 'bank',
      });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without the cause: errors of fetch may carry the request with its headers and body. */
function bankFailure(error: unknown, request: { method: string; route: string }): Failure {
  if (error instanceof Failure) return error;
  const what = `${request.method} ${request.route}`;
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
    return new Failure(`${what}: the bank did not answer in time`, {
      code: 'bank-timeout',
      blame: 'bank',
      retryable: true,
    });
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  if (NEVER_SENT.has(code)) {
    return new Failure(`${what}: the bank cannot be reached (${code})`, {
      code: 'bank-unreachable',
      blame: 'bank',
      retryable: true,
    });
  }
  const detail = code === '' ? asFailure(error).message : code;
  return new Failure(`${what}: the connection to the bank broke off (${detail})`, {
    code: 'bank-broke-off',
    blame: 'bank',
    retryable: true,
  });
}
