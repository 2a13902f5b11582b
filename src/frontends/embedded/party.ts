import type { Party } from '../../call/legs/call-leg.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import { decodedUser, parseSipUri, type SipUri, schemeOf } from '../../sip/message/uri.ts';

/** User part without its parameters (`+1555;phone-context=...`), escapes resolved. */
export function userPart(uri: SipUri): string | undefined {
  return decodedUser(uri)?.split(';')[0];
}

/** One end of a call from its URI. A URI of another scheme keeps its text and has no number. */
export function partyOf(uri: string, displayName: string | undefined): Party {
  const name = displayName === undefined || displayName === '' ? {} : { displayName };
  const number = numberIn(uri);
  return { uri, ...name, ...(number === undefined ? {} : { number }) };
}

/** What was dialled: the number where the Request-URI has one, else its user part; '' without. */
export function calledNumber(request: SipRequest): string {
  return numberIn(request.uri) ?? userIn(request.uri) ?? '';
}

/** A telephone number or extension: digits, perhaps a plus, visual separators dropped (RFC 3966 5.1.1). */
function numberIn(uri: string): string | undefined {
  const user = userIn(uri)?.replace(/[-.()\s]/g, '');
  return user !== undefined && /^\+?[0-9*#]{1,32}$/.test(user) ? user : undefined;
}

function userIn(uri: string): string | undefined {
  try {
    const scheme = schemeOf(uri);
    if (scheme === 'tel') return uri.slice(4).split(';')[0];
    return scheme === 'sip' || scheme === 'sips' ? userPart(parseSipUri(uri)) : undefined;
  } catch {
    return undefined;
  }
}
