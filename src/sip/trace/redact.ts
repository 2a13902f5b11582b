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
 */
export function redactMessages(messages: readonly TracedMessage[], hideHeaders: readonly string[]): TracedMessage[] {
  const hidden = new Set(hideHeaders.map((name) => name.trim().toLowerCase()));
  const identities = new Set(messages.flatMap(({ text }) => identitiesToHide(text)));
  return messages.map((message) => ({ ...message, text: redact(message.text, hidden, identities) }));
}

const CREDENTIALS = new Set(['authorization', 'proxy-authorization', 'authentication-info']);
const ADDRESSES =
  /^(?:from|f|contact|m|p-asserted-identity|p-preferred-identity|remote-party-id|referred-by|b)\s*:[^\r]*/gim;
/** A header with its folded lines. */
const HEADER = /^([^\s:]+)([ \t]*:[ \t]*)((?:[^\r\n]|\r\n[ \t])*)/gm;

const crossed = (text: string): string => text.replace(/[^\r\n]/g, 'x');

function redact(text: string, hidden: ReadonlySet<string>, identities: ReadonlySet<string>): string {
  const headEnd = text.indexOf('\r\n\r\n');
  const end = headEnd === -1 ? text.length : headEnd;
  const head = text.slice(0, end).replace(HEADER, (whole, name: string, colon: string, value: string) => {
    const key = name.toLowerCase();
    if (hidden.has(key)) return name + colon + crossed(value);
    // A signed identity names the caller in a form that is easily read (RFC 8224).
    if (identities.size > 0 && (key === 'identity' || key === 'y')) return name + colon + crossed(value);
    return CREDENTIALS.has(key) ? name + colon + withoutCredentials(value) : whole;
  });
  const clean = withoutPasswords(head) + withoutSecrets(text.slice(end), head);
  return identities.size === 0 ? clean : withoutIdentities(clean, identities);
}

function withoutCredentials(value: string): string {
  const secret = /\b(response|cnonce|rspauth)(\s*=\s*"?)([^",\s]*)/gi;
  const scheme = /^\S*/.exec(value)?.[0] ?? '';
  if (/=/.test(scheme) || /^digest$/i.test(scheme)) {
    return value.replace(secret, (_, name: string, sign: string, given: string) => name + sign + crossed(given));
  }
  return scheme + crossed(value.slice(scheme.length));
}

function withoutPasswords(head: string): string {
  return head.replace(
    /(sips?:[^@\s;>:]+:)([^@\s;>]+)(?=@)/gi,
    (_, before: string, password: string) => before + crossed(password),
  );
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
  if (!text.startsWith('INVITE ')) return [];
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
    const bare = /^[^:]*:\s*([^<"]+?)\s*</.exec(line)?.[1];
    if (bare !== undefined) found.push(bare);
  }
  return found.filter((one) => !/^anonymous$/i.test(one));
}

function withoutIdentities(text: string, identities: ReadonlySet<string>): string {
  let out = text;
  for (const identity of identities) {
    const escaped = identity.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    // A number is one wherever it stands; a name only where names stand.
    const pattern = /^\+?[0-9-.]{5,}$/.test(identity)
      ? `(?<![0-9])${escaped}(?![0-9])`
      : `(?<=sips?:|tel:|")${escaped}(?=[@;>:"])|(?<=^(?:From|f|Contact|m|P-Asserted-Identity|Remote-Party-ID)\\s*:\\s*)${escaped}(?=\\s*<)`;
    out = out.replace(new RegExp(pattern, 'gim'), crossed);
  }
  return out;
}
