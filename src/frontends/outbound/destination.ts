import { asFailure } from '../../core/errors.ts';
import { decodedUser, formatSipUri, parseSipUri, type SipUri } from '../../sip/message/uri.ts';
import type { Gateway } from './gateway.ts';
import type { HostMatch, NumberMatch, Rewriting } from './gateway-schema.ts';

/** Who is to be called: a telephone number without visual separators, or a SIP URI. */
export type Dialled = { kind: 'number'; number: string } | { kind: 'uri'; text: string; uri: SipUri };

/** Telephone numbers and extensions; E.164 has 15 digits, prefixes and short codes make some longer. */
const NUMBER = /^\+?[0-9*#]{1,32}$/;

/**
 * Reads what is to be called: a number with or without visual separators, tel:, sip: or sips:. Undefined for what is
 * neither, and for URIs that would lead elsewhere than to the host they name.
 */
export function readDialled(to: string): Dialled | undefined {
  const text = to.trim();
  if (/^sips?:/i.test(text)) return readUri(text);
  const number = text.replace(/^tel:/i, '').replace(/[-.()\s]/g, '');
  return NUMBER.test(number) ? { kind: 'number', number } : undefined;
}

function readUri(text: string): Dialled | undefined {
  try {
    const uri = parseSipUri(text);
    // Headers would write themselves into our request, maddr names another host, a method is not ours to be told.
    const leads =
      uri.headers !== '' || uri.password !== undefined || uri.params.has('maddr') || uri.params.has('method');
    return leads || text.length > 512 ? undefined : { kind: 'uri', text, uri };
  } catch (error) {
    if (asFailure(error).blame === 'us') throw error;
    return undefined;
  }
}

/**
 * May this gateway be used for it? What is forbidden is so in every form the number takes: as it was asked for, as it
 * will be sent, and as the user of a SIP URI. Pure.
 */
export function serves(gateway: Gateway, dialled: Dialled): boolean {
  if (dialled.kind === 'number') {
    const sent = rewritten(dialled.number, gateway.rewrite);
    return matches(gateway.numbers, dialled.number) && !forbids(gateway, dialled.number) && !forbids(gateway, sent);
  }
  return gateway.hosts.some((host) => isHost(host, dialled.uri)) && !forbids(gateway, userOf(dialled.uri));
}

/** May a call by this gateway be redirected there? The number may come as it was asked for, or as it was sent. Pure. */
export function mayRedirect(gateway: Gateway, target: SipUri): boolean {
  if (readUri(formatSipUri(target)) === undefined) return false;
  const user = userOf(target);
  const forms = [user, ...unwritten(user, gateway.rewrite)];
  if (forms.some((form) => forbids(gateway, form))) return false;
  if (gateway.hosts.some((host) => isHost(host, target))) return true;
  return gateway.redirects.some((host) => isHost(host, target)) && forms.some((form) => matches(gateway.numbers, form));
}

/** What may have been rewritten to this. */
function unwritten(number: string, rules: readonly Rewriting[]): string[] {
  return rules
    .filter(({ prepend }) => number.startsWith(prepend))
    .map(({ prefix = '', strip, prepend }) => prefix.slice(0, strip) + number.slice(prepend.length));
}

export function userOf(uri: SipUri): string {
  return (decodedUser(uri) ?? '').split(';')[0]!.replace(/[-.()\s]/g, '');
}

/** The number that is shown; undefined for none. `wanted` is what the call asks for. */
export type Shown = { number: string | undefined } | 'not-allowed';

export function shownNumber({ from }: Gateway, wanted: string | undefined): Shown {
  if (wanted === undefined) return { number: from.number && rewritten(from.number, from.rewrite) };
  const number = wanted.replace(/[-.()\s]/g, '');
  if (!NUMBER.test(number)) return 'not-allowed';
  if (number !== from.number && !matches(from.allow, number)) return 'not-allowed';
  return { number: rewritten(number, from.rewrite) };
}

/** The first rule whose prefix fits. */
export function rewritten(number: string, rules: readonly Rewriting[]): string {
  const rule = rules.find(({ prefix }) => prefix === undefined || number.startsWith(prefix));
  return rule === undefined ? number : rule.prepend + number.slice(rule.strip);
}

export function matches(rules: readonly NumberMatch[], number: string): boolean {
  return rules.some((rule) => {
    if (rule.number !== undefined) return rule.number === number;
    if (rule.prefix !== undefined) return number.startsWith(rule.prefix);
    return rule.pattern?.test(number) ?? false;
  });
}

function forbids({ forbidden, limits }: Gateway, number: string): boolean {
  return (
    matches(forbidden, number) || limits.prefixes.some((one) => one.callsPerDay === 0 && number.startsWith(one.prefix))
  );
}

export function isHost(host: HostMatch, uri: SipUri): boolean {
  return host.host === uri.host && (host.port === undefined || host.port === uri.port);
}
