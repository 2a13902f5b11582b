import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { ocspNextUpdate } from '../../src/sip/transport/ocsp.ts';
import { extensionOf, namesIn, readRevocationLists } from '../../src/sip/transport/revocation.ts';
import { TlsCredentials } from '../../src/sip/transport/tls-credentials.ts';
import { loadTls, type TlsFiles } from '../../src/sip/transport/tls-files.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { listening, secureAgent, type TlsPeer } from './secure-peers.ts';
import { OFFER } from './support.ts';

const run = promisify(execFile);
const URI = 'sip:bank@127.0.0.1';
let authority: Authority;
let ours: Certificate;
let trunk: Certificate;
let lost: Certificate;
/** Lists: nobody is revoked; `lost` is; `lost` is, and the list has run out. */
let nobody: string;
let lostIsRevoked: string;
let runOut: string;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  ours = await authority.issue('connector', 'connector.example', 'DNS:localhost,IP:127.0.0.1');
  trunk = await authority.issue('trunk', 'trunk.example', 'DNS:trunk.example');
  lost = await authority.issue('lost', 'lost.example', 'DNS:localhost');
  nobody = await authority.revoke('nobody.crl', []);
  lostIsRevoked = await authority.revoke('lost.crl', [lost]);
  runOut = await authority.revoke('run-out.crl', [lost], -1000);
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => authority.remove());

const shown = async ({ cert, key }: Certificate) => ({ cert: await readFile(cert), key: await readFile(key) });

async function secure(tls: Partial<Omit<TlsFiles, 'ca'>>) {
  const files = { certificates: [ours], clientCertificates: 'required', ...tls, ca: authority.cert } as const;
  const { join: connect, ...agent } = await secureAgent(open, files);
  const join = async (certificate: Certificate, more: Parameters<typeof connect>[0] = {}) =>
    connect({ ...(await shown(certificate)), ...more });
  return { ...agent, join };
}

const closed = ({ socket }: TlsPeer) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

async function served(peer: TlsPeer): Promise<void> {
  peer.say('OPTIONS', URI);
  await peer.response(200);
}

describe('a trunk whose certificate has been revoked', () => {
  it('is not let in, while others are', async () => {
    const { peers, join } = await secure({ revocationLists: [lostIsRevoked] });
    await closed(await join(lost));
    await served(await join(trunk));
    expect(peers.map((peer) => peer?.commonName)).toEqual(['trunk.example']);
  });

  it('is told by openssl that its certificate is revoked', async () => {
    const { port } = await secure({ revocationLists: [lostIsRevoked] });
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authority.cert, '-tls1_2'];
    const run = (certificate: Certificate) =>
      new Promise<string>((resolve) => {
        const child = execFile(
          'openssl',
          [...args, '-cert', certificate.cert, '-key', certificate.key],
          (_, out, err) => resolve(`${out}${err}`),
        );
        child.stdin!.end();
      });
    expect(await run(trunk)).toMatch(/Verify return code: 0 \(ok\)/);
    // Node.js ends the connection behind the handshake, without an alert: nothing of SIP is ever read.
    expect(await run(lost)).not.toMatch(/SIP\/2\.0/);
  });

  it('is known by nothing where certificates are optional', async () => {
    const { peers, join } = await secure({ clientCertificates: 'optional', revocationLists: [lostIsRevoked] });
    await served(await join(lost));
    await served(await join(trunk));
    expect(peers.map((peer) => peer?.authorized)).toEqual([false, true]);
  });

  it('loses the connection it has as soon as the list says so, and cannot come back by its old session', async () => {
    const list = await authority.revoke('live.crl', []);
    const files: TlsFiles = {
      certificates: [ours],
      ca: authority.cert,
      revocationLists: [list],
      clientCertificates: 'required',
    };
    const { ua, join } = await secure(files);
    const revoked = await join(lost);
    const session = new Promise<Buffer>((resolve) => revoked.socket.once('session', resolve));
    const good = await join(trunk);
    revoked.say('INVITE', URI, { body: OFFER });
    const ok = await revoked.response(200);
    revoked.say('ACK', URI, { toTag: ok.toTag });
    await served(good);
    expect(ua.dialogs).toBe(1);
    const over = closed(revoked);
    await copyFile(lostIsRevoked, list);
    await over;
    await served(good);
    await closed(await join(lost, { session: await session }));
  });
});

