import { constants, createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import type { DtlsSocket } from './identity.ts';

/**
 * werift's DTLS takes a certificate for its owner's without asking for the proof: it does not look at the signatures of
 * CertificateVerify and ServerKeyExchange, nor at what Finished says. Certificates travel in the clear, so without these
 * checks a fingerprint in the SDP would prove nothing. They are made here, on the handshake's own messages, before a key
 * is taken from it (RFC 5246 sections 7.4.3, 7.4.8, 7.4.9).
 */

/** Handshake types. */
const CERTIFICATE_VERIFY = 15;
const SERVER_KEY_EXCHANGE = 12;
export const FINISHED = 20;
const VERIFY_BYTES = 12;

interface HandshakeMessage {
  msg_type: number;
  fragment: Buffer;
  serialize(): Buffer;
}

/** Did the client that showed this certificate sign the handshake with its key? */
export function clientOwnsCertificate(server: DtlsSocket, certificate: Buffer): boolean {
  const messages = transcript(server);
  const at = messages.findIndex(({ msg_type: type }) => type === CERTIFICATE_VERIFY);
  if (at < 0) return false;
  return signatureHolds(messages[at]!.fragment, bytesOf(messages.slice(0, at)), certificate);
}

/** Did the server that showed this certificate sign its key exchange with its key? */
export function serverOwnsCertificate(client: DtlsSocket, certificate: Buffer): boolean {
  const exchange = transcript(client).find(({ msg_type: type }) => type === SERVER_KEY_EXCHANGE)?.fragment;
  const { localRandom, remoteRandom } = client.cipher;
  if (exchange === undefined || exchange.length < 4) return false;
  // Curve type, curve, length of the point, the point; behind them the signature.
  const end = 4 + exchange[3]!;
  const signed = Buffer.concat([localRandom.serialize(), remoteRandom.serialize(), exchange.subarray(0, end)]);
  return signatureHolds(exchange.subarray(end), signed, certificate);
}

/** Did the client see the same handshake as we did? Ask when it is over. */
export function clientFinished(server: DtlsSocket): boolean {
  const messages = transcript(server);
  const at = messages.findIndex(({ msg_type: type }) => type === FINISHED);
  return at >= 0 && finishedHolds(server, 'client finished', messages.slice(0, at), messages[at]!.fragment);
}

/** Did the server? Ask when its Finished has come, before anything else is done with it. */
export function serverFinished(client: DtlsSocket, finished: Buffer): boolean {
  return finishedHolds(client, 'server finished', transcript(client), finished);
}

function transcript(socket: DtlsSocket): HandshakeMessage[] {
  return socket.dtls.sortedHandshakeCache;
}

function bytesOf(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map((message) => message.serialize()));
}

function finishedHolds(
  { cipher }: DtlsSocket,
  label: string,
  before: readonly HandshakeMessage[],
  finished: Buffer,
): boolean {
  const seed = Buffer.concat([Buffer.from(label), createHash('sha256').update(bytesOf(before)).digest()]);
  // The pseudo-random function of TLS 1.2 (RFC 5246 section 5); twelve bytes are less than its first block.
  const hmac = (data: Buffer) => createHmac('sha256', cipher.masterSecret).update(data).digest();
  const expected = hmac(Buffer.concat([hmac(seed), seed])).subarray(0, VERIFY_BYTES);
  return finished.length === VERIFY_BYTES && timingSafeEqual(finished, expected);
}

const HASHES: Readonly<Record<number, string>> = { 4: 'sha256', 5: 'sha384', 6: 'sha512' };

/** `signature`: two bytes that name hash and algorithm, its length, its bytes (RFC 5246 section 4.7; RFC 8446 4.2.3 for PSS). */
function signatureHolds(signature: Buffer, signed: Buffer, certificate: Buffer): boolean {
  if (signature.length < 4 || signature.length < 4 + signature.readUInt16BE(2)) return false;
  const scheme = signature.readUInt16BE(0);
  const bytes = signature.subarray(4, 4 + signature.readUInt16BE(2));
  try {
    const { publicKey } = new X509Certificate(certificate);
    if (scheme >= 0x0804 && scheme <= 0x0806) {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      return verify(HASHES[scheme - 0x0800]!, signed, { key: publicKey, ...padding }, bytes);
    }
    const hash = HASHES[scheme >> 8];
    const type = { 1: 'rsa', 3: 'ec' }[scheme & 0xff];
    if (hash === undefined || type === undefined || publicKey.asymmetricKeyType !== type) return false;
    return verify(hash, signed, publicKey, bytes);
  } catch {
    return false;
  }
}
