import { randomUUID } from 'node:crypto';
import { newTag } from '../identifiers.ts';
import { SipRequest } from '../message/message.ts';
import { addressOf, parseSipUri } from '../message/uri.ts';
import { parseNameAddr } from '../message/values.ts';
import type { Flow } from '../transport/flow.ts';
import { hopOf } from '../transport/next-hop.ts';
import { contactUri, type Stack } from './stack.ts';

export interface OutgoingOptions {
  /** From, as a header value: `"Name" <sip:user@host>`. Default: anonymous at our own address. */
  from?: string;
  /** Route set to start with, e.g. `['<sip:proxy.example;lr>']`. */
  routes?: readonly string[];
  headers?: Readonly<Record<string, string>>;
  /** User part of our Contact. Default: that of From. */
  contactUser?: string | undefined;
  /** See TransportLayer.route: the way to a client that can be reached by no other is its WebSocket (RFC 7118 5). */
  hint?: Flow | undefined;
}

/** A request of ours that is ready but for its Via. */
export interface Outgoing {
  request: SipRequest;
  /** Contact for a dialog it may make, as a header value. */
  contact: string;
  /** The URI it is sent to: the first route, else the Request-URI. */
  nextHop: string;
  /** Where this peer reaches us; IPv6 without brackets. */
  place: CallPlace;
}

/** Our side of a call that is being made, as the peer reaches it: for the session description. */
export interface CallPlace {
  localAddress: string;
  /** Address to bind media sockets to. */
  bindAddress: string;
  /** The Call-ID of its INVITE. */
  callId: string;
  /** The way there is encrypted. */
  secure: boolean;
}

/** A request outside of dialogs (RFC 3261 8.1.1). @throws Failure when there is no way there */
export async function outgoingRequest(
  stack: Stack,
  method: string,
  uri: string,
  options: OutgoingOptions,
): Promise<Outgoing> {
  const routes = options.routes ?? [];
  const nextHop = routes[0] === undefined ? uri : parseNameAddr(routes[0]).uri;
  // The flow is chosen again when the request is sent; here it says which address of ours the peer will see.
  const flow = await stack.transports.route(hopOf(parseSipUri(nextHop)), 0, options.hint);
  const address = await stack.transports.addressFor(flow);
  const fromValue = options.from ?? `"Anonymous" <sip:anonymous@${address.host}>`;
  const request = new SipRequest(method, uri);
  const { headers } = request;
  for (const route of routes) headers.append('Route', route);
  headers.append('Max-Forwards', '70');
  headers.append('From', `${fromValue};tag=${newTag()}`);
  headers.append('To', `<${uri}>`);
  headers.append('Call-ID', randomUUID());
  headers.append('CSeq', `${Math.floor(Math.random() * 10_000) + 1} ${method}`);
  headers.append('User-Agent', stack.product);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  const from = parseNameAddr(fromValue);
  const user = options.contactUser ?? (from.uri.startsWith('sip') ? parseSipUri(from.uri).user : undefined);
  const place = {
    localAddress: addressOf(address.host),
    bindAddress: stack.transports.bindAddressFor(flow),
    secure: flow.secure,
    callId: headers.get('call-id') ?? '',
  };
  return { request, contact: contactUri(user, address, flow, uri.startsWith('sips:')), nextHop, place };
}
