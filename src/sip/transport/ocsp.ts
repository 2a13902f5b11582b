import { createHash, verify, X509Certificate } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';
import { DER, type DerElement, derElements, derSequence, derTime } from '../../core/der.ts';
import { extensionOf, namesIn } from './revocation.ts';

/**
 * OCSP responses (RFC 6960) as they are shown in handshakes (stapling, RFC 6066 8): our own, of which only the dates matter
 * here, and those of servers we call, which Node.js hands over unread.
 */

/** Clocks differ. */
const SKEW: Ms = 300_000;

/** Contents of object identifiers, in hex. */
const BASIC_RESPONSE = '2b0601050507300101';
const TLS_FEATURE = '2b06010505070118';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const HASHES: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha1',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};
/** RSA with PKCS #1 v1.5, ECDSA; null: Ed25519, which has its own. None with SHA-1: a signature by it proves nothing. */
const SIGNATURES: Readonly<Record<string, string | null>> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
};

interface BasicResponse {
  /** What is signed, by which algorithm, and the signature. */
  signed: Buffer;
  algorithm: string;
  signature: Buffer;
  /** DER of the certificates that come along. */
  certificates: Buffer[];
  answers: CertificateStatus[];
}

interface CertificateStatus {
  hash: string;
  issuerName: Buffer;
  issuerKey: Buffer;
  /** In hex. */
  serial: string;
  status: 'good' | 'revoked' | 'unknown';
  thisUpdate: number;
  nextUpdate: number | undefined;
}

export interface ShownStatus {
  /** DER, as the server has shown it; undefined: it has shown none. */
  response: Buffer | undefined;
  certificate: X509Certificate;
  /** Who has signed the certificate; verified, as the certificate is. */
  issuer: X509Certificate;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Why a server must not be talked to, by what it has shown of its own certificate; undefined: nothing is against it. What
 * is shown has to be in order (RFC 6066 8); nothing has to be shown, unless the certificate says so itself (RFC 7633).
 */
export function objectionTo({ response, certificate, issuer, now }: ShownStatus): string | undefined {
  let basic: BasicResponse | undefined;
  try {
    basic = response && readResponse(response);
  } catch {
    return 'the OCSP response shown cannot be read';
  }
  if (basic === undefined) return mustShow(certificate) ? 'its certificate asks for an OCSP response' : undefined;
  const answer = basic.answers.find((one) => isAbout(one, certificate, issuer));
  if (answer === undefined) return 'the OCSP response shown is about another certificate';
  if (!isSigned(basic, issuer, now)) return 'the OCSP response shown is not signed by the CA';
  const { status, thisUpdate, nextUpdate } = answer;
  if (thisUpdate > now + SKEW || nextUpdate === undefined || nextUpdate < now - SKEW) {
    return 'the OCSP response shown has run out';
  }
  if (status === 'revoked') return 'certificate revoked (OCSP)';
  return status === 'unknown' && mustShow(certificate) ? 'the CA does not know its certificate (OCSP)' : undefined;
}

/**
 * Until when an OCSP response may be shown, in milliseconds since 1970. @throws Error where it is no successful one with
 * a nextUpdate
 */
export function ocspNextUpdate(response: Buffer): number {
  const times = readResponse(response)?.answers.map(({ nextUpdate }) => nextUpdate) ?? [];
  if (times.length === 0 || times.includes(undefined)) throw new Error('no OCSP response with a nextUpdate');
  return Math.min(...(times as number[]));
}

/** Undefined: the CA had no answer (`tryLater` and the like). @throws Error where it is no OCSP response */
function readResponse(der: Buffer): BasicResponse | undefined {
  const [status, explicit] = derSequence(der);
  if (status?.tag !== DER.ENUMERATED) throw new Error('no OCSP response');
  if (status.body[0] !== 0) return undefined;
  const [type, octets] = derSequence(explicit!.body);
  if (type?.body.toString('hex') !== BASIC_RESPONSE) throw new Error('no basic OCSP response');
  const [data, algorithm, signature, certificates] = derSequence(octets!.body);
  // Of ResponseData the only SEQUENCE is the list of answers: version and responder are [0], [1] or [2], the rest a time.
  const answers = derElements(data!.body).find(({ tag }) => tag === DER.SEQUENCE);
  return {
    signed: data!.whole,
    algorithm: derElements(algorithm!.body)[0]!.body.toString('hex'),
    // Of a BIT STRING the first octet counts the bits left unused: none.
    signature: signature!.body.subarray(1),
    certificates: certificates === undefined ? [] : derSequence(certificates.body).map(({ whole }) => whole),
    answers: derElements(answers!.body).map(readAnswer),
  };
}

function readAnswer({ body }: DerElement): CertificateStatus {
  const [id, status, thisUpdate, until] = derElements(body);
  const [hash, issuerName, issuerKey, serial] = derElements(id!.body);
  const nextUpdate = until?.tag === DER.CONTEXT_0 ? derElements(until.body)[0] : undefined;
  return {
    hash: derElements(hash!.body)[0]!.body.toString('hex'),
    issuerName: issuerName!.body,
    issuerKey: issuerKey!.body,
    serial: serial!.body.toString('hex'),
    // [0] NULL, [1] RevokedInfo, [2] NULL
    status: (['good', 'revoked'] as const)[status!.tag & 0x1f] ?? 'unknown',
    thisUpdate: derTime(thisUpdate!),
    nextUpdate: nextUpdate && derTime(nextUpdate),
  };
}

/** The issuer is named by hashes of its name and its key, so that CAs of one name are told apart. */
function isAbout(answer: CertificateStatus, certificate: X509Certificate, issuer: X509Certificate): boolean {
  const hash = HASHES[answer.hash];
  if (hash === undefined || answer.serial !== namesIn(certificate.raw).serial) return false;
  const digest = (bytes: Buffer) => createHash(hash).update(bytes).digest();
  const [, key] = derSequence(issuer.publicKey.export({ type: 'spki', format: 'der' }));
  return (
    answer.issuerName.equals(digest(Buffer.from(namesIn(issuer.raw).subject, 'hex'))) &&
    answer.issuerKey.equals(digest(key!.body.subarray(1)))
  );
}

/** By the CA, or by whom it has given a certificate for just that (RFC 6960 4.2.2.2). */
function isSigned({ signed, algorithm, signature, certificates }: BasicResponse, ca: X509Certificate, now: number) {
  const digest = SIGNATURES[algorithm];
  if (digest === undefined) return false;
  return [ca, ...certificates.flatMap((der) => delegateIn(der, ca, now))].some(({ publicKey }) => {
    try {
      return verify(digest, signed, publicKey, signature);
    } catch {
      // A key of another kind than the algorithm.
      return false;
    }
  });
}

function delegateIn(der: Buffer, ca: X509Certificate, now: number): X509Certificate[] {
  try {
    const certificate = new X509Certificate(der);
    const ofTheCa = certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
    const inTime = Date.parse(certificate.validFrom) <= now + SKEW && Date.parse(certificate.validTo) >= now;
    return ofTheCa && inTime && certificate.keyUsage?.includes(OCSP_SIGNING) ? [certificate] : [];
  } catch {
    return [];
  }
}

/** "Must staple": the extension TLS feature names status_request (5). */
function mustShow(certificate: X509Certificate): boolean {
  const features = extensionOf(certificate.raw, TLS_FEATURE);
  return features !== undefined && derSequence(features).some(({ body }) => body.length === 1 && body[0] === 5);
}
