import { resolve } from 'node:path';
import { asFailure } from './core/errors.ts';
import { loadTls, type TlsFiles } from './sip/transport/tls-files.ts';

/** The page's own certificates; undefined without any. Tried here, so that a start tells what is wrong. */
export function httpTlsFiles(
  { HTTP_TLS_CERT: certs, HTTP_TLS_KEY: keys }: { HTTP_TLS_CERT: string[]; HTTP_TLS_KEY: string[] },
  directory: string,
  complaints: string[],
): TlsFiles | undefined {
  if (certs.length !== keys.length) {
    complaints.push('HTTP_TLS_KEY: must have one key for each file of HTTP_TLS_CERT');
    return undefined;
  }
  if (certs.length === 0) return undefined;
  const files: TlsFiles = {
    certificates: certs.map((cert, i) => ({ cert: resolve(directory, cert), key: resolve(directory, keys[i] ?? '') })),
    ca: undefined,
    clientCertificates: 'none',
  };
  try {
    loadTls(files);
  } catch (error) {
    complaints.push(`HTTP_TLS_CERT or HTTP_TLS_KEY: ${asFailure(error).message}`);
  }
  return files;
}
