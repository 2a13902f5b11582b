import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { SessionEnd } from '../../src/sip/session/session-end.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { ANSWER, listen, OFFER, UdpPeer } from './support.ts';

const PROXY = new URL('./tls-proxy.cfg', import.meta.url).pathname;
let authority: Authority;
let ours: Certificate;
let theirs: Certificate;
let folder: string;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-peers-'));
  authority = await Authority.create();
  ours = await authority.issue('connector', 'connector.example', 'DNS:localhost,IP:127.0.0.1');
  theirs = await authority.issue('trunk', 'trunk.example', 'DNS:trunk.example,IP:127.0.0.1');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(async () => {
  await Promise.all([authority.remove(), rm(folder, { recursive: true, force: true })]);
});

/** Only who shows a certificate of our CA is let in. */
async function serve() {
  const invites: IncomingInvite[] = [];
  const { ua } = await listen({
    listen: [{ protocol: 'tls', host: '127.0.0.1', port: 0 }],
    tls: { certificates: [ours], ca: authority.cert, clientCertificates: 'required' },
    onInvite: (invite) => {
      invites.push(invite);
      invite.progress();
      void invite.answer(ANSWER).catch(() => undefined);
    },
  });
  open.push(ua);
  return { ua, invites, port: ua.bound[0]!.port };
}

/** A program from Debian. `output` is what it said so far. */
function start(command: string, args: string[]) {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(String(chunk)));
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await exited;
    clearTimeout(limit);
  };
  open.push({ close: stop });
  return { exited, output: () => said.join('') };
}

describe('over TLS with certificates on both sides', () => {
  it('baresip calls, is known by its certificate, and hangs up', async () => {
    const { ua, invites, port } = await serve();
    const both = `${await readFile(theirs.cert, 'utf8')}${await readFile(theirs.key, 'utf8')}`;
    await writeFile(join(folder, 'client.pem'), both);
    const modules = ['g711', 'ausine', 'aufile', 'account', 'menu'].map((name) => `module ${name}.so`);
    const config = [
      'sip_listen 127.0.0.1:0',
      `sip_cafile ${authority.cert}`,
      'sip_verify_server yes',
      `sip_certificate ${join(folder, 'client.pem')}`,
      `module_path ${await modulesOfBaresip()}`,
      ...['audio_source ausine,440', 'audio_player aufile,none', 'audio_alert aufile,none', ...modules],
    ];
    await writeFile(join(folder, 'config'), config.join('\n'));
    await writeFile(join(folder, 'accounts'), '<sip:+15550100@127.0.0.1;transport=tls>;regint=0\n');
    await writeFile(join(folder, 'contacts'), '');
    const dial = ['-e', `/dial sip:bank@127.0.0.1:${port};transport=tls`];
    const baresip = start('baresip', ['-f', folder, ...dial, '-t', '6']);
    await expect.poll(() => invites.length).toBe(1);
    const { session, signal } = invites[0]!;
    expect(session.flow.peer).toMatchObject({
      commonName: 'trunk.example',
      altNames: ['DNS:trunk.example', 'IP Address:127.0.0.1'],
      authorized: true,
    });
    await baresip.exited;
    expect(signal.reason as SessionEnd, baresip.output()).toMatchObject({ by: 'remote', how: 'bye' });
    expect(ua.dialogs).toBe(0);
  });

  it('Kamailio brings a call that came to it by UDP, and our BYE goes back through it', async () => {
    const { invites, port } = await serve();
    const [inside, outside] = [await freePort(), await freePort()];
    const files = { CERT: theirs.cert, KEY: theirs.key, CA: authority.cert };
    const defines = { ...files, CONNECTOR: `sip:127.0.0.1:${port};transport=tls` };
    const kamailio = start('/usr/sbin/kamailio', [
      ...['-f', PROXY, '-DD', '-E', '-Y', folder, '-w', folder, '-P', join(folder, 'pid'), '-m', '32', '-M', '4'],
      ...['-l', `udp:127.0.0.1:${outside}`, '-l', `tls:127.0.0.1:${inside}`],
      ...Object.entries(defines).flatMap(([name, value]) => ['-A', `${name}="${value}"`]),
    ]);
    const peer = await UdpPeer.open(outside);
    open.push(peer);
    // It takes a moment to start; one transaction, sent again until it is there.
    const branch = peer.branch();
    const again = setInterval(() => peer.say('INVITE', 'sip:bank@127.0.0.1', { body: OFFER, branch }), 500);
    open.push({ close: () => clearInterval(again) });
    const ok = await peer.response(200).catch((error: unknown) => {
      throw new Error(`${error}\n${kamailio.output()}`);
    });
    clearInterval(again);
    const [invite] = invites;
    expect(invite?.session.flow).toMatchObject({ protocol: 'tls', peer: { commonName: 'trunk.example' } });
    const routes = ok.headers.list('record-route').reverse();
    expect(routes).toHaveLength(2);
    const target = ok.contact!.uri;
    peer.say('ACK', target, { toTag: ok.toTag, headers: routes.map((route) => `Route: ${route}`) });
    await expect.poll(() => invite!.session.theirInvite).toBe(false);
    const over = invite!.session.bye();
    const bye = await peer.request('BYE');
    expect(bye.headers.list('via').map((via) => via.split(' ')[0])).toEqual(['SIP/2.0/UDP', 'SIP/2.0/TLS']);
    peer.reply(bye, 200);
    await over;
  });
});

async function modulesOfBaresip(): Promise<string> {
  const found = start('find', ['/usr/lib', '-path', '*baresip/modules', '-type', 'd']);
  await found.exited;
  return found.output().trim().split('\n')[0] ?? '';
}
