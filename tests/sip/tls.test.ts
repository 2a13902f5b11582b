import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { connect as tcpConnect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { altNamesIn } from '../../src/sip/transport/peer-identity.ts';
import { TlsCredentials } from '../../src/sip/transport/tls-credentials.ts';
import type { TlsFiles } from '../../src/sip/transport/tls-files.ts';
import type { UserAgentOptions } from '../../src/sip/user-agent.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { answering, listening, secureAgent, TlsPeer } from './secure-peers.ts';
import { listen, OFFER } from './support.ts';

const URI = 'sip:bank@127.0.0.1';
let authority: Authority;
let stranger: Authority;
let ours: Certificate;
let trunk: Certificate;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  [authority, stranger] = await Promise.all([Authority.create(), Authority.create('Somebody else')]);
  ours = await authority.issue('connector', 'connector.example', 'DNS:localhost,IP:127.0.0.1');
  trunk = await authority.issue('trunk', 'trunk.example', 'DNS:trunk.example,URI:sip:trunk.example,IP:192.0.2.7');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => Promise.all([authority.remove(), stranger.remove()]));

const pem = (file: string) => readFileSync(file);
const shown = ({ cert, key }: Certificate) => ({ cert: pem(cert), key: pem(key) });

const secure = (tls: Partial<Omit<TlsFiles, 'ca'>> = {}, options: Partial<UserAgentOptions> = {}) =>
  secureAgent(open, { certificates: [ours], clientCertificates: 'none', ...tls, ca: authority.cert }, options);

describe('a call over TLS', () => {
  it('rings, is answered, and our BYE goes back over the connection it came by', async () => {
    const { ua, port, join } = await secure();
    const peer = await join();
    expect(peer.socket.getProtocol()).toBe('TLSv1.3');
    peer.say('INVITE', URI, { body: OFFER });
    const ok = await peer.response(200);
    expect(ok.headers.get('contact')).toBe(`<sip:bank@127.0.0.1:${port};transport=tls>`);
    peer.say('ACK', URI, { toTag: ok.toTag });
    expect(ua.dialogs).toBe(1);
    void ua.close();
    const bye = await peer.request('BYE');
    expect(bye.via.transport).toBe('TLS');
    peer.reply(bye, 200);
  });

  it('asked for by sips: gets a sips: Contact', async () => {
    const { port, join } = await secure();
    const peer = await join();
    peer.say('INVITE', 'sips:bank@127.0.0.1', { body: OFFER });
    expect((await peer.response(200)).headers.get('contact')).toBe(`<sips:bank@127.0.0.1:${port}>`);
  });

  it('is spoken in TLS 1.2, and not in 1.1', async () => {
    const { join } = await secure();
    const peer = await join({ maxVersion: 'TLSv1.2' });
    peer.say('OPTIONS', URI);
    await peer.response(200);
    await expect(join({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).rejects.toThrow();
  });

  it('is served to openssl, whose keep-alive is answered', async () => {
    const { port } = await secure();
    const said = await new Promise<string>((resolve, reject) => {
      const args = ['s_client', '-quiet', '-verify_return_error', '-CAfile', authority.cert];
      const child = execFile('openssl', [...args, '-connect', `127.0.0.1:${port}`], { timeout: 10_000 });
      let text = '';
      child.on('error', reject);
      child.on('close', () => resolve(text));
      child.stdout!.on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('200 OK') && text.endsWith('\r\n\r\n\r\n')) child.kill();
      });
      child.stdin!.write(
        'OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKo;rport\r\nFrom: <sip:a@b>;tag=1\r\n' +
          'To: <sip:127.0.0.1>\r\nCall-ID: openssl\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n',
      );
      child.stdin!.write('\r\n\r\n');
    });
    expect(said).toMatch(/SIP\/2\.0 200 OK/);
    expect(said).toMatch(/\r\n\r\n\r\n$/);
  });
});

