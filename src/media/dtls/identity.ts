import { setImmediate } from 'node:timers/promises';
import type { DtlsClient, DtlsServer } from 'werift';
import { onceAsked } from '../../core/once-asked.ts';
import type { SrtpProfileName } from '../srtp/profiles.ts';
import { srtpProfile } from '../srtp/profiles.ts';
import { selfSigned } from './certificate.ts';
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
  /**
   * What shakes hands: loaded when it is first asked for, which takes the thread a fifth of a second. Most connectors never do,
   * and those that may are told before the call (a phone in a browser signs in).
   */
  handshakes(): Promise<DtlsHandshakes>;
}

export interface DtlsHandshakes {
  /** `passive` waits for the peer's first message; `active` begins when `connect` is called. */
  open(role: 'active' | 'passive', transport: DtlsTransport): DtlsSocket;
}

/** Values of the TLS registries. */
const ECDSA = 3;
const SHA256 = 4;

/** Makes a key (P-256) and its certificate: a new one for each process. */
export function createDtlsIdentity(now: Date): DtlsIdentity {
  const { certificate, key, raw } = selfSigned(now);
  return { fingerprint: fingerprintOf(raw), handshakes: onceAsked(() => load(certificate, key)) };
}

async function load(cert: string, key: string): Promise<DtlsHandshakes> {
  // What is on its way out, the answer to the offer above all, goes first.
  await setImmediate();
  const { DtlsClient, DtlsServer } = await import('werift');
  const signatureHash = { signature: ECDSA, hash: SHA256 } as const;
  const srtpProfiles = DTLS_PROFILES.map((name) => srtpProfile(name).dtlsId!) as (1 | 7)[];
  return {
    open(role, transport) {
      const options = { cert, key, signatureHash, transport, srtpProfiles, extendedMasterSecret: true };
      return role === 'passive' ? new DtlsServer({ ...options, certificateRequest: true }) : new DtlsClient(options);
    },
  };
}
