import { asksAnonymity } from '../message/identity.ts';
import { SipRequest } from '../message/message.ts';
import { parseDatagram } from '../message/parse.ts';
import type { TracedMessage } from './message-trace.ts';

/**
 * Takes out of messages what nobody may read later. Every byte of a secret becomes an `x`, so that lengths,
 * Content-Length and what a dissector makes of the message stay true.
 *
 * - credentials (Authorization and the like): the digest's response and cnonce, anything of other schemes; passwords in URIs
 * - keys of media: `a=crypto` (RFC 4568), `k=`, `a=ice-pwd`
 * - keys pressed: bodies of INFO, digits in KPML
 * - headers that are named, whole
 * - who calls, where the caller asked to be unknown (RFC 3323)
 *
 * Every expression here takes time in proportion to what it reads: the peer chooses what that is, and the thread is the
 * one that all calls are signalled in.
 */
export function redactMessages(messages: readonly TracedMessage[], hideHeaders: readonly string[]): TracedMessage[] {
  const hidden = new Set(hideHeaders.map((name) => name.trim().toLowerCase()));
  const identities = identityPatterns(new Set(messages.flatMap(({ text }) => identitiesToHide(text))));
  return messages.map((message) => ({ ...message, text: redact(message.text, hidden, identities) }));
}

const CREDENTIALS = new Set(['authorization', 'proxy-authorization', 'authentication-info']);
const ADDRESS_HEADERS = 'from|f|contact|m|p-asserted-identity|p-preferred-identity|remote-party-id|referred-by|b';
const ADDRESSES = new RegExp(`^(?:${ADDRESS_HEADERS})\\s*:[^\\r]*`, 'gim');
/** A header with its folded lines. */
const HEADER = /^([^\s:]+)([ \t]*:[ \t]*)((?:[^\r\n]|\r\n[ \t])*)/gm;

/** In what is not found by these there is nothing to be taken out by name: most messages, which are not looked through. */
const MAY_HOLD_CREDENTIALS = /auth/i;
/** `%`: a name may be written with escapes. */
const MAY_ASK_ANONYMITY = /anonymous|privacy|remote-party-id|%/i;

const AT = 0x40;
const BRACKET = 0x3e;
const COLON = 0x3a;
const SEMICOLON = 0x3b;

const crossed = (text: string): string => text.replace(/[^\r\n]/g, 'x');

function redact(text: string, hidden: ReadonlySet<string>, identities: readonly RegExp[]): string {
  const headEnd = text.indexOf('\r\n\r\n');
  const end = headEnd === -1 ? text.length : headEnd;
  const whole = text.slice(0, end);
  const named = hidden.size > 0 || identities.length > 0 || MAY_HOLD_CREDENTIALS.test(whole);
  const head = named ? withoutNamed(whole, hidden, identities) : whole;
  const clean = withoutPasswords(head) + withoutSecrets(text.slice(end), head);
  return identities.reduce((rest, pattern) => rest.replace(pattern, crossed), clean);
}

function withoutNamed(head: string, hidden: ReadonlySet<string>, identities: readonly RegExp[]): string {
  return head.replace(HEADER, (whole, name: string, colon: string, value: string) => {
    const key = name.toLowerCase();
    if (hidden.has(key)) return name + colon + crossed(value);
    // A signed identity names the caller in a form that is easily read (RFC 8224).
    if (identities.length > 0 && (key === 'identity' || key === 'y')) return name + colon + crossed(value);
    return CREDENTIALS.has(key) ? name + colon + withoutCredentials(value) : whole;
  });
}

function withoutCredentials(value: string): string {
  const secret = /\b(response|cnonce|rspauth)(\s*=\s*"?)([^",\s]*)/gi;
  const scheme = /^\S*/.exec(value)?.[0] ?? '';
  if (/=/.test(scheme) || /^digest$/i.test(scheme)) {
    return value.replace(secret, (_, name: string, sign: string, given: string) => name + sign + crossed(given));
  }
  return scheme + crossed(value.slice(scheme.length));
}