describe("the peer's certificate", () => {
  it('is readable on every request when it is asked for', async () => {
    const { peers, join } = await secure({ clientCertificates: 'optional' });
    const other = await stranger.issue('trunk', 'trunk.example', 'DNS:trunk.example');
    for (const certificate of [trunk, other, undefined]) {
      const peer = await join(certificate === undefined ? {} : shown(certificate));
      peer.say('OPTIONS', URI, { callId: `o${peers.length}` });
      await peer.response(200);
    }
    expect(peers[0]).toEqual({
      commonName: 'trunk.example',
      altNames: ['DNS:trunk.example', 'URI:sip:trunk.example', 'IP Address:192.0.2.7'],
      fingerprint256: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      authorized: true,
    });
    // The same names from a CA nobody trusts.
    expect(peers[1]).toMatchObject({ commonName: 'trunk.example', authorized: false });
    expect(peers[2]).toBeUndefined();
  });

  it('is needed where that is configured', async () => {
    const { peers, join } = await secure({ clientCertificates: 'required' });
    // In TLS 1.3 a client is through before the server has looked at its certificate.
    const refused = await join();
    await new Promise((resolve) => refused.socket.once('close', resolve));
    const impostor = await join(shown(await stranger.issue('x', 'trunk.example', 'DNS:trunk.example')));
    await new Promise((resolve) => impostor.socket.once('close', resolve));
    const peer = await join(shown(trunk));
    peer.say('OPTIONS', URI);
    await peer.response(200);
    expect(peers).toHaveLength(1);
    expect(peers[0]).toMatchObject({ commonName: 'trunk.example', authorized: true });
  });

  it('cannot smuggle a second name into one', () => {
    expect(altNamesIn('DNS:a.example, DNS:b.example')).toEqual(['DNS:a.example', 'DNS:b.example']);
    expect(altNamesIn('DNS:"a.example, DNS:bank.example", URI:sip:c')).toEqual([
      'DNS:a.example, DNS:bank.example',
      'URI:sip:c',
    ]);
    expect(altNamesIn('DNS:"open, DNS:bank.example')).toEqual([]);
  });
});

describe('our certificate', () => {
  it('is chosen by the name a client asks for, the first one otherwise', async () => {
    const second = await authority.issue('second', 'second.example', 'DNS:*.second.example');
    const { join } = await secure({ certificates: [ours, second] });
    const named = async (servername: string) => {
      const peer = await join({ servername, checkServerIdentity: () => undefined });
      return peer.socket.getPeerCertificate().subject.CN;
    };
    expect(await named('sip.second.example')).toBe('second.example');
    expect(await named('localhost')).toBe('connector.example');
    expect(await named('elsewhere.example')).toBe('connector.example');
  });

  it('is changed under running calls: they go on, new connections get the new one', async () => {
    const mine = await authority.issue('live', 'before.example', 'DNS:localhost');
    const next = await authority.issue('next', 'after.example', 'DNS:localhost');
    const errors: unknown[] = [];
    const log = silentLogger.child({});
    log.error = ((facts: unknown) => errors.push(facts)) as typeof log.error;
    const credentials = new TlsCredentials({ certificates: [mine], ca: undefined, clientCertificates: 'none' }, log);
    const server = createServer(credentials.serverOptions(), (socket) => socket.pipe(socket));
    credentials.onChange(() => server.setSecureContext(credentials.serverOptions()));
    const port = await listening(open, server);
    const names = async () => {
      const peer = await TlsPeer.open(port, { ca: pem(authority.cert) });
      open.push(peer);
      return { peer, name: peer.socket.getPeerCertificate().subject.CN };
    };
    const before = await names();
    expect(before.name).toBe('before.example');
    // Half of it first: the key does not fit.
    await copyFile(next.cert, mine.cert);
    credentials.look();
    expect(errors).toHaveLength(1);
    expect((await names()).name).toBe('before.example');
    await copyFile(next.key, mine.key);
    credentials.look();
    expect((await names()).name).toBe('after.example');
    const echoed = new Promise<string>((resolve) => before.peer.socket.once('data', (data) => resolve(String(data))));
    before.peer.write('still here');
    expect(await echoed).toBe('still here');
    expect(errors).toHaveLength(1);
  });

  it.each([
    ['a file that is not there', { cert: '/nowhere.pem' }, /^\/nowhere\.pem cannot be read \(ENOENT\)$/],
    ['a key of another certificate', { key: 'trunk' }, /trunk\.key is not the key of .*connector\.pem$/],
    ['a key that is none', { key: 'ca.pem' }, /ca\.pem is not a usable private key in PEM$/],
    ['a certificate that is none', { cert: 'trunk' }, /trunk\.key has no certificate in PEM$/],
  ])('with %s is refused in one line', (_, wrong, line) => {
    const at = (name: string | undefined, good: string) =>
      name === undefined ? good : name === 'trunk' ? trunk.key : name === 'ca.pem' ? authority.cert : name;
    const pair = {
      cert: at((wrong as Partial<Certificate>).cert, ours.cert),
      key: at((wrong as Partial<Certificate>).key, ours.key),
    };
    const load = () =>
      new TlsCredentials({ certificates: [pair], ca: undefined, clientCertificates: 'none' }, silentLogger);
    expect(load).toThrow(line);
  });
});

