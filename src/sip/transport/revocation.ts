import { DER, type DerElement, derElements, derSequence, derTime } from '../../core/der.ts';

/**
 * Certificate revocation lists (RFC 5280 5), as far as we look into them ourselves. At each handshake OpenSSL judges with
 * the lists: whose they are, their signatures and dates. What it does not do is what is here: to say what is missing before
 * a caller finds out, and to judge connections that are open already.
 */
export interface RevocationList {
  /** As PEM, on its own: Node.js reads one list of a text. */
  readonly pem: string;
  /** The issuer's name in DER, in hex. */
  readonly issuer: string;
  /** Milliseconds since 1970. Beyond it OpenSSL refuses every certificate of this issuer. */
  readonly nextUpdate: number | undefined;
  /** Serial numbers, in hex. */
  readonly revoked: ReadonlySet<string>;
}

const BLOCK = /-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/g;

/** All lists of a file: PEM, one or several, or DER as CAs publish it. @throws Error where there is none */
export function readRevocationLists(file: Buffer): RevocationList[] {
  const blocks = [...file.toString('latin1').matchAll(BLOCK)].map(([, base64]) => Buffer.from(base64!, 'base64'));
  return (blocks.length === 0 ? [file] : blocks).map(readList);
}

function readList(der: Buffer): RevocationList {
  const fields = derSequence(derSequence(der)[0]!.whole);
  // The version stands there from 2 on; then the signature's algorithm, the issuer, thisUpdate.
  const [, issuer, , ...rest] = fields[0]?.tag === DER.INTEGER ? fields.slice(1) : fields;
  if (issuer === undefined) throw new Error('no list');
  const until = rest[0] !== undefined && isTime(rest[0]) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === DER.SEQUENCE ? derElements(rest[0].body) : [];
  const base64 = der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n');
  return {
    pem: `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`,
    issuer: issuer.whole.toString('hex'),
    nextUpdate: until === undefined ? undefined : derTime(until),
    revoked: new Set(entries.map((entry) => derElements(entry.body)[0]!.body.toString('hex'))),
  };
}

/** Whose a certificate is, as the lists name it. `certificate`: DER. @throws Error */
export function namesIn(certificate: Buffer): { serial: string; issuer: string; subject: string } {
  const fields = derSequence(derSequence(certificate)[0]!.whole);
  // The version stands there from 2 on; then serial, algorithm, issuer, validity, subject (RFC 5280 4.1).
  const [serial, , issuer, , subject] = fields[0]?.tag === DER.CONTEXT_0 ? fields.slice(1) : fields;
  if (serial === undefined || issuer === undefined || subject === undefined) throw new Error('no certificate');
  const hex = ({ whole }: DerElement) => whole.toString('hex');
  return { serial: serial.body.toString('hex'), issuer: hex(issuer), subject: hex(subject) };
}

/** `certificate`: DER, as it was verified once. */
export function isRevoked(lists: readonly RevocationList[], certificate: Buffer): boolean {
  if (lists.length === 0) return false;
  const { serial, issuer } = namesIn(certificate);
  return lists.some((list) => list.issuer === issuer && list.revoked.has(serial));
}

/** Contents of an extension of a certificate (DER), by its object identifier in hex. @throws Error where it is none */
export function extensionOf(certificate: Buffer, oid: string): Buffer | undefined {
  const fields = derElements(derSequence(certificate)[0]!.body);
  const extensions = fields.find(({ tag }) => tag === DER.CONTEXT_3);
  const all = extensions === undefined ? [] : derSequence(extensions.body).map(({ body }) => derElements(body));
  return all.find(([id]) => id?.body.toString('hex') === oid)?.at(-1)?.body;
}

function isTime({ tag }: DerElement): boolean {
  return tag === DER.UTC_TIME || tag === DER.GENERALIZED_TIME;
}
