/** Who has to do something about a failure. */
export type Blame = 'caller' | 'us' | 'engine' | 'bank' | 'network';

export interface FailureFacts {
  /** Stable machine-readable name, kebab-case. */
  code: string;
  blame: Blame;
  /** May the same request succeed a moment later? */
  retryable?: boolean;
  /** What a SIP peer is told when this failure refuses or ends its request (RFC 3261 section 21). */
  sipStatus?: number;
  cause?: unknown;
}

/** An error that knows its SIP status, whom it blames and whether to retry. The message never holds secrets. */
export class Failure extends Error {
  readonly code: string;
  readonly blame: Blame;
  readonly retryable: boolean;
  readonly sipStatus: number;

  constructor(message: string, facts: FailureFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'Failure';
    this.code = facts.code;
    this.blame = facts.blame;
    this.retryable = facts.retryable ?? false;
    this.sipStatus = facts.sipStatus ?? (facts.blame === 'caller' ? 400 : 500);
  }
}

/** A failure from anything thrown; unknown errors are blamed on us. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(message, { code: 'internal', blame: 'us', cause: error });
}

/** What Node says in one word of an error of the system, of TLS or of DNS: `ENOENT`, `EADDRINUSE` …; else undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'APIUserAbortError');
}
