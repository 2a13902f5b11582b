import { X509Certificate } from 'node:crypto';
import type { DtlsClient, DtlsServer } from 'werift';
import type { SrtpProfileName } from '../srtp/profiles.ts';
import { srtpProfile } from '../srtp/profiles.ts';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';

export type DtlsSocket = DtlsServer | DtlsClient;

/** What werift's DTLS sends through. */
export interface DtlsTransport {
  type: string;
  address: { address: string; port: number; family: string };
  closed: boolean;
  onData: (data: Buffer) => void;
  send(data: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** In our order; werift knows no other. */
export const DTLS_PROFILES: readonly SrtpProfileName[] = ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'];

/** The certificate this process shows, signed by itself, and handshakes with it. */
export interface DtlsIdentity {
  readonly fingerprint: Fingerprint;
  /** `passive` waits for the peer's first message; `active` begins when `connect` is called. */
  open(role: 'active' | 'passive', transport: DtlsTransport): DtlsSocket;
}

/** Values of the TLS registries. */
const ECDSA = 3;
const SHA256 = 4;
const SECP256R1 = 23;

/** Loads the DTLS stack, which takes a moment, and makes a key (P-256) and its certificate: a new one for each process. */
export async function createDtlsIdentity(): Promise<DtlsIdentity> {
  const { CipherContext, DtlsClient, DtlsServer } = await import('werift');
  const { certPem, keyPem, signatureHash } = await CipherContext.createSelfSignedCertificateWithKey(
    { signature: ECDSA, hash: SHA256 },
    SECP256R1,
  );
  const srtpProfiles = DTLS_PROFILES.map((name) => srtpProfile(name).dtlsId!) as (1 | 7)[];
  return {
    fingerprint: fingerprintOf(new X509Certificate(certPem).raw),
    open(role, transport) {
      const options = {
        cert: certPem,
        key: keyPem,
        signatureHash,
        transport,
        srtpProfiles,
        extendedMasterSecret: true,
      };
      return role === 'passive' ? new DtlsServer({ ...options, certificateRequest: true }) : new DtlsClient(options);
    },
  };
}
