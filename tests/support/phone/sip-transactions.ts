import { header, parseNameAddr, parseVia, type SipRequest, type SipResponse, serialize } from './sip-message.ts';

/** RFC 3261 section 17.1.1.1 defaults, ms. */
export interface SipTimers {
  readonly t1: number;
  readonly t2: number;
}
export const DEFAULT_TIMERS: SipTimers = { t1: 500, t2: 4000 };

/** Branch of the top Via: names a transaction together with the method. */
export function branchOf(message: SipRequest | SipResponse): string {
  return parseVia(header(message, 'via') ?? '').params.get('branch') ?? '';
}

/** A response made here when none came: 408 after timer B or F, 503 when the transport failed (section 8.1.3.1). */
export function localResponse(request: SipRequest, status: 408 | 503): SipResponse {
  const reason = status === 408 ? 'Request Timeout' : 'Service Unavailable';
  const headers = request.headers.filter((h) => /^(via|from|to|call-id|cseq)$/i.test(h.name));
  return { kind: 'response', status, reason, headers, body: '' };
}

export interface ClientTransactionOptions {
  readonly request: SipRequest;
  readonly reliable: boolean;
  readonly timers: SipTimers;
  readonly transmit: (data: Buffer) => Promise<void>;
  /** Every response that counts: provisionals, the first final one, and each repeated 2xx to an INVITE. */
  readonly onResponse: (response: SipResponse, local: boolean) => void;
  readonly onDone: () => void;
}

