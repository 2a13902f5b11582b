import { monotonicNow } from '../../../src/core/clock.ts';
import { Dialog } from './sip-dialog.ts';
import { type SipEndpoint, token } from './sip-endpoint.ts';
import { cseq, header, responseTo, type SipHeader, type SipRequest, type SipResponse } from './sip-message.ts';
import { type ClientTransaction, type ServerTransaction, tagOf } from './sip-transactions.ts';
import type { Address } from './sip-wire.ts';

export interface CallEnd {
  readonly by: 'us' | 'far-end' | 'network';
  readonly how: 'bye' | 'cancel' | 'refused' | 'timeout' | 'no-ack' | 'closed';
  readonly at: number;
  /** Final status of a call that was never answered. */
  readonly status?: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

/** What the owner of a call supplies and is told. */
export interface CallHandlers {
  /** 1xx above 100 to our INVITE. */
  onProgress?(response: SipResponse): void;
  /** SDP of the far end: the answer to ours, or an offer in a re-INVITE, UPDATE or delayed-offer 200. */
  onRemoteSdp(sdp: string, kind: 'answer' | 'offer'): void;
  /** Our answer to the far end's offer, or our offer when it asks for one. */
  localSdp(kind: 'answer' | 'offer'): string;
  /** An in-dialog request was answered; for logs and tests. */
  onInDialog?(request: SipRequest): void;
  /** The far end asks to call somebody else: the status it is answered with. Default 603. */
  onRefer?(request: SipRequest): number;
  onEnd(end: CallEnd): void;
}

export interface InviteOptions {
  /** Request-URI and To. */
  readonly to: string;
  /** From, e.g. `"Ann" <sip:+15550100@example.com>`; a tag is added. */
  readonly from: string;
  readonly contactUser: string;
  readonly nextHop: Address;
  /** Left out: delayed offer, our SDP goes in the ACK. */
  readonly sdp: string | undefined;
  readonly headers?: readonly SipHeader[];
}

const ALLOW: SipHeader = { name: 'Allow', value: 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, NOTIFY, REFER' };
const SDP_TYPE: SipHeader = { name: 'Content-Type', value: 'application/sdp' };

type State = 'calling' | 'cancelling' | 'ringing' | 'established' | 'ended';

/** One call's signalling, from either side. Legal moves: calling -> [cancelling] -> established -> ended; ringing -> established -> ended. */
export class SipCall {
  readonly callId: string;
  readonly endpoint: SipEndpoint;
  inviteSentAt: number | undefined;
  answeredAt: number | undefined;
  ackSentAt: number | undefined;
  /** Repeated 200s seen, each answered with the same ACK. */
  repeatedAnswers = 0;
  #state: State;
  #dialog: Dialog | undefined;
  readonly #handlers: CallHandlers;
  #invite: ClientTransaction | undefined;
  #incoming: ServerTransaction | undefined;
  #ack: { message: SipRequest; to: Address } | undefined;
  #nextHop: Address | undefined;
  #provisional = false;
  readonly #localTag: string;
  #contact: string;
  #awaitingAck: NodeJS.Timeout | undefined;

  private constructor(endpoint: SipEndpoint, callId: string, state: State, contact: string, handlers: CallHandlers) {
    this.endpoint = endpoint;
    this.callId = callId;
    this.#state = state;
    this.#contact = contact;
    this.#localTag = token();
    this.#handlers = handlers;
  }

  get state(): State {
    return this.#state;
  }

  get dialog(): Dialog | undefined {
    return this.#dialog;
  }

  /** Sends the INVITE; what becomes of it is told through the handlers. */
  static invite(endpoint: SipEndpoint, options: InviteOptions, handlers: CallHandlers): SipCall {
    const contact = `<${endpoint.contact(options.contactUser)}>`;
    const call = new SipCall(endpoint, `${token(12)}@${endpoint.wire.local.address}`, 'calling', contact, handlers);
    const request: SipRequest = {
      kind: 'request',
      method: 'INVITE',
      uri: options.to,
      headers: [
        { name: 'Via', value: endpoint.via() },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: `${options.from};tag=${call.#localTag}` },
        { name: 'To', value: `<${options.to}>` },
        { name: 'Call-ID', value: call.callId },
        { name: 'CSeq', value: '1 INVITE' },
        { name: 'Contact', value: contact },
        ALLOW,
        { name: 'User-Agent', value: 'svc-test-phone' },
        ...(options.headers ?? []),
        ...(options.sdp === undefined ? [] : [SDP_TYPE]),
      ],
      body: options.sdp ?? '',
    };
    call.#nextHop = options.nextHop;
    call.inviteSentAt = monotonicNow();
    call.#invite = endpoint.request(request, options.nextHop, (response) => call.#onInviteResponse(request, response));
    return call;
  }

  /** Takes an INVITE that came in; the owner then rings, answers or refuses. */
  static incoming(
    endpoint: SipEndpoint,
    transaction: ServerTransaction,
    contactUser: string,
    handlers: CallHandlers,
  ): SipCall {
    const callId = header(transaction.request, 'call-id') ?? '';
    const call = new SipCall(endpoint, callId, 'ringing', `<${endpoint.contact(contactUser)}>`, handlers);
    call.#incoming = transaction;
    call.#dialog = Dialog.ofCalled(transaction.request, call.#localTag, call.#contact);
    return call;
  }

  /** 180, or 183 with SDP. */
  ring(sdp?: string): void {
    if (this.#state !== 'ringing') return;
    this.#respond(sdp === undefined ? 180 : 183, sdp === undefined ? 'Ringing' : 'Session Progress', { sdp });
  }

  /** 200 with SDP, repeated until the ACK comes (section 13.3.1.4). */
  answer(sdp: string): void {
    if (this.#state !== 'ringing') return;
    this.#state = 'established';
    this.answeredAt = monotonicNow();
    this.#respond(200, 'OK', { sdp });
    this.#repeatAnswer(this.#incoming!);
  }

  refuse(status: number, reason: string, headers: readonly SipHeader[] = []): void {
    if (this.#state !== 'ringing') return;
    this.#respond(status, reason, { headers });
    this.#end({ by: 'us', how: 'refused', status, reason });
  }

  /** CANCEL before the answer, BYE after it, refusal of a ringing call. Resolves when the far end has confirmed. */
  async hangup(): Promise<void> {
    if (this.#state === 'calling') return this.cancel();
    if (this.#state === 'ringing') return this.refuse(486, 'Busy Here');
    if (this.#state !== 'established') return;
    this.#end({ by: 'us', how: 'bye' });
    await this.#inDialog('BYE');
  }

  /** Gives up a call that has not been answered; CANCEL waits for a provisional (section 9.1). */
  cancel(): void {
    if (this.#state !== 'calling') return;
    this.#state = 'cancelling';
    if (this.#provisional) this.#sendCancel();
  }

  /** re-INVITE with our SDP. Resolves with the final response, after its ACK. */
  async reinvite(sdp: string): Promise<SipResponse> {
    const { request, to } = this.#build('INVITE', { headers: [ALLOW, SDP_TYPE], body: sdp });
    return new Promise((resolve) => {
      this.endpoint.request(request, to, (response) => {
        if (response.status < 200) return;
        if (response.status < 300) {
          this.#dialog?.refreshTarget(response);
          this.#acknowledge(cseq(request).number);
          if (response.body !== '') this.#handlers.onRemoteSdp(response.body, 'answer');
        }
        resolve(response);
      });
    });
  }

  /** Any other request inside the dialog, e.g. INFO or OPTIONS. Resolves with the final response. */
  request(method: string, headers: readonly SipHeader[] = [], body = ''): Promise<SipResponse> {
    return this.#inDialog(method, headers, body);
  }

  /** A request that the endpoint received for this call. */
  receive(request: SipRequest, transaction: ServerTransaction | undefined): void {
    if (request.method === 'ACK') {
      this.#onAck(request);
      return;
    }
    if (transaction === undefined) return;
    const reply = (status: number, reason: string, headers: readonly SipHeader[] = [], body = '') =>
      transaction.respond(
        responseTo(request, status, reason, {
          toTag: this.#localTag,
          headers: [
            ...(/^(INVITE|UPDATE)$/.test(request.method) ? [{ name: 'Contact', value: this.#contact }] : []),
            ...headers,
          ],
          body,
        }),
      );
    if (request.method === 'CANCEL') {
      this.#onCancel(reply);
      return;
    }
    const dialog = this.#dialog;
    const sequence = cseq(request).number;
    // Both ends may hang up at once; the second BYE finds the call gone, which is what it asked for.
    if (this.#state === 'ended' && dialog && request.method === 'BYE') {
      reply(200, 'OK');
      return;
    }
    if (this.#state !== 'established' || !dialog) {
      reply(481, 'Call/Transaction Does Not Exist');
      return;
    }
    // Section 12.2.2: out of order.
    if (dialog.remoteSequence !== undefined && sequence <= dialog.remoteSequence) {
      reply(500, 'Server Internal Error');
      return;
    }
    dialog.remoteSequence = sequence;
    this.#handlers.onInDialog?.(request);
    switch (request.method) {
      case 'BYE':
        reply(200, 'OK');
        this.#end({ by: 'far-end', how: 'bye', reason: header(request, 'reason') });
        return;
      case 'INVITE':
      case 'UPDATE': {
        dialog.refreshTarget(request);
        const offered = request.body !== '';
        if (offered) this.#handlers.onRemoteSdp(request.body, 'offer');
        if (!offered && request.method === 'UPDATE') {
          reply(200, 'OK', [ALLOW]);
          return;
        }
        reply(200, 'OK', [ALLOW, SDP_TYPE], this.#handlers.localSdp(offered ? 'answer' : 'offer'));
        if (request.method === 'INVITE') this.#repeatAnswer(transaction);
        return;
      }
      case 'OPTIONS':
        reply(200, 'OK', [ALLOW, { name: 'Accept', value: 'application/sdp' }]);
        return;
      case 'INFO':
      case 'NOTIFY':
      case 'MESSAGE':
        reply(200, 'OK');
        return;
      case 'REFER':
        reply(this.#handlers.onRefer?.(request) ?? 603, 'Answered');
        return;
      default:
        reply(501, 'Not Implemented');
        return;
    }
  }

  /** Forgets the call without a word to the far end. */
  abandon(): void {
    this.#end({ by: 'us', how: 'closed' });
  }

  #onInviteResponse(invite: SipRequest, response: SipResponse): void {
    if (response.status < 200) {
      this.#onProvisional(response);
      return;
    }
    if (response.status >= 300) {
      this.#onRefusal(response);
      return;
    }
    const tag = tagOf(header(response, 'to'));
    if (this.#state === 'established' || this.#state === 'ended') {
      if (tag === this.#dialog?.remoteTag) {
        this.repeatedAnswers++;
        if (this.#ack) void this.endpoint.send(this.#ack.message, this.#ack.to).catch(() => {});
      } else this.#refuseFork(Dialog.ofCaller(invite, response));
      return;
    }
    const cancelled = this.#state === 'cancelling';
    this.#state = 'established';
    this.answeredAt = monotonicNow();
    this.#dialog = Dialog.ofCaller(invite, response);
    const delayed = invite.body === '';
    if (response.body !== '') this.#handlers.onRemoteSdp(response.body, delayed ? 'offer' : 'answer');
    this.#ack = this.#acknowledge(cseq(invite).number, delayed ? this.#handlers.localSdp('answer') : '');
    this.ackSentAt = monotonicNow();
    // The CANCEL crossed the 200: the call exists, so it is ended with BYE (section 9.1).
    if (cancelled) void this.hangup();
  }

  #onProvisional(response: SipResponse): void {
    this.#provisional = true;
    if (this.#state === 'cancelling') this.#sendCancel();
    else if (response.status > 100) this.#handlers.onProgress?.(response);
  }

  #onRefusal(response: SipResponse): void {
    if (this.#state === 'established') return;
    const retryAfter = /^\d+/.exec(header(response, 'retry-after') ?? '')?.[0];
    this.#end({
      by:
        this.#state === 'cancelling'
          ? 'us'
          : response.status === 408 || response.status === 503
            ? 'network'
            : 'far-end',
      how: this.#state === 'cancelling' ? 'cancel' : response.status === 408 ? 'timeout' : 'refused',
      status: response.status,
      reason: response.reason,
      retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
    });
  }

  #sendCancel(): void {
    const invite = this.#invite?.request;
    if (!invite || !this.#nextHop) return;
    const keep = invite.headers.filter((h) => /^(via|from|to|call-id|route|max-forwards)$/i.test(h.name));
    const headers = [...keep, { name: 'CSeq', value: `${cseq(invite).number} CANCEL` }];
    this.#invite = undefined;
    this.endpoint.request({ ...invite, method: 'CANCEL', headers, body: '' }, this.#nextHop, () => {});
  }

  #onCancel(reply: (status: number, reason: string) => void): void {
    if (this.#state !== 'ringing') {
      reply(200, 'OK');
      return;
    }
    reply(200, 'OK');
    this.#respond(487, 'Request Terminated', {});
    this.#end({ by: 'far-end', how: 'cancel', status: 487 });
  }

  #onAck(request: SipRequest): void {
    clearTimeout(this.#awaitingAck);
    this.#awaitingAck = undefined;
    if (request.body !== '') this.#handlers.onRemoteSdp(request.body, 'answer');
  }

  #repeatAnswer(transaction: ServerTransaction): void {
    const { t1, t2 } = this.endpoint.timers;
    const deadline = monotonicNow() + 64 * t1;
    const again = (ms: number): void => {
      this.#awaitingAck = setTimeout(() => {
        if (monotonicNow() > deadline) {
          this.#end({ by: 'network', how: 'no-ack' });
          void this.#inDialog('BYE');
          return;
        }
        transaction.resend();
        again(Math.min(ms * 2, t2));
      }, ms);
    };
    clearTimeout(this.#awaitingAck);
    again(t1);
  }

  #respond(status: number, reason: string, more: { sdp?: string; headers?: readonly SipHeader[] }): void {
    const transaction = this.#incoming;
    if (!transaction) return;
    transaction.respond(
      responseTo(transaction.request, status, reason, {
        toTag: this.#localTag,
        headers: [
          { name: 'Contact', value: this.#contact },
          ALLOW,
          ...(more.headers ?? []),
          ...(more.sdp === undefined ? [] : [SDP_TYPE]),
        ],
        body: more.sdp,
      }),
    );
  }

  #build(method: string, options: { sequence?: number; headers?: readonly SipHeader[]; body?: string }) {
    if (!this.#dialog) throw new Error(`${method} needs an established call`);
    return this.#dialog.request(this.endpoint, method, options);
  }

  #acknowledge(sequence: number, body = ''): { message: SipRequest; to: Address } {
    const { request, to } = this.#build('ACK', { sequence, headers: body === '' ? [] : [SDP_TYPE], body });
    void this.endpoint.send(request, to).catch(() => {});
    return { message: request, to };
  }

  #inDialog(method: string, headers: readonly SipHeader[] = [], body = ''): Promise<SipResponse> {
    const { request, to } = this.#build(method, { headers, body });
    return new Promise((resolve) => {
      this.endpoint.request(request, to, (response) => {
        if (response.status >= 200) resolve(response);
      });
    });
  }

  #refuseFork(dialog: Dialog): void {
    for (const method of ['ACK', 'BYE'] as const) {
      const { request, to } = dialog.request(this.endpoint, method, method === 'ACK' ? { sequence: 1 } : {});
      if (method === 'ACK') void this.endpoint.send(request, to).catch(() => {});
      else this.endpoint.request(request, to, () => {});
    }
  }

  #end(end: Omit<CallEnd, 'at'>): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#awaitingAck);
    this.#handlers.onEnd({ ...end, at: monotonicNow() });
  }
}
