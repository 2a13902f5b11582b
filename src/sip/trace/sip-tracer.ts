import { wallMicros } from '../../core/clock.ts';
import { type Flow, isWildcard } from '../transport/flow.ts';
import { FacingAddresses } from '../transport/local-address.ts';
import { CallTrace, type CallTraceLimits, type TracedMessage, traced } from './message-trace.ts';
import { redactMessages } from './redact.ts';
import type { WireTap } from './wire-tap.ts';

export interface SipTracerOptions {
  /** Of one Call-ID. Default 400 messages, 256 KiB. */
  perCall?: Partial<CallTraceLimits> | undefined;
  /** Of all calls together. Default 64 MiB; what comes beyond is not kept, and counted with its call. */
  totalBytes?: number | undefined;
  /**
   * Call-IDs that nobody has claimed (yet): calls that begin, and those that were challenged. Default 500 and 4 MiB; the
   * oldest go first.
   */
  unclaimed?: { calls: number; bytes: number } | undefined;
  /** Headers whose values are not kept, beside those with secrets. */
  hideHeaders?: readonly string[] | undefined;
  /** Microseconds since 1970. */
  now?: (() => number) | undefined;
}

/** Messages of one or several Call-IDs in the order of time, without the secrets in them. */
export interface SipTrace {
  messages: TracedMessage[];
  /** Those that had no room. */
  dropped: number;
}

const PER_CALL: CallTraceLimits = { messages: 400, bytes: 256 * 1024 };
const TOTAL_BYTES = 64 * 1024 * 1024;
const UNCLAIMED = { calls: 500, bytes: 4 * 1024 * 1024 };
const CALL_ID = Buffer.from('\r\nCall-ID: ');
const CR = 0x0d;

interface Kept {
  trace: CallTrace;
  /** How many hold it: a leg may be of two calls, one after the other or at once. */
  holders: number;
}

/**
 * Remembers the SIP messages of calls by Call-ID. A Call-ID is known from its INVITE on; what belongs to none is passed
 * over. Until somebody holds it, a Call-ID is one of the few unclaimed ones; those held live until the last who holds them
 * has released them.
 */
export class SipTracer implements WireTap {
  readonly #perCall: CallTraceLimits;
  readonly #totalBytes: number;
  readonly #unclaimedLimits: { calls: number; bytes: number };
  readonly #hideHeaders: readonly string[];
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #unclaimed = new Set<string>();
  readonly #facing = new FacingAddresses();
  #claimedBytes = 0;
  #unclaimedBytes = 0;

  constructor(options: SipTracerOptions = {}) {
    this.#perCall = { ...PER_CALL, ...options.perCall };
    this.#totalBytes = options.totalBytes ?? TOTAL_BYTES;
    this.#unclaimedLimits = options.unclaimed ?? UNCLAIMED;
    this.#hideHeaders = options.hideHeaders ?? [];
    this.#now = options.now ?? wallMicros;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#claimedBytes + this.#unclaimedBytes;
  }

  received(bytes: Buffer, callId: string | undefined, flow: Flow): void {
    if (callId !== undefined) this.#add(callId, 'in', bytes, flow);
  }

  sent(bytes: Buffer, flow: Flow): void {
    // As we write it ourselves, so it need not be parsed.
    const at = bytes.indexOf(CALL_ID);
    if (at === -1) return;
    const start = at + CALL_ID.length;
    this.#add(bytes.toString('utf8', start, bytes.indexOf(CR, start)), 'out', bytes, flow);
  }

  /** What a flood says goes at once, while it costs nothing to let go of. What is somebody's call already stays. */
  refused(callId: string): void {
    if (this.#kept.get(callId)?.holders === 0) this.#forget(callId);
  }

  /** Keeps what this Call-ID has and will have until it is released as often as it was held. */
  hold(callId: string): void {
    const kept = this.#kept.get(callId) ?? this.#begin(callId);
    if (kept.holders++ > 0) return;
    this.#unclaimed.delete(callId);
    this.#unclaimedBytes -= kept.trace.bytes;
    this.#claimedBytes += kept.trace.bytes;
    for (const message of kept.trace.messages) this.#locate(message);
  }

  /** What these Call-IDs have said so far. */
  read(callIds: readonly string[]): SipTrace {
    const traces = callIds.flatMap((callId) => this.#kept.get(callId)?.trace ?? []);
    const messages = traces.flatMap((trace) => trace.messages).sort((a, b) => a.at - b.at);
    return {
      messages: redactMessages(messages, this.#hideHeaders),
      dropped: traces.reduce((sum, trace) => sum + trace.dropped, 0),
    };
  }

  release(callIds: readonly string[]): void {
    for (const callId of callIds) {
      const kept = this.#kept.get(callId);
      if (kept !== undefined && --kept.holders <= 0) this.#forget(callId);
    }
  }

  #add(callId: string, direction: 'in' | 'out', bytes: Buffer, flow: Flow): void {
    let kept = this.#kept.get(callId);
    if (kept === undefined) {
      if (bytes.toString('latin1', 0, 7) !== 'INVITE ') return;
      kept = this.#begin(callId);
    }
    const { trace } = kept;
    const claimed = kept.holders > 0;
    const before = trace.bytes;
    if (claimed && this.#claimedBytes + bytes.length > this.#totalBytes) {
      trace.dropped++;
      return;
    }
    const message = traced(this.#now(), direction, flow, bytes);
    if (claimed) this.#locate(message);
    trace.add(message);
    const more = trace.bytes - before;
    if (claimed) this.#claimedBytes += more;
    else {
      this.#unclaimedBytes += more;
      this.#evict();
    }
  }

  #begin(callId: string): Kept {
    const kept = { trace: new CallTrace(this.#perCall), holders: 0 };
    this.#kept.set(callId, kept);
    this.#unclaimed.add(callId);
    return kept;
  }

  #evict(): void {
    for (const oldest of this.#unclaimed) {
      if (this.#unclaimed.size <= this.#unclaimedLimits.calls && this.#unclaimedBytes <= this.#unclaimedLimits.bytes) {
        return;
      }
      this.#forget(oldest);
    }
  }

  #forget(callId: string): void {
    const kept = this.#kept.get(callId);
    if (kept === undefined) return;
    this.#kept.delete(callId);
    if (this.#unclaimed.delete(callId)) this.#unclaimedBytes -= kept.trace.bytes;
    else this.#claimedBytes -= kept.trace.bytes;
  }

  /** A socket bound to a wildcard does not say which of our addresses a message came to. */
  #locate({ local, remote }: TracedMessage): void {
    if (!isWildcard(local.address)) return;
    const facing = this.#facing.facing(remote.address);
    if (typeof facing === 'string') local.address = facing;
    else
      void facing.then((address) => {
        local.address = address;
      });
  }
}