describe('requests of ours over TLS', () => {
  async function far(certificate: Certificate, respond: (socket: TLSSocket) => void = answering) {
    const server = createServer({ ...shown(certificate), ca: pem(authority.cert), requestCert: true }, respond);
    return { server, port: await listening(open, server) };
  }

  it('verify the name in the URI, show our certificate, and use one connection', async () => {
    const subjects: unknown[] = [];
    const { port } = await far(ours, (socket) => {
      subjects.push(socket.getPeerCertificate().subject.CN);
      answering(socket);
    });
    const { ua } = await secure();
    for (const uri of [`sip:localhost:${port};transport=tls`, `sips:localhost:${port}`]) {
      expect((await ua.request('OPTIONS', uri)).status).toBe(200);
    }
    expect(subjects).toEqual(['connector.example']);
  });

  it('do not go to a server with another name, nor to one of an unknown CA', async () => {
    const { ua } = await secure();
    const misnamed = await far(trunk);
    await expect(ua.request('OPTIONS', `sips:localhost:${misnamed.port}`)).rejects.toMatchObject({
      sipStatus: 503,
      message: expect.stringContaining('certificate is for trunk.example'),
    });
    const unknown = await far(await stranger.issue('localhost', 'localhost', 'DNS:localhost'));
    await expect(ua.request('OPTIONS', `sips:localhost:${unknown.port}`)).rejects.toMatchObject({ sipStatus: 503 });
  });

  it('never go unencrypted for a sips: URI', async () => {
    const { ua } = await listen();
    open.push(ua);
    await expect(ua.request('OPTIONS', 'sips:127.0.0.1:5061')).rejects.toMatchObject({ sipStatus: 503 });
    await expect(ua.request('OPTIONS', 'sips:127.0.0.1;transport=udp')).rejects.toMatchObject({ sipStatus: 503 });
  });
});

describe('what is no TLS, or never becomes any', () => {
  it('is cut off, and holds no place', async () => {
    const limits = { connections: { handshakeMs: 150, maxConnections: 3 } };
    const { join, port } = await secure({}, { limits });
    const closed = (text: string) =>
      new Promise<void>((resolve) => {
        const socket = tcpConnect(port, '127.0.0.1', () => void (text !== '' && socket.write(text)));
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.resume();
      });
    // More than there are places, and all at once: silent ones and a SIP request in the clear.
    await Promise.all(['', '', '', '', 'OPTIONS sip:a SIP/2.0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'].map(closed));
    const peer = await join();
    peer.say('OPTIONS', URI);
    await peer.response(200);
  });
});
