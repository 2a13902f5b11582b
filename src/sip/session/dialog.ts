import { sipFailure } from '../errors.ts';
import { MAGIC_COOKIE } from '../identifiers.ts';
import { type SipMessage, SipRequest, type SipResponse } from '../message/message.ts';
import { formatSipUri, parseSipUri } from '../message/uri.ts';
import { formatNameAddr, type NameAddr, parseNameAddr } from '../message/values.ts';

export type DialogState = 'early' | 'confirmed' | 'terminated';

const LEGAL: Readonly<Record<DialogState, readonly DialogState[]>> = {
  early: ['confirmed', 'terminated'],
  confirmed: ['terminated'],
  terminated: [],
};

interface DialogFacts {
  initiator: boolean;
  callId: string;
  localTag: string;
  /** '' for an RFC 2543 peer without tags. */
  remoteTag: string;
  /** From or To without its tag. */
  local: NameAddr;
  remote: NameAddr;
  remoteTarget: string;
  /** In the order of sending. */
  routeSet: readonly string[];
  localSeq: number;
  remoteSeq: number | undefined;
}

/** The state of one dialog (RFC 3261 section 12). Knows nothing of sockets, timers or media. */
export class Dialog {
  /** Did we send the INVITE? Then the Call-ID is ours. */
  readonly initiator: boolean;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly local: NameAddr;
  readonly remote: NameAddr;
  #state: DialogState = 'early';
  #remoteTarget: string;
  #routeSet: readonly string[];
  #localSeq: number;
  #remoteSeq: number | undefined;

  private constructor(facts: DialogFacts) {
    // A route nobody can parse would only be found at the BYE.
    readRoutes(facts.routeSet);
    this.initiator = facts.initiator;
    this.callId = facts.callId;
    this.localTag = facts.localTag;
    this.remoteTag = facts.remoteTag;
    this.local = facts.local;
    this.remote = facts.remote;
    this.#remoteTarget = facts.remoteTarget;
    this.#routeSet = facts.routeSet;
    this.#localSeq = facts.localSeq;
    this.#remoteSeq = facts.remoteSeq;
  }

  /** As the one called (12.1.1). @throws Failure 400 for an INVITE without a usable Contact */
  static uas(invite: SipRequest, localTag: string): Dialog {
    return new Dialog({
      initiator: false,
      callId: invite.callId,
      localTag,
      remoteTag: invite.fromTag ?? '',
      local: untagged(invite.to),
      remote: untagged(invite.from),
      remoteTarget: isOldPeer(invite) ? invite.from.uri : targetOf(invite),
      routeSet: invite.headers.list('record-route'),
      localSeq: Math.floor(Math.random() * 10_000) + 1,
      remoteSeq: invite.cseq.number,
    });
  }

  /**
   * As the caller (12.1.2). A response whose Contact is missing or cannot be read is answered where the INVITE went, so
   * that nobody is left with a call that is never acknowledged. @throws Failure 400 for a Record-Route nobody can read
   */
  static uac(invite: SipRequest, response: SipResponse): Dialog {
    return new Dialog({
      initiator: true,
      callId: invite.callId,
      localTag: invite.fromTag ?? '',
      remoteTag: response.toTag ?? '',
      local: untagged(invite.from),
      remote: untagged(invite.to),
      remoteTarget: readableTarget(response) ?? invite.uri,
      routeSet: response.headers.list('record-route').reverse(),
      localSeq: invite.cseq.number,
      remoteSeq: undefined,
    });
  }

  get state(): DialogState {
    return this.#state;
  }

  get remoteTarget(): string {
    return this.#remoteTarget;
  }

  /** What identifies the dialog in messages of the peer. */
  get key(): string {
    return dialogKey(this.callId, this.localTag, this.remoteTag);
  }

  /** URI the next request is sent to: the first route whether loose or strict, else the peer's Contact. */
  get nextHop(): string {
    const first = this.#routeSet[0];
    return first === undefined ? this.#remoteTarget : parseNameAddr(first).uri;
  }

