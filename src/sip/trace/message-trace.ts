import type { Endpoint, Flow, Protocol } from '../transport/flow.ts';

/** One SIP message as it crossed the wire. */
export interface TracedMessage {
  /** Microseconds since 1970, when we read it or handed it to the socket. */
  at: number;
  direction: 'in' | 'out';
  protocol: Protocol;
  local: Endpoint;
  remote: Endpoint;
  /** One character for each byte (latin1). What must not be kept is `x` for each byte of it. */
  text: string;
}

/** How much one call may hold; the beginning and the end are kept, and what falls out between them is counted. */
export interface CallTraceLimits {
  messages: number;
  bytes: number;
}

/** What a message costs beside its text. */
const OVERHEAD = 200;

function sizeOf(message: TracedMessage): number {
  return message.text.length + OVERHEAD;
}

/** The messages under one Call-ID: the first half of the limits for how it began, the other half for what came last. */
export class CallTrace {
  readonly #limits: CallTraceLimits;
  readonly #head: TracedMessage[] = [];
  readonly #tail: TracedMessage[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  dropped = 0;

  constructor(limits: CallTraceLimits) {
    this.#limits = limits;
  }

  get messages(): readonly TracedMessage[] {
    return [...this.#head, ...this.#tail];
  }

  get bytes(): number {
    return this.#headBytes + this.#tailBytes;
  }

  add(message: TracedMessage): void {
    const messages = this.#limits.messages / 2;
    const bytes = this.#limits.bytes / 2;
    const size = sizeOf(message);
    const beginning = this.#tail.length === 0 && this.dropped === 0;
    if (beginning && this.#head.length < messages && this.#headBytes + size <= bytes) {
      this.#head.push(message);
      this.#headBytes += size;
      return;
    }
    this.#tail.push(message);
    this.#tailBytes += size;
    while (this.#tail.length > messages || this.#tailBytes > bytes) {
      this.#tailBytes -= sizeOf(this.#tail.shift()!);
      this.dropped++;
    }
  }
}

export function traced(at: number, direction: 'in' | 'out', flow: Flow, bytes: Buffer): TracedMessage {
  const { protocol, local, remote } = flow;
  return { at, direction, protocol, local: { ...local }, remote: { ...remote }, text: bytes.toString('latin1') };
}
