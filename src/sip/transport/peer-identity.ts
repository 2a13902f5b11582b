import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerIdentity } from './flow.ts';

/** Whom the certificate that the other side has shown names, read once after the handshake. */
export function identityOf(socket: TLSSocket, certificate: X509Certificate): PeerIdentity {
  const commonName = socket.getPeerCertificate(false).subject?.CN;
  return Object.freeze({
    commonName: Array.isArray(commonName) ? commonName[0] : commonName,
    altNames: Object.freeze(altNamesIn(certificate.subjectAltName ?? '')),
    fingerprint256: certificate.fingerprint256,
    authorized: socket.authorized,
  });
}

/** Node joins the names with `, ` and writes a name that could be misread as a JSON string: DNS:"a, DNS:b". */
export function altNamesIn(text: string): string[] {
  const names: string[] = [];
  let rest = text;
  while (rest !== '') {
    const match = /^([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",][^,]*|)(?:, |$)/.exec(rest);
    // Nothing half understood may name anybody.
    if (match === null) return [];
    const [whole, kind, value = ''] = match;
    names.push(`${kind}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`);
    rest = rest.slice(whole.length);
  }
  return names;
}
