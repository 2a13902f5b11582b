import { decodedUser, parseSipUri } from '../../sip/message/uri.ts';

/** What stands before a country code: the plus, or what is dialled for it in most countries and in North America. */
const INTERNATIONAL = /^(?:\+|00|011)/;
const PREFIXES = ['', '+', '00', '011'];

/**
 * The ways in which the number that is called may be written, so that nobody is called under another spelling who must
 * not be called: with and without an international prefix, and as the user of a SIP URI. A number that is only alike in
 * one of these ways is one too many; to call it would be the worse mistake.
 */
export function spellingsOf(destination: string): string[] {
  const number = numberOf(destination);
  const bare = number.replace(INTERNATIONAL, '');
  return [...new Set([destination, number, ...PREFIXES.map((prefix) => prefix + bare)])];
}

function numberOf(destination: string): string {
  if (!/^sips?:/i.test(destination)) return destination;
  try {
    // Parameters of the number (RFC 3966) are none of its figures; separators neither.
    return (decodedUser(parseSipUri(destination)) ?? '').split(';')[0]!.replace(/[-.()\s]/g, '');
  } catch {
    return destination;
  }
}
