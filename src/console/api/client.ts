import type {
  CallDetail,
  CallPage,
  Peaks,
  PhoneSession,
  SipLadder,
  SupervisionMode,
  SupervisionState,
} from './types.ts';

/** A refusal of the API (RFC 9457), or no answer at all (status 0). `message` is fit to be shown. */
export class ApiError extends Error {
  readonly status: number;
  /** What is wrong with single fields, by their path in the request (`variables.name`). */
  readonly fields: Readonly<Record<string, string>>;

  constructor(status: number, message: string, fields: Record<string, string> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.fields = fields;
  }
}

export interface ListQuery {
  status?: string;
  caller?: string;
  /** RFC 3339 times. */
  from?: string;
  to?: string;
  text?: string;
}

let onSignedOut: () => void = () => undefined;

/** Told when the server no longer knows this sign-in. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

interface Problem {
  detail?: string;
  errors?: { field: string; message: string }[];
}

/** The answer, when it is one of success. Throws ApiError, or the abort. */
async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'The connector cannot be reached.');
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as Problem;
  if (response.status === 401 && path !== '/login') onSignedOut();
  const fields = Object.fromEntries((problem.errors ?? []).map(({ field, message }) => [field, message]));
  throw new ApiError(response.status, problem.detail ?? `The connector answered ${response.status}.`, fields);
}

export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(path, init);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function requestText(path: string, signal: AbortSignal): Promise<string> {
  return (await send(path, { signal })).text();
}

export function post<T = unknown>(path: string, body: object, headers?: Record<string, string>): Promise<T> {
  return sendJson<T>('POST', path, body, headers);
}

export function sendJson<T = unknown>(
  method: 'POST' | 'PUT' | 'PATCH',
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<T> {
  return request<T>(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export const api = {
  signedIn: () =>
    request<{ signedIn: boolean }>('/login').then(({ signedIn }) => {
      if (!signedIn) onSignedOut();
      return signedIn;
    }),
  signIn: (token: string) => post<void>('/login', { token }),
  signOut: () => request<void>('/logout', { method: 'POST' }),
  calls(query: ListQuery, limit: number, cursor?: string, signal?: AbortSignal): Promise<CallPage> {
    const params = new URLSearchParams({ limit: String(limit) });
    for (const [name, value] of Object.entries(query)) if (value) params.set(name, value);
    if (cursor) params.set('cursor', cursor);
    return request<CallPage>(`/calls?${params}`, { signal });
  },
  call: (sessionId: string, signal?: AbortSignal) => request<CallDetail>(`/calls/${sessionId}`, { signal }),
  peaks: (sessionId: string, signal?: AbortSignal) =>
    request<Peaks>(`/calls/${sessionId}/recording/peaks?buckets=800`, { signal }),
  sip: (sessionId: string, signal?: AbortSignal) => request<SipLadder>(`/calls/${sessionId}/sip`, { signal }),
  say: (sessionId: string, text: string, replace: boolean) =>
    post<{ utteranceId: string }>(`/calls/${sessionId}/say`, { text, priority: replace ? 8 : 5 }),
  /** To call the bots; or, by a name, to be called. */
  phoneSession: (as?: string) =>
    as === undefined
      ? request<PhoneSession>('/phone-sessions', { method: 'POST' })
      : post<PhoneSession>('/phone-sessions', { as }),
  transfer: (sessionId: string, to: { to?: string; queue?: string; how?: string }) =>
    post(`/calls/${sessionId}/transfer`, to),
  recall: (sessionId: string) => request<unknown>(`/calls/${sessionId}/transfer`, { method: 'DELETE' }),
  supervision: (signal?: AbortSignal) => request<SupervisionState>('/supervision', { signal }),
  supervise: (sessionId: string, mode: SupervisionMode, who: { to: string } | { supervisionId: string }) =>
    post<void>(`/calls/${sessionId}/supervise`, { mode, ...who }),
  /** The phone of this very page takes part. */
  superviseHere: (sessionId: string, mode: SupervisionMode, name: string) =>
    post<{ supervisionId: string; phone: PhoneSession }>(`/calls/${sessionId}/supervise`, {
      mode,
      phone: true,
      ...(name && { name }),
    }),
  changeSupervision: (sessionId: string, supervisionId: string, mode: SupervisionMode) =>
    sendJson<void>('PATCH', `/calls/${sessionId}/supervise/${supervisionId}`, { mode }),
  endSupervision: (sessionId: string, supervisionId: string) =>
    request<void>(`/calls/${sessionId}/supervise/${supervisionId}`, { method: 'DELETE' }),
  hangUp: (sessionId: string) => request<{ sessionId: string }>(`/calls/${sessionId}/hangup`, { method: 'POST' }),
};
