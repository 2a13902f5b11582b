import type { SipEndpoint } from './sip-endpoint.ts';
import {
  cseq,
  header,
  headerList,
  parseNameAddr,
  parseUri,
  type SipHeader,
  type SipRequest,
  type SipResponse,
} from './sip-message.ts';
import { tagOf } from './sip-transactions.ts';
import type { Address } from './sip-wire.ts';

/** Where a URI or route leads without DNS beyond a host look-up. */
export function addressOf(uri: string): Address {
  const { host, port } = parseUri(uri);
  return { address: host, port: port ?? 5060 };
}

/** RFC 3261 section 12: what both ends remember of each other. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From and To values of requests this side sends, tags included. */
  readonly #local: string;
  readonly #remote: string;
  readonly #contact: string;
  readonly routeSet: readonly string[];
  remoteTarget: string;
  localSequence: number;
  remoteSequence: number | undefined;

  private constructor(facts: {
    callId: string;
    local: string;
    remote: string;
    contact: string;
    routeSet: readonly string[];
    remoteTarget: string;
    localSequence: number;
    remoteSequence: number | undefined;
  }) {
    this.callId = facts.callId;
    this.#local = facts.local;
    this.#remote = facts.remote;
    this.#contact = facts.contact;
    this.localTag = tagOf(facts.local) ?? '';
    this.remoteTag = tagOf(facts.remote) ?? '';
    this.routeSet = facts.routeSet;
    this.remoteTarget = facts.remoteTarget;
    this.localSequence = facts.localSequence;
    this.remoteSequence = facts.remoteSequence;
  }

  /** Caller's side, from its INVITE and a 1xx with tag or a 2xx: the route set is Record-Route reversed (12.1.2). */
  static ofCaller(invite: SipRequest, response: SipResponse): Dialog {
    return new Dialog({
      callId: header(invite, 'call-id')!,
      local: header(invite, 'from')!,
      remote: header(response, 'to')!,
      contact: header(invite, 'contact')!,
      routeSet: headerList(response, 'record-route').reverse(),
      remoteTarget: contactOf(response) ?? invite.uri,
      localSequence: cseq(invite).number,
      remoteSequence: undefined,
    });
  }

  /** Called side, from the INVITE it answers (12.1.1). */
  static ofCalled(invite: SipRequest, localTag: string, contact: string): Dialog {
    return new Dialog({
      callId: header(invite, 'call-id')!,
      local: `${header(invite, 'to')!};tag=${localTag}`,
      remote: header(invite, 'from')!,
      contact,
      routeSet: headerList(invite, 'record-route'),
      remoteTarget: contactOf(invite) ?? parseNameAddr(header(invite, 'from')!).uri,
      localSequence: 0,
      remoteSequence: cseq(invite).number,
    });
  }

  /** A request inside the dialog and where it goes. ACK takes the INVITE's number (12.2.1.1, 13.2.2.4). */
  request(
    endpoint: SipEndpoint,
    method: string,
    options: { sequence?: number; headers?: readonly SipHeader[]; body?: string } = {},
  ): { request: SipRequest; to: Address } {
    const sequence = options.sequence ?? ++this.localSequence;
    const first = this.routeSet[0];
    const firstUri = first === undefined ? undefined : parseNameAddr(first).uri;
    const strict = firstUri !== undefined && !parseUri(firstUri).params.has('lr');
    const routes = strict ? [...this.routeSet.slice(1), `<${this.remoteTarget}>`] : this.routeSet;
    const request: SipRequest = {
      kind: 'request',
      method,
      uri: strict ? firstUri : this.remoteTarget,
      headers: [
        { name: 'Via', value: endpoint.via() },
        { name: 'Max-Forwards', value: '70' },
        ...routes.map((value) => ({ name: 'Route', value })),
        { name: 'From', value: this.#local },
        { name: 'To', value: this.#remote },
        { name: 'Call-ID', value: this.callId },
        { name: 'CSeq', value: `${sequence} ${method}` },
        ...(method === 'BYE' ? [] : [{ name: 'Contact', value: this.#contact }]),
        ...(options.headers ?? []),
      ],
      body: options.body ?? '',
    };
    return { request, to: addressOf(firstUri ?? this.remoteTarget) };
  }

  /** Target refresh by re-INVITE or UPDATE (12.2.1.2, 12.2.2). */
  refreshTarget(message: SipRequest | SipResponse): void {
    this.remoteTarget = contactOf(message) ?? this.remoteTarget;
  }
}

function contactOf(message: SipRequest | SipResponse): string | undefined {
  const value = headerList(message, 'contact')[0];
  return value === undefined ? undefined : parseNameAddr(value).uri;
}
