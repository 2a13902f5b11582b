import { resolve } from 'node:path';
import { asFailure } from './core/errors.ts';
import { loadTls, type TlsFiles } from './sip/transport/tls-files.ts';

/** Each certificate with its key. Undefined, and a complaint, where there is not one key for each. */
export function certificatePairs(
  { prefix, certs, keys }: { prefix: 'SIP' | 'HTTP'; certs: string[]; keys: string[] },
  directory: string,
  complaints: string[],
): { cert: string; key: string }[] | undefined {
  if (certs.length !== keys.length) {
    complaints.push(`${prefix}_TLS_KEY: must have one key for each file of ${prefix}_TLS_CERT`);
    return undefined;
  }
  return certs.map((cert, i) => ({ cert: resolve(directory, cert), key: resolve(directory, keys[i] ?? '') }));
}

/** The files, tried here, so that a start tells what is wrong. `variables`: those that name them. */
export function triedTls(files: TlsFiles, variables: string, complaints: string[]): TlsFiles {
  try {
    loadTls(files);
  } catch (error) {
    complaints.push(`${variables}: ${asFailure(error).message}`);
  }
  return files;
}

/** The page's own certificates; undefined without any. */
export function httpTlsFiles(
  { HTTP_TLS_CERT: certs, HTTP_TLS_KEY: keys }: { HTTP_TLS_CERT: string[]; HTTP_TLS_KEY: string[] },
  directory: string,
  complaints: string[],
): TlsFiles | undefined {
  const certificates = certificatePairs({ prefix: 'HTTP', certs, keys }, directory, complaints);
  if (certificates === undefined || certificates.length === 0) return undefined;
  const files: TlsFiles = { certificates, ca: undefined, clientCertificates: 'none' };
  return triedTls(files, 'HTTP_TLS_CERT or HTTP_TLS_KEY', complaints);
}
