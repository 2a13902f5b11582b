import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeWav } from '../support/phone/wav.ts';
import { gate } from './gate.ts';

const run = promisify(execFile);
const SCENARIO = new URL('../sipp/digest-call.xml', import.meta.url).pathname;

const trunk = (algorithms: string) => `bots: [{ name: bank }]
numbers: [{ any: true, bot: bank }]
trunks:
  - name: branch
    digest: { algorithms: ${algorithms}, users: [{ name: branch, password: "\${BRANCH_PASSWORD}" }] }
`;

/** User agents nobody of us wrote log in, each in its own way. */
describe('with a password', () => {
  let folder: string;
  let served: Awaited<ReturnType<typeof gate>> | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'digest-'));
  });
  afterEach(async () => {
    await served?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('sipp calls where MD5 is offered', async () => {
    served = await gate(trunk('[MD5]'), { env: { BRANCH_PASSWORD: 'open-sesame' } });
    const target = `127.0.0.1:${served.port}`;
    const args = ['-sf', SCENARIO, target, '-i', '127.0.0.1', '-m', '3', '-r', '10', '-nostdin'];
    const failed = await run('sipp', [...args, '-timeout', '20s', '-timeout_error', '-trace_err'], {
      cwd: folder,
    }).then(
      () => undefined,
      async () => {
        const logs = (await readdir(folder)).filter((file) => file.endsWith('_errors.log'));
        return (await Promise.all(logs.map((file) => readFile(join(folder, file), 'utf8')))).join('\n');
      },
    );
    expect(failed).toBeUndefined();
    expect(served.legs.map((leg) => leg.trunk)).toEqual(['branch', 'branch', 'branch']);
  });

  // Debian's baresip is older than RFC 8760: it gives up where SHA-256 is offered, so such a trunk names MD5 alone.
  it('baresip calls where MD5 is offered', async () => {
    served = await gate(trunk('[MD5]'), { env: { BRANCH_PASSWORD: 'open-sesame' } });
    const silence = writeWav({ sampleRate: 8000, channels: 1, pcm: new Int16Array(8000 * 5) });
    await writeFile(join(folder, 'in.wav'), silence);
    const found = await run('find', ['/usr/lib', '-path', '*baresip/modules/account.so']);
    const settings = ['sip_listen 127.0.0.1:0', `module_path ${dirname(found.stdout.trim().split('\n')[0]!)}`];
    const modules = ['g711', 'account', 'menu', 'aufile'].map((module) => `module ${module}.so`);
    const audio = [
      `audio_source aufile,${join(folder, 'in.wav')}`,
      'audio_player aufile,none',
      'audio_alert aufile,none',
    ];
    await writeFile(join(folder, 'config'), [...settings, ...audio, ...modules].join('\n'));
    await writeFile(
      join(folder, 'accounts'),
      '<sip:branch@127.0.0.1>;auth_user=branch;auth_pass=open-sesame;regint=0\n',
    );
    await writeFile(join(folder, 'contacts'), '');
    const dial = ['-f', folder, '-e', `/dial sip:bank@127.0.0.1:${served.port}`, '-t', '3'];
    const { stdout, stderr } = await run('baresip', dial, { cwd: folder, timeout: 20_000 });
    expect(stdout + stderr).toMatch(/Call established/);
    expect(served.legs.map((leg) => leg.trunk)).toEqual(['branch']);
  });

  it.each(['[SHA-256]', '[SHA-256, MD5]'])('linphone calls where %s is offered', async (algorithms) => {
    served = await gate(trunk(algorithms), { env: { BRANCH_PASSWORD: 'open-sesame' } });
    await mkdir(join(folder, '.local/share/linphone'), { recursive: true });
    const sip = ['sip_port=-1', 'sip_tcp_port=0', 'bind_address=127.0.0.1', 'use_ipv6=0', 'guess_hostname=0'];
    const settings = {
      sip: [...sip, 'ipv6_migration_done=1', 'contact=<sip:branch@127.0.0.1>'],
      auth_info_0: ['username=branch', 'userid=branch', 'passwd=open-sesame', 'realm=sip-voice-connector'],
      rtp: ['audio_rtp_port=-1'],
      video: ['enabled=0'],
    };
    const lines = Object.entries(settings).map(([name, some]) => `[${name}]\n${some.join('\n')}\n`);
    await writeFile(join(folder, 'rc'), lines.join(''));
    const linphone = spawn('linphonec', ['-c', join(folder, 'rc')], {
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const exited = once(linphone, 'exit');
    let output = '';
    for (const stream of [linphone.stdout, linphone.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const type = (line: string) => linphone.stdin.write(`${line}\n`);
    try {
      await expect.poll(() => output, { timeout: 20_000 }).toContain('linphonec>');
      type('soundcard use files');
      type(`call sip:bank@127.0.0.1:${served.port}`);
      await expect.poll(() => output, { timeout: 20_000 }).toMatch(/Media streams established/);
      expect(served.legs.map((leg) => leg.trunk)).toEqual(['branch']);
      type('terminate');
      await expect.poll(() => served?.frontEnd.calls).toBe(0);
    } finally {
      type('quit');
      const limit = setTimeout(() => linphone.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(limit);
    }
  });
});
