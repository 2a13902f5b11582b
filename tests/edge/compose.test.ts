import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What an operator must set; docker-compose.yml has defaults for the rest. */
const GIVEN = { EDGE_ADDRESS: '192.0.2.10', POSTGRES_PASSWORD: 'a-password', ADMIN_TOKEN: 'a-token-of-16-letters' };

interface Service {
  build?: string;
  image: string;
  environment: Record<string, string | number | null>;
  volumes: string[];
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
  network_mode?: string;
  healthcheck?: unknown;
}

/** The compose file as Docker reads it (interpolation and merge keys as in the Compose specification). */
function compose(env: Record<string, string>): { services: Record<string, Service>; volumes: Record<string, null> } {
  let filled = text('docker-compose.yml')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
  // Innermost first: defaults may hold variables.
  for (let before = ''; before !== filled; ) {
    before = filled;
    filled = filled.replace(/\$\{([A-Z_]+)(?::([-?])([^${}]*))?\}/g, (_, name: string, kind: string, rest: string) => {
      const value = env[name] ?? '';
      if (value === '' && kind === '?') throw new Error(`${name}: ${rest}`);
      return value === '' ? (rest ?? '') : value;
    });
  }
  return parse(filled, { merge: true }) as ReturnType<typeof compose>;
}

const { services, volumes } = compose(GIVEN);
const connectors = Object.entries(services).filter(([name]) => name.startsWith('connector-'));
const envOf = (service: Service) =>
  Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, String(value ?? '')]));

function fillConfig(env: Record<string, string>): { status: number | null; output: string; errors: string } {
  const { status, stdout, stderr } = spawnSync('awk', ['-f', 'env.awk', 'opensips.cfg'], {
    cwd: join(ROOT, 'opensips'),
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  return { status, output: stdout, errors: stderr };
}

// There is no Docker engine where tests run: what can be known without one is checked here.
describe('docker-compose.yml', () => {
  it.each(Object.keys(GIVEN))('asks for %s instead of starting without it', (name) => {
    expect(() => compose({ ...GIVEN, [name]: '' })).toThrow(`${name}: `);
  });

  it('gives each connector settings that exist, and that it starts with', () => {
    expect(connectors.length).toBe(2);
    const known = Object.keys(parseEnv(text('.env.example')));
    for (const [, service] of connectors) {
      const env = envOf(service);
      expect(known).toEqual(expect.arrayContaining(Object.keys(env)));
      const config = readConfig(env, tmpdir());
      // Nobody reaches SIP of a connector past the edge; callers do reach its media.
      expect(config.sip.listen.every(({ host }) => host === '127.0.0.1')).toBe(true);
      expect(config.sip.publicAddresses).toEqual([]);
      expect(config.media).toEqual({ bind: '0.0.0.0', announce: GIVEN.EDGE_ADDRESS });
    }
  });

  it('keeps connectors on one host apart', () => {
    const [one, two] = connectors.map(([, service]) => envOf(service));
    for (const name of ['INSTANCE_ID', 'SIP_PORT', 'HTTP_PORT']) expect(one![name]).not.toBe(two![name]);
    expect(Number(one!.RTP_PORT_MAX)).toBeLessThan(Number(two!.RTP_PORT_MIN));
    const data = connectors.map(([, service]) => service.volumes.find((volume) => volume.endsWith(':/data')));
    expect(new Set(data).size).toBe(2);
  });

  it('leaves a draining connector the time it asks for', () => {
    for (const [, service] of connectors) {
      const grace = Number(/^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1]);
      expect(grace).toBeGreaterThan(Number(service.environment.DRAIN_SECONDS) + 10);
    }
  });

  it('names only volumes, files, build folders and services that exist', () => {
    for (const service of Object.values(services)) {
      if (service.build !== undefined) expect(existsSync(join(ROOT, service.build, 'Dockerfile'))).toBe(true);
      for (const volume of service.volumes) {
        const source = volume.split(':')[0]!;
        if (source.startsWith('./')) expect(existsSync(join(ROOT, source)), source).toBe(true);
        else expect(Object.keys(volumes)).toContain(source);
      }
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(condition).toBe('service_healthy');
        expect(services[name]?.healthcheck).toBeDefined();
      }
    }
  });
});

