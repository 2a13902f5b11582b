import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endsWithUs } from '../support/children.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder: string;
const dataDir = () => join(folder, 'data');
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'first-start-'));
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  await rm(folder, { recursive: true, force: true });
});

/** A start that does not come about, to its end. */
async function startInVain(env: Record<string, string>): Promise<{ code: number | null; out: string; error: string }> {
  const spawned = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      SIP_HOST: '127.0.0.1',
      SIP_PORT: '0',
      RTP_PORT_MIN: '0',
      RTP_PORT_MAX: '0',
      HTTP_PORT: '0',
      DATA_DIR: dataDir(),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const child = endsWithUs(spawned);
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, out, error };
}

async function taken(kind: 'udp' | 'tcp'): Promise<string> {
  if (kind === 'udp') {
    const socket = createSocket('udp4');
    open.push(socket);
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return String(socket.address().port);
  }
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return String((server.address() as { port: number }).port);
}

test.each([
  ['udp', 'SIP_PORT', 'udp'],
  ['tcp', 'SIP_PORT', 'tcp'],
  ['tcp', 'HTTP_PORT', 'http'],
] as const)(
  'where another program has the %s port of %s, one line says so, and nothing was begun',
  async (kind, setting, protocol) => {
    const port = await taken(kind);
    const { code, out, error } = await startInVain({ [setting]: port });
    expect(error).toBe(
      `sip-voice-connector: cannot listen on ${protocol} 127.0.0.1:${port}: another program listens there already; ${setting} takes another port\n`,
    );
    expect([code, out, existsSync(dataDir())]).toEqual([1, '', false]);
  },
);

test('an address that this machine does not have is named with its setting', async () => {
  const { code, error } = await startInVain({ SIP_HOST: '192.0.2.7', SIP_PORT: '5999' });
  expect([code, error]).toEqual([
    1,
    'sip-voice-connector: cannot listen on udp 192.0.2.7:5999: this machine does not have that address; see SIP_HOST\n',
  ]);
});

test('the admin token is told though the start that has made it fails: no later one would tell it', async () => {
  await mkdir(dataDir());
  // Where the database is to be.
  writeFileSync(join(dataDir(), 'postgres'), 'a file');
  const { code, error } = await startInVain({});
  const token = (await readFile(join(dataDir(), 'admin-token'), 'utf8')).trim();
  expect(code).toBe(1);
  expect(error).toContain(`printed this once (kept in ${join(dataDir(), 'admin-token')}): ${token}\n`);
});
