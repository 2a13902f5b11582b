import { execFile } from 'node:child_process';
import { appendFile, copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MediaReport } from '../../src/media/ports.ts';
import { tone } from '../media/support.ts';
import type { RecordedCall } from '../support/call-record.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { openBrowser, signIn } from './browser.ts';
import { fakeMicrophone } from './fake-microphone.ts';

const SHIPPED = fileURLToPath(new URL('../../sip-config', import.meta.url));
const NAME = 'voice.test';

let authority: Authority;
let certificate: Certificate;
let folder: string;
let connector: Connector;
let port: number;

beforeAll(async () => {
  authority = await Authority.create();
  certificate = await withChain('page');
  folder = await mkdtemp(join(tmpdir(), 'https-'));
  await cp(SHIPPED, folder, { recursive: true });
  await writeFile(join(folder, 'trunks.yaml'), 'trunks: [{ name: page, browser: true, media: { codecs: [PCMU] } }]\n');
  const { cert, key } = certificate;
  connector = await startConnector({
    SIP_CONFIG: folder,
    HTTP_TLS_CERT: cert,
    HTTP_TLS_KEY: key,
    SIP_TLS_CERT: cert,
    SIP_TLS_KEY: key,
    SIP_TLS_PORT: '0',
    SIP_WSS_PORT: '0',
  });
  port = Number(new URL(connector.url).port);
});
afterAll(async () => {
  await connector?.stop();
  await authority.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A certificate that is sent with its authority's, as a server has to. */
async function withChain(file: string): Promise<Certificate> {
  const issued = await authority.issue(file, NAME, `DNS:${NAME},IP:127.0.0.1`);
  await appendFile(issued.cert, await readFile(authority.cert));
  return issued;
}

/** What Chromium has to hear of the authority: the hash of its key. */
async function keyHash(): Promise<string> {
  const script =
    'openssl x509 -in "$0" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64';
  return (await promisify(execFile)('sh', ['-c', script, authority.cert])).stdout.trim();
}

const elsewhere = `--host-resolver-rules=MAP ${NAME} 127.0.0.1`;

/** An answer of the port to HTTP in the clear. */
function inTheClear(path: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; location: string | undefined; body: string }>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
      let body = '';
      for await (const part of response) body += String(part);
      resolve({ status: response.statusCode!, location: response.headers.location, body });
    });
    asked.on('error', reject).end();
  });
}

function servedCertificate(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: NAME, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('the page over HTTPS', () => {
  test('has its phone away from this machine: a name of the bank’s, its own authority, the codec the trunk wants', async () => {
    const microphone = await fakeMicrophone(tone(8000, 500, 0.2), 'looped');
    const args = [...microphone.args, elsewhere, `--ignore-certificate-errors-spki-list=${await keyHash()}`];
    const browser = await openBrowser({ args });
    try {
      const { page, context } = browser;
      const url = `https://${NAME}:${port}`;
      await context.grantPermissions(['microphone'], { origin: url });
      await signIn(page, url, connector.token);
      expect((await context.cookies()).map(({ secure }) => secure)).toEqual([true]);
      await page.goto(`${url}/phone`);
      await page.getByRole('button', { name: 'Call', exact: true }).click();
      await page.getByText('How can I help you').waitFor({ timeout: 20_000 });
      await page.getByRole('button', { name: 'Hang up' }).click();
      const [{ sessionId }] = (await page.evaluate(async () => (await fetch('/api/v1/calls')).json())).calls;
      const report = async () => {
        const read = (id: string) => fetch(`/api/v1/calls/${id}`).then((response) => response.json());
        const { events } = (await page.evaluate(read, sessionId)) as RecordedCall;
        return events.find(({ type }) => type === 'media-report')?.data as MediaReport | undefined;
      };
      await expect.poll(report).toMatchObject({ codec: 'PCMU', srtp: { by: 'dtls', forged: 0 } });
      expect(browser.troubles).toEqual([]);
    } finally {
      await browser.close();
      await microphone.remove();
    }
  });

  test('is not opened by a browser that does not know the authority', async () => {
    const browser = await openBrowser({ args: [elsewhere] });
    try {
      await expect(browser.page.goto(`https://${NAME}:${port}/`)).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
    } finally {
      await browser.close();
    }
  });

  test('sends on who opens it in the clear, and refuses everything else there', async () => {
    const host = `${NAME}:${port}`;
    const html = { host, accept: 'text/html,*/*' };
    expect(await inTheClear('/calls?q=x', html)).toMatchObject({ status: 308, location: `https://${host}/calls?q=x` });
    const token = { host, authorization: `Bearer ${connector.token}` };
    const refused = await inTheClear('/api/v1/calls', token);
    expect(refused).toMatchObject({ status: 403, location: undefined });
    expect(JSON.parse(refused.body)).toMatchObject({ status: 403, title: 'HTTPS only' });
    for (const [headers, method] of [
      [{ ...html, ...token }, 'GET'],
      [html, 'POST'],
      [{ ...html, host: 'evil"<x' }, 'GET'],
    ] as const)
      expect(await inTheClear('/', headers, method)).toMatchObject({ status: 403, location: undefined });
  });

  test('is healthy to the container it runs in, whose name the certificate does not have', async () => {
    const healthy = (env: Record<string, string>) =>
      new Promise<number | null>((resolve) => {
        const check = fileURLToPath(new URL('../../scripts/healthy.mjs', import.meta.url));
        execFile(process.execPath, [check], { env }).on('exit', resolve);
      });
    const env = { HTTP_PORT: String(port), HTTP_TLS_CERT: certificate.cert };
    expect(await healthy(env)).toBe(0);
    expect(await healthy({ ...env, HTTP_HOST: '127.0.0.1' })).toBe(0);
    expect(await healthy({ ...env, HTTP_HOST: '127.0.0.2' })).toBe(1);
    // As it was asked before, which is refused.
    expect(await healthy({ HTTP_PORT: String(port) })).toBe(1);
  });

  test('shows another certificate within seconds of its files being changed, and keeps the old one for a wrong key', async () => {
    const before = await servedCertificate();
    const next = await withChain('next');
    await copyFile(next.cert, certificate.cert);
    const wrong = () => connector.logs.some(({ message }) => /changed TLS files were not taken/.test(String(message)));
    await expect.poll(wrong).toBe(true);
    expect(await servedCertificate()).toBe(before);
    await copyFile(next.key, certificate.key);
    await expect.poll(servedCertificate, { interval: 250 }).not.toBe(before);
  });
});