/**
 * Client transaction of either kind (RFC 3261 sections 17.1.1 and 17.1.2, RFC 6026 for repeated 2xx). Legal moves:
 * calling -> proceeding -> completed | accepted -> terminated, any of them skipped forwards.
 */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly #options: ClientTransactionOptions;
  readonly #invite: boolean;
  #state: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated' = 'calling';
  #retransmit: NodeJS.Timeout | undefined;
  #lifetime: NodeJS.Timeout | undefined;
  #ack: Buffer | undefined;
  /** How often the request itself went out again. */
  retransmissions = 0;

  constructor(options: ClientTransactionOptions) {
    this.request = options.request;
    this.#options = options;
    this.#invite = options.request.method === 'INVITE';
  }

  start(): void {
    const { timers, reliable } = this.#options;
    this.#send(serialize(this.request));
    if (!reliable) this.#retransmitAfter(timers.t1);
    this.#lifetime = setTimeout(() => this.#giveUp(408), 64 * timers.t1);
  }

  receive(response: SipResponse): void {
    if (this.#state === 'terminated') return;
    if (response.status < 200) {
      if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
      this.#state = 'proceeding';
      if (this.#invite) {
        // Timer A stops, and with a provisional the caller decides how long to wait (section 17.1.1.2).
        clearTimeout(this.#retransmit);
        clearTimeout(this.#lifetime);
      }
      this.#options.onResponse(response, false);
      return;
    }
    if (this.#invite && response.status < 300) {
      if (this.#state === 'completed') return;
      const first = this.#state !== 'accepted';
      this.#state = 'accepted';
      if (first) this.#lingerThenEnd(64 * this.#options.timers.t1);
      this.#options.onResponse(response, false);
      return;
    }
    if (this.#state === 'completed' || this.#state === 'accepted') {
      if (this.#ack && this.#state === 'completed') this.#send(this.#ack);
      return;
    }
    this.#state = 'completed';
    if (this.#invite) {
      this.#ack = serialize(ackForRefusal(this.request, response));
      this.#send(this.#ack);
    }
    this.#lingerThenEnd(this.#options.reliable ? 0 : this.#invite ? 64 * this.#options.timers.t1 : 5000);
    this.#options.onResponse(response, false);
  }

  close(): void {
    clearTimeout(this.#retransmit);
    clearTimeout(this.#lifetime);
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#options.onDone();
  }

  #send(data: Buffer): void {
    this.#options.transmit(data).catch(() => this.#giveUp(503));
  }

  #giveUp(status: 408 | 503): void {
    if (this.#state !== 'calling' && this.#state !== 'proceeding') {
      this.close();
      return;
    }
    this.close();
    this.#options.onResponse(localResponse(this.request, status), true);
  }

  #retransmitAfter(ms: number): void {
    this.#retransmit = setTimeout(() => {
      this.retransmissions++;
      this.#send(serialize(this.request));
      // Timer A doubles for ever; timer E is capped at T2 (sections 17.1.1.2, 17.1.2.2).
      this.#retransmitAfter(this.#invite ? ms * 2 : Math.min(ms * 2, this.#options.timers.t2));
    }, ms);
  }

  #lingerThenEnd(ms: number): void {
    clearTimeout(this.#retransmit);
    clearTimeout(this.#lifetime);
    if (ms === 0) this.close();
    else {
      this.#lifetime = setTimeout(() => this.close(), ms);
      // A finished transaction only waits for stragglers; it must not hold the process open.
      this.#lifetime.unref();
    }
  }
}

/** ACK of a final response that is not 2xx: same branch as the INVITE, To from the response (section 17.1.1.3). */
function ackForRefusal(invite: SipRequest, response: SipResponse): SipRequest {
  const keep = invite.headers.filter((h) => /^(from|call-id|route|max-forwards)$/i.test(h.name));
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: [
      { name: 'Via', value: header(invite, 'via')! },
      ...keep,
      { name: 'To', value: header(response, 'to') ?? header(invite, 'to')! },
      { name: 'CSeq', value: `${header(invite, 'cseq')!.split(' ')[0]} ACK` },
    ],
    body: '',
  };
}

export interface ServerTransactionOptions {
  readonly request: SipRequest;
  readonly reliable: boolean;
  readonly timers: SipTimers;
  readonly transmit: (data: Buffer) => void;
  readonly onDone: () => void;
}

/**
 * Server transaction of either kind (sections 17.2.1, 17.2.2). A 2xx to an INVITE is repeated by the dialog's owner
 * until the ACK comes (section 13.3.1.4), through `resend`.
 */
export class ServerTransaction {
  readonly request: SipRequest;
  readonly #options: ServerTransactionOptions;
  #last: Buffer | undefined;
  #finalStatus: number | undefined;
  #repeat: NodeJS.Timeout | undefined;
  #lifetime: NodeJS.Timeout | undefined;
  #done = false;

  constructor(options: ServerTransactionOptions) {
    this.request = options.request;
    this.#options = options;
  }

  get answered(): boolean {
    return this.#finalStatus !== undefined;
  }

  get refused(): boolean {
    return this.#finalStatus !== undefined && this.#finalStatus >= 300;
  }

  respond(response: SipResponse): void {
    if (this.#done || this.#finalStatus !== undefined) return;
    this.#last = serialize(response);
    this.#options.transmit(this.#last);
    if (response.status < 200) return;
    this.#finalStatus = response.status;
    const { timers, reliable } = this.#options;
    this.#lifetime = setTimeout(() => this.close(), 64 * timers.t1);
    this.#lifetime.unref();
    if (this.request.method === 'INVITE' && response.status >= 300 && !reliable) this.#repeatAfter(timers.t1);
  }

  /** The same request came again. */
  receiveAgain(): void {
    if (this.#last && !this.#done) this.#options.transmit(this.#last);
  }

  resend(): void {
    this.receiveAgain();
  }

  /** The ACK of a refused INVITE. */
  receiveAck(): void {
    clearTimeout(this.#repeat);
  }

  close(): void {
    clearTimeout(this.#repeat);
    clearTimeout(this.#lifetime);
    if (this.#done) return;
    this.#done = true;
    this.#options.onDone();
  }

  #repeatAfter(ms: number): void {
    this.#repeat = setTimeout(() => {
      this.receiveAgain();
      this.#repeatAfter(Math.min(ms * 2, this.#options.timers.t2));
    }, ms);
    this.#repeat.unref();
  }
}

/** Tag of a From or To header; undefined when it has none. */
export function tagOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseNameAddr(value).params.get('tag');
}
