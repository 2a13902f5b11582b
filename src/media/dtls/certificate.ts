import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { DER, der } from '../../core/der.ts';

/** ecdsa-with-SHA256 (RFC 5758 section 3.2) and id-at-commonName. */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];

const DAY_MS = 86_400_000;
/** A peer's clock may be behind ours; nobody looks at the end, for the certificate lives as long as the process (RFC 8827 section 6.5). */
const BEFORE_MS = DAY_MS;
const AFTER_MS = 365 * DAY_MS;

export interface SelfSigned {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
  /** DER of the certificate. */
  raw: Buffer;
}

/**
 * A new P-256 key and a certificate for it that it has signed itself (RFC 5280), as DTLS-SRTP shows it: the peer knows it by its
 * fingerprint, nothing in it is believed.
 */
export function selfSigned(now: Date): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(DER.SEQUENCE, der(DER.OBJECT, ECDSA_WITH_SHA256));
  const name = der(
    DER.SEQUENCE,
    der(DER.SET, der(DER.SEQUENCE, der(DER.OBJECT, COMMON_NAME), der(DER.UTF8_STRING, Buffer.from('voice')))),
  );
  const validity = der(
    DER.SEQUENCE,
    utcTime(new Date(now.getTime() - BEFORE_MS)),
    utcTime(new Date(now.getTime() + AFTER_MS)),
  );
  const body = der(
    DER.SEQUENCE,
    der(DER.CONTEXT_0, der(DER.INTEGER, [2])),
    serialNumber(),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const raw = der(DER.SEQUENCE, body, algorithm, der(DER.BIT_STRING, [0], signature(body, privateKey)));
  return {
    certificate: pem('CERTIFICATE', raw),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    raw,
  };
}

function signature(body: Buffer, key: KeyObject): Buffer {
  return sign('sha256', body, { key, dsaEncoding: 'der' });
}

/** Positive, and of its shortest form. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return der(DER.INTEGER, bytes);
}

/** YYMMDDHHMMSSZ, as RFC 5280 wants it until 2049. */
function utcTime(time: Date): Buffer {
  const digits = time.toISOString().replace(/\D/g, '').slice(2, 14);
  return der(DER.UTC_TIME, Buffer.from(`${digits}Z`));
}

function pem(what: string, raw: Buffer): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ''].join('\n');
}
