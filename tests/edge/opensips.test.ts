import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SipRequest } from '../../src/sip/message/message.ts';
import type { Session } from '../../src/sip/session/session.ts';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { ANSWER, listen, OFFER, UdpPeer } from '../sip/support.ts';
import { freePort } from '../support/free-port.ts';
import { Phone } from '../support/phone/phone.ts';
import { writeWav } from '../support/phone/wav.ts';
import { type Edge, metricOf, startOpensips } from './edge.ts';

const DIGEST_CALL = fileURLToPath(new URL('./digest-call.xml', import.meta.url));
const hash = (algorithm: string, password: string) =>
  createHash(algorithm).update(`ada:voice:${password}`).digest('hex');

// What only the shipped opensips.cfg does; needs an OpenSIPS that has been built (tests/edge/edge.ts).
describe.skipIf(!process.env.OPENSIPS)('the OpenSIPS edge', () => {
  let ua: UserAgent;
  let connectorPort: number;
  let edge: Edge | undefined;
  const invites: SipRequest[] = [];
  const sessions: Session[] = [];
  const open: { close(): unknown }[] = [];

  beforeAll(async () => {
    const listening = await listen({
      timers: {},
      onInvite: (invite) => {
        invites.push(invite.request);
        invite.session.handlers.onOffer = () => ANSWER;
        invite.answer(ANSWER).then(
          () => sessions.push(invite.session),
          () => undefined,
        );
      },
    });
    ua = listening.ua;
    connectorPort = listening.udp;
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await edge?.stop();
    edge = undefined;
    invites.splice(0);
    sessions.splice(0);
  });
  afterAll(() => ua.close());

  async function start(options: Parameters<typeof startOpensips>[1]): Promise<Edge> {
    edge = await startOpensips([connectorPort], options);
    return edge;
  }

  async function phone(headers: { name: string; value: string }[] = []): Promise<Phone> {
    const opened = await Phone.open({ headers });
    open.push(opened);
    return opened;
  }

  /** A caller from an unknown address who says on the wire exactly what a test wants said. */
  async function stranger() {
    const peer = await UdpPeer.open(edge!.port);
    open.push(peer);
    const uri = `sip:bank@127.0.0.1:${edge!.port}`;
    let call = 0;
    return {
      peer,
      uri,
      /** The challenges to a new call. */
      async challenged(): Promise<string[]> {
        peer.say('INVITE', uri, { callId: `call-${++call}`, body: OFFER });
        return (await peer.response(407)).headers.lines('proxy-authenticate');
      },
      /** The call again, with ada's credentials as this password makes them (RFC 7616 3.4). */
      callWith(algorithm: 'md5' | 'sha256', challenge: string, password: string): void {
        const nonce = /nonce="([^"]+)"/.exec(challenge)![1]!;
        const digest = (text: string) => createHash(algorithm).update(text).digest('hex');
        const response = digest(`${hash(algorithm, password)}:${nonce}:00000001:c:auth:${digest(`INVITE:${uri}`)}`);
        const name = algorithm === 'md5' ? 'MD5' : 'SHA-256';
        const credentials =
          `Proxy-Authorization: Digest username="ada",realm="voice",nonce="${nonce}",uri="${uri}",algorithm=${name},` +
          `qop=auth,nc=00000001,cnonce="c",response="${response}"`;
        peer.say('INVITE', uri, { callId: `call-${call}`, cseq: 2, body: OFFER, headers: [credentials] });
      },
    };
  }

  const metric = (name: string) => metricOf(edge!, name);

  const PASSWORD = {
    address: [],
    subscriber: [`1:ada:${hash('md5', 'secret')}:${hash('sha256', 'secret')}::name=branch`],
    env: { EDGE_DIGEST: 'MD5' },
  };
  const sipp = (password: string) =>
    new Promise<boolean>((resolve) => {
      const args = ['-sf', DIGEST_CALL, `127.0.0.1:${edge!.port}`, '-i', '127.0.0.1', '-au', 'ada', '-ap', password];
      args.push('-m', '1', '-nostdin', '-timeout', '8s', '-timeout_error', '-recv_timeout', '3000');
      execFile('/usr/bin/sipp', args, (error) => resolve(error === null));
    });

  it('tells the connector the trunk, whatever the caller claims, and believes identities of trusted trunks only', async () => {
    await start({ address: ['1:1:127.0.0.0:8:0:any::name=carrier-a;trusted=yes'] });
    const claims = [
      { name: 'X-Trunk', value: 'forged' },
      { name: 'P-Asserted-Identity', value: '<sip:+15550199@carrier.example>' },
    ];
    const caller = await phone(claims);
    await caller.dial(`sip:bank@127.0.0.1:${edge!.port}`);
    expect(invites[0]!.headers.lines('x-trunk')).toEqual(['carrier-a']);
    expect(invites[0]!.headers.get('p-asserted-identity')).toBe('<sip:+15550199@carrier.example>');
    await caller.hangup();
  });

  it("serves a phone that has it as its outbound proxy, but is nobody else's relay", async () => {
    await start({});
    const ours = { name: 'Route', value: `<sip:127.0.0.1:${edge!.port};lr>` };
    const caller = await phone([ours]);
    await caller.dial(`sip:bank@127.0.0.1:${edge!.port}`);
    expect(invites[0]!.headers.lines('route')).toEqual([]);
    await caller.hangup();
    const peer = (await stranger()).peer;
    peer.say('INVITE', `sip:bank@127.0.0.1:${edge!.port}`, {
      body: OFFER,
      headers: [`Route: ${ours.value}`, 'Route: <sip:127.0.0.1:9;lr>'],
    });
    await expect.poll(() => metric('opensips_script_edge_dropped{reason="preloaded_route"}')).toBe(1);
    expect(peer.heard).toEqual([]);
    expect(invites.length).toBe(1);
  });

  it('lets callers in by password, not by what they claim, and keeps their credentials to itself', async () => {
    await start(PASSWORD);
    expect(await sipp('secret')).toBe(true);
    expect(invites.length).toBe(1);
    expect(invites[0]!.headers.lines('x-trunk')).toEqual(['branch']);
    expect(invites[0]!.headers.get('p-asserted-identity')).toBeUndefined();
    expect(invites[0]!.headers.get('proxy-authorization')).toBeUndefined();
  });

  it('knows SHA-256 as RFC 8760 has it', async () => {
    await start({ ...PASSWORD, env: {} });
    const ada = await stranger();
    const challenges = await ada.challenged();
    expect(challenges.map((one) => /algorithm=([A-Z0-9-]+)/.exec(one)?.[1])).toEqual(['SHA-256', 'MD5']);
    ada.callWith('sha256', challenges[0]!, 'secret');
    await ada.peer.response(200, 'INVITE');
    expect(invites.length).toBe(1);
  });

  it('stops answering who guesses passwords', async () => {
    await start(PASSWORD);
    const ada = await stranger();
    const guess = async (password: string) => ada.callWith('md5', (await ada.challenged())[0]!, password);
    for (let i = 1; i <= 10; i++) {
      await guess(`guess-${i}`);
      await ada.peer.response(407);
      expect(await metric('opensips_script_edge_wrong_password')).toBe(i);
    }
    ada.peer.say('INVITE', ada.uri, { callId: 'one-more', body: OFFER });
    await expect.poll(() => metric('opensips_script_edge_dropped{reason="wrong_password"}')).toBe(1);
    expect(ada.peer.heard).toEqual([]);
    expect(invites).toEqual([]);
  });

  it('speaks TLS to callers and UDP to connectors, in both directions of one call', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'));
    open.push({ close: () => rm(folder, { recursive: true, force: true }) });
    const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject],
      { stdio: 'ignore' },
    );
    const silence = join(folder, 'silence.wav');
    await writeFile(silence, writeWav({ sampleRate: 8000, channels: 1, pcm: new Int16Array(8000 * 20) }));
    const port = await freePort();
    await start({ env: { EDGE_TLS_CERT: certificate, EDGE_TLS_KEY: key, EDGE_TLS_PORT: String(port) } });
    const modules = ['g711', 'aufile', 'account', 'menu'].map((name) => `module ${name}.so`);
    const audio = [`audio_source aufile,${silence}`, 'audio_player aufile,none', 'audio_alert aufile,none'];
    const config = ['sip_listen 127.0.0.1:0', `sip_cafile ${certificate}`, 'sip_verify_server yes', ...audio];
    await writeFile(join(folder, 'config'), [...config, 'module_path /usr/lib/baresip/modules', ...modules].join('\n'));
    await writeFile(join(folder, 'accounts'), '<sip:+15550100@127.0.0.1;transport=tls>;regint=0\n');
    await writeFile(join(folder, 'contacts'), '');
    const dial = `/dial sip:bank@127.0.0.1:${port};transport=tls`;
    const baresip = spawn('baresip', ['-f', folder, '-e', dial, '-t', '15'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = once(baresip, 'exit');
    let said = '';
    for (const stream of [baresip.stdout, baresip.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    await expect.poll(() => sessions.length).toBe(1);
    expect(invites[0]!.headers.list('record-route').map((route) => route.includes('transport=tls'))).toEqual([
      false,
      true,
    ]);
    await sessions[0]!.bye();
    await expect.poll(() => said).toMatch(/session closed/);
    baresip.kill();
    await exited;
    expect(said).toMatch(/Call established/);
  });

  it('tells the caller when the connector is gone in the middle of a call', async () => {
    const connector = await UdpPeer.open();
    open.push(connector);
    edge = await startOpensips([connector.port], { env: { EDGE_CALL_PING_SECONDS: '1' } });
    const caller = await phone();
    caller.startDialing(`sip:bank@127.0.0.1:${edge.port}`);
    connector.reply(await connector.request('INVITE'), 200, ANSWER);
    await caller.waitForAnswer();
    // From here on the connector does not say a word.
    await caller.waitForHangup();
    expect(caller.ended).toMatchObject({ by: 'far-end', how: 'bye' });
  });

  it('gives scanners, floods and strangers without a call nothing, not even an answer', async () => {
    await start({ address: [] });
    const { peer } = await stranger();
    const dropped = (reason: string) => metric(`opensips_script_edge_dropped{reason="${reason}"}`);
    peer.say('OPTIONS', 'sip:100@127.0.0.1', { callId: 'scan', headers: ['User-Agent: friendly-scanner'] });
    await expect.poll(() => dropped('scanner')).toBe(1);
    peer.say('REGISTER', 'sip:127.0.0.1', { callId: 'register' });
    await expect.poll(() => dropped('unwanted_method')).toBe(1);
    const route = `Route: <sip:127.0.0.1:${edge!.port};lr>`;
    peer.say('BYE', `sip:victim@127.0.0.1:${connectorPort}`, { callId: 'bye', toTag: 'x', headers: [route] });
    await expect.poll(() => dropped('unknown_dialog')).toBe(1);
    const elsewhere = ['Route: <sip:127.0.0.1:9;lr>'];
    peer.say('INVITE', "sip:'or1=1--@127.0.0.1", { callId: 'sql', headers: elsewhere });
    await expect.poll(() => dropped('injection')).toBe(1);
    expect(peer.heard).toEqual([]);
    for (let i = 0; i < 300; i++) peer.say('OPTIONS', 'sip:100@127.0.0.1', { callId: `flood-${i}` });
    await expect.poll(() => dropped('flood')).toBeGreaterThan(0);
    expect(peer.heard.length).toBeLessThan(250);
  });

  it('holds a trunk to its calls at the same time and its calls per second', async () => {
    await start({ address: ['1:1:127.0.0.0:8:0:any::name=small;calls=1'] });
    const first = await phone();
    await first.dial(`sip:bank@127.0.0.1:${edge!.port}`);
    const second = await phone();
    await expect(second.dial(`sip:bank@127.0.0.1:${edge!.port}`)).rejects.toThrow();
    expect(second.ended).toMatchObject({ status: 503 });
    await first.hangup();
    await sleep(100);
    const third = await phone();
    await third.dial(`sip:bank@127.0.0.1:${edge!.port}`);
    await third.hangup();
    expect(await metric('opensips_script_edge_refused{reason="trunk_calls"}')).toBe(1);
  });

  it('takes a connector that is added to the list, without a restart', async () => {
    const gone = await freePort();
    edge = await startOpensips([gone]);
    const early = await phone();
    await expect(early.dial(`sip:bank@127.0.0.1:${edge.port}`)).rejects.toThrow();
    expect(early.ended).toMatchObject({ status: 503 });
    await appendFile(join(edge.folder, 'dispatcher'), `2:1:sip\\:127.0.0.1\\:${connectorPort}::0:0:1:0::added\n`);
    // As docs/opensips.md has it.
    const fifo = join(edge.folder, 'opensips_fifo');
    const answer = join(edge.folder, 'answer');
    execFileSync('mkfifo', [answer]);
    const answered = readFile(answer, 'utf8');
    await writeFile(fifo, ':answer:{"jsonrpc":"2.0","id":1,"method":"ds_reload"}\n');
    expect(JSON.parse(await answered)).toMatchObject({ id: 1, result: 'OK' });
    const caller = await phone();
    await caller.dial(`sip:bank@127.0.0.1:${edge.port}`);
    await caller.hangup();
    expect(invites.length).toBe(1);
  });

  it('admits only connectors on the inside socket', async () => {
    await start({});
    const outsider = await UdpPeer.open(edge!.insidePort);
    open.push(outsider);
    outsider.say('OPTIONS', 'sip:edge@127.0.0.1');
    await expect.poll(() => metric('opensips_script_edge_dropped{reason="inside"}')).toBe(1);
    expect(outsider.heard).toEqual([]);
  });
});