describe('requests of ours', () => {
  async function far(certificate: Certificate): Promise<number> {
    const ignore = (socket: TLSSocket) => void socket.on('error', () => undefined);
    return listening(open, createServer(await shown(certificate), ignore));
  }

  it('do not go to a server whose certificate has been revoked', async () => {
    const port = await far(lost);
    const { ua } = await secure({ revocationLists: [lostIsRevoked] });
    await expect(ua.request('OPTIONS', `sips:localhost:${port}`)).rejects.toMatchObject({
      sipStatus: 503,
      message: expect.stringContaining('certificate revoked'),
    });
  });
});

describe('revocation lists', () => {
  const files = (list: string): TlsFiles => ({
    certificates: [ours],
    ca: authority.cert,
    revocationLists: [list],
    clientCertificates: 'required',
  });

  it('are read as PEM, several in a file, and as DER', async () => {
    const both = join(authority.folder, 'both.crl');
    await writeFile(both, `${await readFile(nobody, 'utf8')}\n${await readFile(lostIsRevoked, 'utf8')}`);
    expect(readRevocationLists(await readFile(both)).map(({ revoked }) => revoked.size)).toEqual([0, 1]);
    const der = join(authority.folder, 'lost.der');
    await run('openssl', ['crl', '-in', lostIsRevoked, '-outform', 'DER', '-out', der]);
    expect(readRevocationLists(await readFile(der))).toEqual(readRevocationLists(await readFile(lostIsRevoked)));
    const { peers, join: call } = await secure({ revocationLists: [der] });
    await closed(await call(lost));
    expect(peers).toEqual([]);
  });

  it('may be anything: it is read, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const extension = (der: Buffer) => extensionOf(der, '2b06010505070118');
        for (const read of [readRevocationLists, ocspNextUpdate, namesIn, extension]) {
          try {
            read(Buffer.from(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('that are none, or leave out a CA we trust, are refused in one line', async () => {
    expect(() => loadTls(files(ours.cert))).toThrow(/connector\.pem has no certificate revocation list in PEM or DER$/);
    const other = await Authority.create('Somebody else');
    open.push({ close: () => other.remove() });
    const foreign = await other.revoke('foreign.crl', []);
    expect(() => loadTls(files(foreign))).toThrow(
      /there is no revocation list of CN=Test CA, which stands in .*ca\.pem/,
    );
  });

  it('that have run out are reported, and let nobody in', async () => {
    const said: string[] = [];
    const log = silentLogger.child({});
    log.error = ((...words: unknown[]) => said.push(String(words[1]))) as typeof log.error;
    const credentials = new TlsCredentials(files(runOut), log);
    credentials.look();
    expect(said).toEqual(['revocation lists have run out: certificates of their CAs are refused']);
    const { peers, join } = await secure({ revocationLists: [runOut] });
    await closed(await join(trunk));
    expect(peers).toEqual([]);
  });
});

describe('what our CA says of our own certificate', () => {
  const status = async (port: number, ...more: string[]) => {
    const args = ['s_client', '-status', '-connect', `127.0.0.1:${port}`, '-CAfile', authority.cert, ...more];
    const asked = run('openssl', args);
    asked.child.stdin!.end();
    return (await asked).stdout;
  };

  it('is shown to those who ask for it', async () => {
    const ocsp = await authority.ocspResponse(ours);
    const { port } = await secure({ certificates: [{ ...ours, ocsp }], clientCertificates: 'none' });
    for (const name of [['-noservername'], ['-servername', 'localhost']]) {
      expect(await status(port, ...name)).toMatch(/OCSP Response Status: successful[\s\S]*Cert Status: good/);
    }
  });

  it('is left out where there is nothing to show', async () => {
    const { port } = await secure({ clientCertificates: 'none' });
    expect(await status(port)).toMatch(/OCSP response: no response sent/);
  });

  it('has to be an OCSP response', () => {
    const wrong: TlsFiles = {
      certificates: [{ ...ours, ocsp: ours.cert }],
      ca: undefined,
      clientCertificates: 'none',
    };
    expect(() => loadTls(wrong)).toThrow(/connector\.pem has no OCSP response in DER with a nextUpdate$/);
  });
});
