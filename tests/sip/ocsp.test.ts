import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:tls';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { derSequence } from '../../src/core/der.ts';
import { objectionTo } from '../../src/sip/transport/ocsp.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { answering, listening, secureAgent } from './secure-peers.ts';

const DAY = 86_400_000;
let authority: Authority;
let ours: Certificate;
let far: Certificate;
/** Says of itself that it is only to be believed with an OCSP response (RFC 7633). */
let strict: Certificate;
let other: Certificate;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  ours = await authority.issue('connector', 'connector.example', 'DNS:localhost');
  far = await authority.issue('far', 'far.example', 'DNS:localhost');
  strict = await authority.issue('strict', 'strict.example', 'DNS:localhost', 'tlsfeature=status_request');
  other = await authority.issue('other', 'other.example', 'DNS:other.example');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => authority.remove());

const status = (certificate: Certificate, how: Parameters<Authority['ocspResponse']>[1] = {}) =>
  authority.ocspResponse(certificate, how).then((file) => readFile(file));

/** A request of ours to a server that shows this certificate, and this OCSP response (DER) with it. */
async function asked(certificate: Certificate, response?: Buffer) {
  const server = createServer({ cert: await readFile(certificate.cert), key: await readFile(certificate.key) });
  server.on('secureConnection', answering);
  server.on('OCSPRequest', (_certificate, _issuer, answer) => answer(null, (response ?? null) as Buffer));
  const port = await listening(open, server);
  const files = { certificates: [ours], ca: authority.cert, clientCertificates: 'none' } as const;
  const { ua } = await secureAgent(open, files);
  return ua.request('OPTIONS', `sips:localhost:${port}`);
}

const refusedFor = (words: string) => ({ sipStatus: 503, message: expect.stringContaining(words) });

describe('a server we call by TLS', () => {
  it('may show what its CA says of its certificate, or nothing', async () => {
    expect((await asked(far, await status(far))).status).toBe(200);
    expect((await asked(far)).status).toBe(200);
    expect((await asked(strict, await status(strict))).status).toBe(200);
  });

  it('is not talked to when its CA says that the certificate has been revoked', async () => {
    const response = await status(far, { revoked: true });
    await expect(asked(far, response)).rejects.toMatchObject(refusedFor('certificate revoked (OCSP)'));
  });

  it('is not talked to when its certificate asks for a response, and none is shown', async () => {
    await expect(asked(strict)).rejects.toMatchObject(refusedFor('its certificate asks for an OCSP response'));
  });

  it('is not talked to when it shows the response of another certificate, or garbage', async () => {
    const response = await status(other);
    await expect(asked(far, response)).rejects.toMatchObject(refusedFor('about another certificate'));
    await expect(asked(far, Buffer.from('none'))).rejects.toMatchObject(refusedFor('cannot be read'));
  });
});

describe('an OCSP response', () => {
  async function judged(response: Buffer, more: { now?: number; issuer?: string; certificate?: Certificate } = {}) {
    const { now = Date.now(), issuer = authority.cert, certificate = far } = more;
    const read = async (file: string) => new X509Certificate(await readFile(file));
    return objectionTo({ response, certificate: await read(certificate.cert), issuer: await read(issuer), now });
  }

  it('counts from its day to the next one', async () => {
    const response = await status(far);
    expect(await judged(response)).toBeUndefined();
    expect(await judged(response, { now: Date.now() + 2 * DAY })).toMatch(/has run out/);
    expect(await judged(response, { now: Date.now() - DAY })).toMatch(/has run out/);
  });

  it('may be signed by whom the CA has appointed, and by nobody else', async () => {
    const appointed = await authority.issue(
      'responder',
      'ocsp.example',
      'DNS:ocsp.example',
      'extendedKeyUsage=OCSPSigning',
    );
    expect(await judged(await status(far, { signer: appointed }))).toBeUndefined();
    expect(await judged(await status(far, { signer: appointed, revoked: true }))).toMatch(/revoked/);
    expect(await judged(await status(far, { signer: other }))).toMatch(/not signed by the CA/);
  });

  it('of a CA of the same name is none of this CA', async () => {
    const twin = await Authority.create();
    open.push({ close: () => twin.remove() });
    const response = await twin.ocspResponse(far).then((file) => readFile(file));
    expect(await judged(response)).toMatch(/about another certificate/);
    expect(await judged(await status(far), { issuer: twin.cert })).toMatch(/about another certificate/);
  });

  it('without an answer ("try later") is as good as none', async () => {
    // OCSPResponse { responseStatus tryLater (3) }
    const tryLater = Buffer.from([0x30, 0x03, 0x0a, 0x01, 0x03]);
    expect(await judged(tryLater)).toBeUndefined();
    expect(await judged(tryLater, { certificate: strict })).toMatch(/asks for an OCSP response/);
  });

  it('in which a bit has changed of what was signed vouches for nothing', async () => {
    const response = await status(strict);
    const facts = {
      certificate: new X509Certificate(await readFile(strict.cert)),
      issuer: new X509Certificate(await readFile(authority.cert)),
      now: Date.now(),
    };
    expect(objectionTo({ ...facts, response })).toBeUndefined();
    const [, basic] = derSequence(derSequence(response)[1]!.body);
    const [{ whole: signed } = { whole: response }] = derSequence(basic!.body);
    const begin = response.indexOf(signed);
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(response);
        changed[begin + at]! ^= 1 << bit;
        expect(objectionTo({ ...facts, response: changed })).toBeDefined();
      }),
      { numRuns: 400 },
    );
  });
});
