import { promisify } from 'node:util';
import { constants, gunzip, type ZstdOptions, zstdCompress, zstdCompressSync, zstdDecompress } from 'node:zlib';
import type { CallId } from '../../core/ids.ts';
import type { SipTrace } from '../../sip/trace/sip-tracer.ts';

export type { TracedMessage } from '../../sip/trace/message-trace.ts';
export type { SipTrace };

/** Where the SIP messages of running calls are kept. */
export interface SipTraces {
  /** From now on everything under this Call-ID is kept, and what came before as far as it is still there. */
  hold(sipCallId: string): void;
  /** In the order of time, secrets taken out. */
  read(sipCallIds: readonly string[]): SipTrace;
  release(sipCallIds: readonly string[]): void;
}

/** The SIP messages of all legs of a call, packed. */
export interface SipLadderRecord {
  sessionId: CallId;
  messages: number;
  /** Those that had no room. */
  dropped: number;
  /** The messages as JSON, compressed by zstd (RFC 8878; by gzip in records of earlier versions), base64. */
  packed: string;
}

/** The signalling of one call: of every leg that was added to it. */
export class SipLadder {
  readonly #traces: SipTraces | undefined;
  readonly #callIds: string[] = [];

  constructor(traces: SipTraces | undefined) {
    this.#traces = traces;
  }

  /** As early as its Call-ID is known. */
  add(sipCallId: string): void {
    if (this.#traces === undefined || sipCallId === '' || this.#callIds.includes(sipCallId)) return;
    this.#callIds.push(sipCallId);
    this.#traces.hold(sipCallId);
  }

  read(): SipTrace {
    return this.#traces?.read(this.#callIds) ?? { messages: [], dropped: 0 };
  }

  /** The record of it, and the end of it. Undefined when nothing was seen. */
  async finish(sessionId: CallId): Promise<SipLadderRecord | undefined> {
    const trace = this.read();
    this.#traces?.release(this.#callIds.splice(0));
    return trace.messages.length === 0 ? undefined : packLadder(sessionId, trace);
  }
}

/** Up to this a ladder is packed at once, within some hundred microseconds: another thread costs four times as much. */
const SMALL = 64 * 1024;
/**
 * A ladder of a few kilobytes that says the same again and again needs no more memory than this, and no more care: half the
 * time of gzip's quickest, and fewer bytes.
 */
const QUICK: ZstdOptions = {
  params: {
    [constants.ZSTD_c_compressionLevel]: 1,
    [constants.ZSTD_c_windowLog]: 13,
    [constants.ZSTD_c_hashLog]: 12,
    [constants.ZSTD_c_chainLog]: 13,
  },
};
/** What gzip's begin with (RFC 1952 section 2.3.1). */
const GZIP_MARK = 0x1f;

export async function packLadder(sessionId: CallId, { messages, dropped }: SipTrace): Promise<SipLadderRecord> {
  const json = JSON.stringify(messages);
  const packed = json.length <= SMALL ? zstdCompressSync(json, QUICK) : await promisify(zstdCompress)(json);
  return { sessionId, messages: messages.length, dropped, packed: packed.toString('base64') };
}

export async function unpackLadder({ packed, dropped }: SipLadderRecord): Promise<SipTrace> {
  const bytes = Buffer.from(packed, 'base64');
  const json = await (bytes[0] === GZIP_MARK ? promisify(gunzip)(bytes) : promisify(zstdDecompress)(bytes));
  return { messages: JSON.parse(json.toString('utf8')) as SipTrace['messages'], dropped };
}