/** Is there a run with two colons or more before an @, as `sip:name:password@` is? Each character is looked at once. */
function mayHoldPassword(head: string): boolean {
  for (let at = head.indexOf('@'); at !== -1; at = head.indexOf('@', at + 1)) {
    let colons = 0;
    for (let i = at - 1; i >= 0; i--) {
      const code = head.charCodeAt(i);
      if (code === COLON && ++colons === 2) return true;
      if (code === AT || code === SEMICOLON || code === BRACKET || isSpace(code)) break;
    }
  }
  return false;
}

/** What `\s` means, among the characters of latin1. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0xa0 || (code >= 0x09 && code <= 0x0d);
}

function withoutPasswords(head: string): string {
  if (!mayHoldPassword(head)) return head;
  // A run up to an @, or none: so that each character is looked at once.
  return head.replace(/[^@\s;>]+@?/g, (run) => {
    if (!run.endsWith('@')) return run;
    const user = /sips?:[^:]+:/i.exec(run);
    if (user === null) return run;
    const from = user.index + user[0].length;
    return `${run.slice(0, from)}${crossed(run.slice(from, -1))}@`;
  });
}

function withoutSecrets(body: string, head: string): string {
  if (body.length <= 4) return body;
  if (/^INFO /.test(head)) {
    return /^(?:content-type|c)\s*:\s*application\/dtmf-relay/im.test(head)
      ? body.replace(/^(signal\s*=\s*)([^\r\n]*)/gim, (_, name: string, key: string) => name + crossed(key))
      : crossed(body);
  }
  return body
    .replace(/^(a=crypto:[^\r\n]*)/gm, (line) =>
      line.replace(/(inline:)([^|;\s]*)/g, (_, name: string, key: string) => name + crossed(key)),
    )
    .replace(/^(k=[a-z]*:?|a=ice-pwd:)([^\r\n]*)/gm, (_, name: string, key: string) => name + crossed(key))
    .replace(/\b(digits=")([^"]*)/g, (_, name: string, keys: string) => name + crossed(keys));
}

/** Numbers and names of a caller who asked to be unknown, as they stand in the INVITE that asked. */
function identitiesToHide(text: string): string[] {
  if (!text.startsWith('INVITE ') || !MAY_ASK_ANONYMITY.test(text)) return [];
  try {
    const request = parseDatagram(Buffer.from(text, 'latin1'));
    if (!(request instanceof SipRequest) || !asksAnonymity(request)) return [];
  } catch {
    return [];
  }
  const found: string[] = [];
  for (const [line] of text.slice(0, text.indexOf('\r\n\r\n')).matchAll(ADDRESSES)) {
    for (const [, user] of line.matchAll(/(?:sips?:|tel:)([^@;>:\s]+)(?=[@;>:\s]|$)/gi)) found.push(user!);
    for (const [, name] of line.matchAll(/"([^"]+)"/g)) found.push(name!);
    const bare = /^[^:]*:([^<"]*)</.exec(line)?.[1]?.trim();
    if (bare) found.push(bare);
  }
  return found.filter((one) => !/^anonymous$/i.test(one));
}

/** A number is one wherever it stands; a name only where names stand. */
function identityPatterns(identities: ReadonlySet<string>): RegExp[] {
  // Where one begins with another, the longer one.
  const longestFirst = [...identities].sort((a, b) => b.length - a.length);
  const isNumber = (identity: string) => /^\+?[0-9-.]{5,}$/.test(identity);
  const anyOf = (list: readonly string[]) =>
    `(?:${list.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`;
  const numbers = longestFirst.filter(isNumber);
  const names = longestFirst.filter((identity) => !isNumber(identity));
  const patterns: RegExp[] = [];
  if (numbers.length > 0) patterns.push(new RegExp(`(?<![0-9])${anyOf(numbers)}(?![0-9])`, 'gim'));
  if (names.length > 0) {
    const any = anyOf(names);
    // What stands before it is looked at last, where there is a name at all: blanks can be many.
    const bare = `${any}(?=\\s*<)(?<=^(?:${ADDRESS_HEADERS})\\s*:\\s*${any})`;
    patterns.push(new RegExp(`(?<=sips?:|tel:|")${any}(?=[@;>:"])|${bare}`, 'gim'));
  }
  return patterns;
}
