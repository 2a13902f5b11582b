import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure } from '../../src/core/errors.ts';

export interface ServerSentEvent {
  readonly event: string;
  readonly data: unknown;
}

const REQUEST_TIMEOUT_MS = 5000;

/** The connector's HTTP API, as a program outside sees it. */
export class ConnectorApi {
  readonly base: string;
  readonly #token: string | undefined;

  constructor(base: string, token: string | undefined) {
    this.base = base.replace(/\/+$/, '');
    this.#token = token;
  }

  /** Parsed JSON. Throws Failure with the status when the answer is not 2xx, blame network when there is none. */
  async get(path: string, signal?: AbortSignal): Promise<unknown> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await this.#fetch(path, signal ? AbortSignal.any([signal, timeout]) : timeout);
    return response.json();
  }

  /** Server-sent events (HTML Living Standard section 9.2) until the stream or `signal` ends. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<ServerSentEvent, void, void> {
    const response = await this.#fetch(path, signal);
    if (!response.body) return;
    const decoder = new TextDecoder();
    let pending = '';
    for await (const chunk of response.body) {
      pending += decoder.decode(chunk, { stream: true });
      const blocks = pending.split(/\r?\n\r?\n/);
      pending = blocks.pop() ?? '';
      for (const block of blocks) {
        const parsed = parseEvent(block);
        if (parsed) yield parsed;
      }
    }
  }

  async #fetch(path: string, signal: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      const headers = new Headers(this.#token === undefined ? [] : [['authorization', `Bearer ${this.#token}`]]);
      response = await fetch(`${this.base}${path}`, { headers, signal });
    } catch (cause) {
      throw new Failure(`no answer from ${this.base}`, { code: 'api-away', blame: 'network', retryable: true, cause });
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Failure(`${this.base}${path} answered ${response.status}`, {
      code: response.status === 401 ? 'api-token' : 'api-refused',
      blame: 'us',
    });
  }
}

function parseEvent(block: string): ServerSentEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith('event:')) event = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  if (data.length === 0) return undefined;
  try {
    return { event, data: JSON.parse(data.join('\n')) };
  } catch {
    return undefined;
  }
}

/** ADMIN_TOKEN, or the one the connector made and keeps in DATA_DIR/admin-token; undefined when there is neither. */
export async function findToken(environment: NodeJS.ProcessEnv, directory: string): Promise<string | undefined> {
  if (environment.ADMIN_TOKEN) return environment.ADMIN_TOKEN;
  const file = join(resolve(directory, environment.DATA_DIR ?? './data'), 'admin-token');
  return readFile(file, 'utf8').then(
    (text) => text.trim() || undefined,
    () => undefined,
  );
}