  /** @throws Failure for a move that is not in the table: a fault of ours */
  move(to: DialogState): void {
    if (!LEGAL[this.#state].includes(to)) {
      throw sipFailure(500, 'sip-illegal-transition', `dialog cannot go from ${this.#state} to ${to}`);
    }
    this.#state = to;
  }

  /** A 2xx settles the route set anew (13.2.2.4); until then early responses only proposed one. */
  confirm(response: SipResponse): void {
    if (this.#state === 'early') this.move('confirmed');
    const routes = response.headers.list('record-route').reverse();
    // What nobody can read leads nowhere: by what the early responses proposed the ACK may still get there.
    if (isReadable(routes)) this.#routeSet = routes;
    this.refreshTarget(response);
  }

  /**
   * Target refresh by INVITE or UPDATE and their 2xx (12.2): the peer has moved. With a Contact that nobody can read it
   * has not: what it asks for, or has agreed to, holds all the same.
   */
  refreshTarget(message: SipMessage): void {
    this.#remoteTarget = readableTarget(message) ?? this.#remoteTarget;
  }

  /** Takes the CSeq of a request of the peer; false when it is out of order and has to be answered 500 (12.2.2). */
  takeRemoteSeq(number: number): boolean {
    if (this.#remoteSeq !== undefined && number < this.#remoteSeq) return false;
    this.#remoteSeq = number;
    return true;
  }

  /** A request inside the dialog, without Via and Contact (12.2.1.1). An ACK takes the CSeq of its INVITE. */
  request(method: string, ackOf?: number): SipRequest {
    const number = ackOf ?? ++this.#localSeq;
    const { uri, routes } = this.#route();
    const request = new SipRequest(method, uri);
    const { headers } = request;
    for (const route of routes) headers.append('Route', route);
    headers.append('Max-Forwards', '70');
    headers.append('From', formatNameAddr(tagged(this.local, this.localTag)));
    headers.append('To', formatNameAddr(tagged(this.remote, this.remoteTag)));
    headers.append('Call-ID', this.callId);
    headers.append('CSeq', `${number} ${method}`);
    return request;
  }

  /** Loose: the target stands in the Request-URI. A strict first router wants to stand there itself (12.2.1.1). */
  #route(): { uri: string; routes: readonly string[] } {
    const first = this.#routeSet[0];
    if (first === undefined) return { uri: this.#remoteTarget, routes: [] };
    const hop = parseSipUri(parseNameAddr(first).uri);
    if (hop.params.has('lr')) return { uri: this.#remoteTarget, routes: this.#routeSet };
    const uri = formatSipUri({ ...hop, params: hop.params.without('method'), headers: '' });
    return { uri, routes: [...this.#routeSet.slice(1), `<${this.#remoteTarget}>`] };
  }
}

export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

/** The Contact as a Request-URI may have it: without header fields (19.1.1 table 1). */
function targetOf(message: SipMessage): string {
  const contact = message.contact;
  if (contact === undefined) throw sipFailure(400, 'sip-no-contact', 'Contact is missing');
  const uri = parseSipUri(contact.uri);
  return formatSipUri({ ...uri, params: uri.params.without('method'), headers: '' });
}

/** @throws Failure 400 for a route that cannot be read */
function readRoutes(routes: readonly string[]): void {
  for (const route of routes) parseSipUri(parseNameAddr(route).uri);
}

function isReadable(routes: readonly string[]): boolean {
  try {
    readRoutes(routes);
    return true;
  } catch {
    return false;
  }
}

function readableTarget(message: SipMessage): string | undefined {
  try {
    return targetOf(message);
  } catch {
    return undefined;
  }
}

/** RFC 2543 did not ask for a Contact: such a peer is called back where it says it is (RFC 4475 3.4.1). */
function isOldPeer(invite: SipRequest): boolean {
  return invite.contact === undefined && !(invite.via.params.get('branch') ?? '').startsWith(MAGIC_COOKIE);
}

function untagged(address: NameAddr): NameAddr {
  return { ...address, params: address.params.without('tag') };
}

function tagged(address: NameAddr, tag: string): NameAddr {
  return tag === '' ? address : { ...address, params: address.params.with('tag', tag) };
}