describe('the Dockerfiles', () => {
  it.each(['.', 'opensips'])('of %s copy what is there and what .dockerignore lets through', (folder) => {
    const ignored = existsSync(join(ROOT, folder, '.dockerignore'))
      ? text(join(folder, '.dockerignore')).split('\n').filter(Boolean)
      : [];
    const copies = text(join(folder, 'Dockerfile'))
      .split('\n')
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
    expect(copies.length).toBeGreaterThan(0);
    for (const source of copies.flatMap((line) => line.split(/\s+/).slice(1, -1))) {
      expect(existsSync(join(ROOT, folder, source)), source).toBe(true);
      expect(ignored).not.toContain(source);
    }
  });

  it('ask for health by a file that exists', () => {
    const [, , file] = /^HEALTHCHECK .*CMD \["(node)", "(.+)"\]$/m.exec(text('Dockerfile'))!;
    expect(existsSync(join(ROOT, file!))).toBe(true);
  });

  it('run a file that exists, with a Node that the project supports', () => {
    const dockerfile = text('Dockerfile');
    const [, ...flags] = JSON.parse(/^CMD (.+)$/m.exec(dockerfile)![1]!) as string[];
    expect(flags.at(-1)).toBe('src/main.ts');
    expect(existsSync(join(ROOT, 'src/main.ts'))).toBe(true);
    const { dependencies, scripts } = JSON.parse(text('package.json')) as {
      dependencies: { node: string };
      scripts: { start: string };
    };
    // The same way that `npm start` goes.
    expect(scripts.start).toContain(`node ${flags.join(' ')}`);
    expect([...dockerfile.matchAll(/^FROM node:(\d+)-slim/gm)].map((m) => m[1])).toEqual(
      Array(2).fill(dependencies.node.split('.')[0]),
    );
  });
});

describe('the edge', () => {
  const edge = envOf(services.edge!);

  it('knows exactly the connectors that are started', () => {
    const listed = text('opensips/dbtext/dispatcher')
      .split('\n')
      .slice(1)
      .filter(Boolean)
      .map((row) => row.replaceAll('\\:', '%').split(':')[2]!.replaceAll('%', ':'));
    const started = connectors.map(([, { environment }]) => `sip:${environment.SIP_HOST}:${environment.SIP_PORT}`);
    expect(listed).toEqual(started);
  });

  it('is given variables that opensips.cfg has', () => {
    const config = text('opensips/opensips.cfg');
    for (const name of Object.keys(edge))
      expect(config, name).toMatch(new RegExp(`\\$\\{${name}\\b|^#\\?${name} `, 'm'));
  });

  it('gets a whole configuration out of them', () => {
    const { status, output } = fillConfig(edge);
    expect(status).toBe(0);
    const active = output.split('\n').filter((line) => !line.trimStart().startsWith('#'));
    expect(active.join('\n')).not.toContain('${');
    expect(active.filter((line) => line.startsWith('socket='))).toEqual([
      'socket=udp:192.0.2.10:5060 as 192.0.2.10 tag outside',
      'socket=tcp:192.0.2.10:5060 as 192.0.2.10 tag outside_tcp',
      'socket=udp:127.0.0.1:5080 tag inside',
    ]);
  });

  it('speaks TLS once it has a certificate, and says which variable is missing', () => {
    const tls = { ...edge, EDGE_TLS_CERT: '/etc/opensips/tls/cert.pem', EDGE_TLS_KEY: '/etc/opensips/tls/key.pem' };
    expect(fillConfig(tls).output).toMatch(/^socket=tls:192\.0\.2\.10:5061 as 192\.0\.2\.10 tag outside_tls$/m);
    expect(fillConfig(tls).output).toContain('modparam("tls_mgm", "certificate", "[edge]/etc/opensips/tls/cert.pem")');
    expect(fillConfig({})).toMatchObject({ status: 1, errors: 'opensips.cfg: EDGE_ADDRESS is not set\n' });
  });

  it.skipIf(!process.env.OPENSIPS)('is accepted by OpenSIPS itself', () => {
    const args = ['-C', '-f', 'opensips.cfg', '-p', 'awk -f env.awk'];
    const local = { EDGE_ADDRESS: '127.0.0.1', EDGE_MODULES: process.env.EDGE_MODULES ?? '' };
    execFileSync(process.env.OPENSIPS!, args, {
      cwd: join(ROOT, 'opensips'),
      env: { PATH: process.env.PATH, ...local },
      stdio: 'pipe',
    });
  });
});
