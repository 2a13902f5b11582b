import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('settings', () => {
  it('are safe by default: HTTP on loopback, no token in them, nothing to dial', () => {
    const config = readConfig({}, folder);
    expect(config.http.host).toBe('127.0.0.1');
    expect(config.adminToken).toBeUndefined();
    expect(config.llm).toEqual({ provider: 'scripted' });
    expect(Object.isFrozen(config) && Object.isFrozen(config.sip)).toBe(true);
  });

  it('of .env.example are the defaults', () => {
    const example = parseEnv(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8'));
    expect(readConfig(example, folder)).toEqual(readConfig({}, folder));
  });

  it('come from .env, and the environment wins', () => {
    writeFileSync(join(folder, '.env'), 'SIP_PORT=5070\nHTTP_PORT=8090\n');
    const config = readConfig({ HTTP_PORT: '8091' }, folder);
    rmSync(join(folder, '.env'));
    expect([config.sip.port, config.http.port]).toEqual([5070, 8091]);
  });

  it('of .env are read behind the mark that editors on Windows put there', () => {
    writeFileSync(join(folder, '.env'), '\ufeffSIP_PORT=5070\r\nHTTP_PORT=8090\r\n');
    const config = readConfig({}, folder);
    rmSync(join(folder, '.env'));
    expect([config.sip.port, config.http.port]).toEqual([5070, 8090]);
  });

  it('of an .env that cannot be read stop the start', () => {
    mkdirSync(join(folder, '.env'));
    try {
      expect(() => readConfig({}, folder)).toThrow(/^bad setting: .*\.env cannot be read \(EISDIR\)$/);
    } finally {
      rmSync(join(folder, '.env'), { recursive: true });
    }
  });

  it("name the file of one's own actions, from where the connector runs", () => {
    expect(readConfig({ ACTIONS_FILE: 'mine/actions.yaml' }, folder).actionsFile).toBe(
      join(folder, 'mine/actions.yaml'),
    );
    expect(readConfig({ ACTIONS_FILE: '' }, folder).actionsFile).toBeUndefined();
  });

  it.each(['SIP_PROT', 'HTTP_HSOT', 'RECORDING_KEYS', 'sip_port', 'DATABASE_UR'])(
    'that are misspelt in .env (%s) stop the start instead of being passed over; other names do not',
    (name) => {
      writeFileSync(join(folder, '.env'), `${name}=1\nTRUNK_PASSWORD=secret\nRECORDING_KEY2=x\n`);
      try {
        expect(() => readConfig({}, folder)).toThrow(
          new RegExp(`^bad setting: ${name} in .env: is no setting, [A-Z_]+ is one$`),
        );
      } finally {
        rmSync(join(folder, '.env'));
      }
      expect(() => readConfig({ [name]: '1', TRUNK_PASSWORD: 'secret' }, folder)).not.toThrow();
    },
  );

  it('let media be elsewhere than signalling, as behind a proxy', () => {
    const media = (env: NodeJS.ProcessEnv) => readConfig(env, folder).media;
    expect(media({})).toEqual({ bind: undefined, announce: undefined });
    expect(media({ RTP_HOST: '192.0.2.7' })).toEqual({ bind: '192.0.2.7', announce: '192.0.2.7' });
    expect(media({ RTP_HOST: '0.0.0.0' })).toEqual({ bind: '0.0.0.0', announce: undefined });
    const both = media({ RTP_HOST: '10.0.0.7', RTP_PUBLIC_ADDRESS: '192.0.2.7' });
    expect(both).toEqual({ bind: '10.0.0.7', announce: '192.0.2.7' });
  });

  it('name codecs in any case, in the order that is preferred', () => {
    expect(readConfig({ CODECS: 'OPUS, pcma' }, folder).codecs).toEqual(['opus', 'PCMA']);
  });

  it('of SIP say where it listens: every address, by every protocol that is configured', () => {
    const env = { SIP_HOST: '192.0.2.1, ::1', SIP_WS_PORT: '8088', SIP_WS_ORIGINS: 'https://Bank.example' };
    const { listen, webSocketOrigins, tls } = readConfig(env, folder).sip;
    expect(listen.map(({ protocol, host, port }) => `${protocol} ${host} ${port}`)).toEqual([
      'udp 192.0.2.1 5060',
      'tcp 192.0.2.1 5060',
      'ws 192.0.2.1 8088',
      'udp ::1 5060',
      'tcp ::1 5060',
      'ws ::1 8088',
    ]);
    expect([webSocketOrigins, tls]).toEqual([['https://bank.example'], undefined]);
  });

  it.each([
    [{ SIP_PORT: 'five' }, /SIP_PORT: must be a number$/],
    [{ HTTP_PORT: '99999' }, /HTTP_PORT: must be at most 65535$/],
    [{ OUTBOUND_CALLS_PER_SECOND: '0' }, /OUTBOUND_CALLS_PER_SECOND: must be more than 0$/],
    [{ TTS_VOICE: 'bob' }, /TTS_VOICE: must be slt, rms, awb, kal, kal16$/],
    [{ BANK_URL: 'bank' }, /BANK_URL: must be a URL$/],
    [{ ADMIN_TOKEN: 'secret' }, /ADMIN_TOKEN: must have at least 16 characters$/],
    // Longer than a timer can wait: it would fire at once.
    [{ IDLE_SECONDS: '99999999' }, /IDLE_SECONDS/],
    [{ DRAIN_SECONDS: '99999999' }, /DRAIN_SECONDS/],
    [{ CONTEXT_TTL_HOURS: '1e15' }, /CONTEXT_TTL_HOURS/],
    [{ INSTANCE_ID: 'one and two' }, /INSTANCE_ID/],
    [{ RTP_HOST: 'eth0' }, /RTP_HOST: must be an IP address/],
    [{ CODECS: 'PCMU,G729' }, /CODECS: must be a list of PCMU, PCMA, G722, opus/],
    [{ CODECS: 'opus,OPUS' }, /CODECS/],
    [{ SIP_HOST: 'localhost' }, /SIP_HOST: must be an IP address/],
    [{ SIP_TLS_CERT: 'a.pem' }, /SIP_TLS_KEY: must have one key for each file of SIP_TLS_CERT/],
    [{ SIP_TLS_CERT: 'a.pem', SIP_TLS_KEY: 'a.key' }, /SIP_TLS_CERT.*: \S*a\.pem cannot be read \(ENOENT\)$/],
    [{ SIP_TLS_CLIENT_CERT: 'required' }, /SIP_TLS_CLIENT_CERT: needs SIP_TLS_CERT/],
    [{ HTTP_TLS_CERT: 'a.pem' }, /HTTP_TLS_KEY: must have one key for each file of HTTP_TLS_CERT/],
    [{ HTTP_TLS_CERT: 'a.pem', HTTP_TLS_KEY: 'a.key' }, /HTTP_TLS_CERT.*: \S*a\.pem cannot be read \(ENOENT\)$/],
    [{ SIP_WSS_PORT: '5062' }, /SIP_WSS_PORT: needs SIP_TLS_CERT/],
    [{ SIP_WS_PORT: '5060' }, /SIP_PORT.*SIP_WS_PORT.*: must differ/],
    [{ SIP_WS_ORIGINS: 'https://a.example/phone' }, /SIP_WS_ORIGINS: must be origins/],
    [{ SIP_MIN_SE: '30' }, /SIP_MIN_SE/],
    [{ SIP_MIN_SE: '3600' }, /SIP_MIN_SE: must not be more than SIP_SESSION_EXPIRES/],
    [{ PUBLIC_ADDRESS: '192.0.2.1,192.0.2.2' }, /PUBLIC_ADDRESS: has two addresses of one family/],
    [{ RTP_PORT_MIN: '30000', RTP_PORT_MAX: '20000' }, /RTP_PORT_MAX/],
    [{ MEDIA_WORKERS: '0' }, /MEDIA_WORKERS/],
    [{ LLM_PROVIDER: 'openai' }, /OPENAI_API_KEY/],
    [{ DATABASE_URL: 'mysql://x' }, /DATABASE_URL/],
    [{ HTTP_TRUSTED_PROXIES: '10.0.0.0/8, proxy.example' }, /HTTP_TRUSTED_PROXIES: must be IP addresses or networks/],
    [{ ADMIN_TOKEN: 'short' }, /ADMIN_TOKEN: must have at least 16 characters/],
    [{ BANK_URL: 'ftp://x' }, /BANK_URL/],
  ])('that are bad (%j) are named in one line that repeats no value', (env, message) => {
    let said = '';
    try {
      readConfig(env, folder);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
    expect(said).not.toContain('short');
  });
});
