import type { DialRequest } from '../../call/legs/dialler.ts';
import { NO_PARAMS } from '../../sip/message/params.ts';
import { formatSipUri, type SipUri } from '../../sip/message/uri.ts';
import { formatNameAddr } from '../../sip/message/values.ts';
import type { OutgoingOptions } from '../../sip/session/outgoing-request.ts';
import { type Dialled, rewritten } from './destination.ts';
import type { Gateway } from './gateway.ts';

/** What the INVITE of a call by this gateway says. `shown`: the number it shows, rewritten; undefined for none. */
export function invitation(
  gateway: Gateway,
  dialled: Dialled,
  shown: string | undefined,
  request: Pick<DialRequest, 'displayName' | 'headers'>,
): { uri: string; options: Required<Pick<OutgoingOptions, 'from' | 'routes' | 'headers'>> } {
  const { from } = gateway;
  const uri = requestUri(gateway, dialled);
  const domain = from.domain ?? gateway.to ?? (dialled.kind === 'uri' ? dialled.uri : undefined);
  const identity = formatSipUri({
    scheme: 'sip',
    user: escapedUser(shown ?? gateway.user ?? 'anonymous'),
    password: undefined,
    host: domain?.host ?? 'anonymous.invalid',
    port: undefined,
    params: NO_PARAMS,
    headers: '',
  });
  const displayName = request.displayName ?? from.displayName;
  const headers: Record<string, string> = { ...gateway.headers, ...request.headers };
  if (from.assert && shown !== undefined) headers['P-Asserted-Identity'] = `<${identity}>`;
  if (from.private) headers.Privacy = 'id';
  return {
    uri,
    options: {
      // RFC 3323 4.1.1.3: what stands where nobody is to be known.
      from: from.private
        ? '"Anonymous" <sip:anonymous@anonymous.invalid>'
        : formatNameAddr({ displayName, uri: identity, params: NO_PARAMS }),
      routes: routesOf(gateway),
      headers,
    },
  };
}

function requestUri(gateway: Gateway, dialled: Dialled): string {
  if (dialled.kind === 'uri') return dialled.text;
  // A gateway that serves numbers has a place for them: the schema sees to it.
  return formatSipUri({ ...gateway.to!, user: escapedUser(rewritten(dialled.number, gateway.rewrite)) });
}

/** RFC 3261 25.1: `#` has to be escaped in a user part, and so has whatever else a name may hold. */
export function escapedUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g, (char) => encodeURIComponent(char));
}

/** The Route that a gateway's requests take; empty without a proxy. */
export function routesOf({ proxy }: Gateway): string[] {
  return proxy === undefined ? [] : [looseRoute(proxy)];
}

/** As a Route header value. */
export function looseRoute(proxy: SipUri): string {
  return `<${formatSipUri({ ...proxy, params: proxy.params.without('lr').with('lr', undefined) })}>`;
}
