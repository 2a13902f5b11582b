import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { codeOf, Failure } from '../../core/errors.ts';
import { ocspNextUpdate } from './ocsp.ts';
import { namesIn, type RevocationList, readRevocationLists } from './revocation.ts';

export interface TlsFiles {
  /**
   * PEM files: the certificate with its chain, and its key. The first pair serves peers that name no server (SNI).
   * `ocsp`: a file in DER with the CA's OCSP response about the certificate, for peers that ask (RFC 6066 8).
   */
  certificates: readonly { cert: string; key: string; ocsp?: string | undefined }[];
  /** PEM file with the CAs that peers' certificates must come from; else those Node.js knows. */
  ca: string | undefined;
  /** Revocation lists, PEM or DER, of every CA in `ca`. Without any nothing is taken to be revoked. */
  revocationLists?: readonly string[] | undefined;
  /** Do peers that connect by TLS have to show a certificate? `optional`: it is asked for, and Flow.peer says what it is worth. */
  clientCertificates: 'none' | 'optional' | 'required';
}

export interface TlsPair {
  cert: Buffer;
  key: Buffer;
  leaf: X509Certificate;
  context: SecureContext;
  /** `nextUpdate`: milliseconds since 1970. */
  ocsp: { response: Buffer; nextUpdate: number } | undefined;
}

export interface LoadedTls {
  pairs: readonly TlsPair[];
  trust: Trust;
  lists: readonly RevocationList[];
}

/** Whom we believe, as Node.js takes it. */
interface Trust {
  ca?: Buffer;
  crl?: string[];
}

/** Changes when a file does. A file that is gone for a moment is a change as well. */
export function stampOf(files: TlsFiles): string {
  const own = files.certificates.flatMap(({ cert, key, ocsp }) => [cert, key, ocsp]);
  return [...own, files.ca, ...(files.revocationLists ?? [])]
    .filter((path) => path !== undefined)
    .map((path) => {
      const facts = statSync(path, { throwIfNoEntry: false });
      return facts === undefined ? '-' : `${facts.ino} ${facts.size} ${facts.mtimeMs}`;
    })
    .join('\n');
}

/** @throws Failure bad-setting whose message names the file and what is wrong with it */
export function loadTls(files: TlsFiles): LoadedTls {
  const ca = files.ca === undefined ? undefined : authorities(files.ca);
  const lists = (files.revocationLists ?? []).flatMap(listsIn);
  if (lists.length > 0) checkCoverage(lists, ca, files);
  const trust: Trust = {
    ...(ca === undefined ? {} : { ca }),
    ...(lists.length === 0 ? {} : { crl: lists.map(({ pem }) => pem) }),
  };
  return { pairs: files.certificates.map((one) => pairOf(one, trust)), trust, lists };
}

function pairOf({ cert: certFile, key: keyFile, ocsp }: TlsFiles['certificates'][number], trust: Trust): TlsPair {
  const cert = read(certFile);
  const key = read(keyFile);
  const leaf = certificateIn(cert, certFile);
  try {
    // Requests of this context inherit nothing from the server's first one, so whom we trust stands in each.
    const context = createSecureContext({ cert, key, minVersion: 'TLSv1.2', ...trust });
    return { cert, key, leaf, context, ocsp: ocsp === undefined ? undefined : responseIn(ocsp) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const mismatch = codeOf(error) === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    const why = mismatch ? `is not the key of ${certFile}` : 'is not a usable private key in PEM';
    throw badFile(`${keyFile} ${why}`, error);
  }
}

function authorities(file: string): Buffer {
  const bytes = read(file);
  certificateIn(bytes, file);
  return bytes;
}

function certificateIn(bytes: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (error) {
    throw badFile(`${file} has no certificate in PEM`, error);
  }
}

function listsIn(file: string): RevocationList[] {
  const bytes = read(file);
  try {
    return readRevocationLists(bytes);
  } catch (error) {
    throw badFile(`${file} has no certificate revocation list in PEM or DER`, error);
  }
}

function responseIn(file: string): { response: Buffer; nextUpdate: number } {
  const response = read(file);
  try {
    return { response, nextUpdate: ocspNextUpdate(response) };
  } catch (error) {
    throw badFile(`${file} has no OCSP response in DER with a nextUpdate`, error);
  }
}

/** OpenSSL refuses all certificates of a CA whose list it does not have: better said now than found out by callers. */
function checkCoverage(lists: readonly RevocationList[], ca: Buffer | undefined, files: TlsFiles): void {
  const blocks = (ca ?? Buffer.alloc(0)).toString('latin1').match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g);
  for (const block of blocks ?? []) {
    const certificate = certificateIn(Buffer.from(block, 'latin1'), files.ca ?? '');
    const { subject } = namesIn(certificate.raw);
    if (lists.some(({ issuer }) => issuer === subject)) continue;
    const name = certificate.subject.replaceAll('\n', ', ');
    throw badFile(
      `there is no revocation list of ${name}, which stands in ${files.ca}: its certificates would be refused`,
    );
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw badFile(`${file} cannot be read (${codeOf(error) ?? 'error'})`, error);
  }
}

function badFile(message: string, cause?: unknown): Failure {
  return new Failure(message, { code: 'bad-setting', blame: 'us', cause });
}
