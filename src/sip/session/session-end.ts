/** Why and by whom a session ended; the reason its AbortSignal aborts with. */
export interface SessionEnd {
  by: 'remote' | 'local' | 'network';
  how: 'bye' | 'cancel' | 'rejected' | 'no-ack' | 'transport' | 'expired' | 'shutdown';
  status?: number;
  /** `text` of the peer's Reason header (RFC 3326), else its `protocol;cause`. */
  reason?: string;
}

/** What a Reason header says to people. */
export function reasonText(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = /;\s*text\s*=\s*"((?:[^"\\]|\\.)*)"/i.exec(header)?.[1];
  return (text ?? header).slice(0, 200);
}
