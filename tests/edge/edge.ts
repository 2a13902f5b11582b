import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.ts';

const KAMAILIO_CONFIG = fileURLToPath(new URL('./kamailio.cfg', import.meta.url));
const OPENSIPS_FOLDER = fileURLToPath(new URL('../../opensips/', import.meta.url));
const START_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 5_000;

/** A SIP proxy in front of connectors, as callers see it. */
export interface Edge {
  readonly name: string;
  /** UDP and TCP, for callers. */
  readonly port: number;
  /** Where connectors see it. */
  readonly insidePort: number;
  readonly metricsUrl: string | undefined;
  /** Of its first process. */
  readonly pid: number;
  /** Its lists and its control FIFO are here. */
  readonly folder: string;
  /** Everything it ever wrote. */
  output(): string;
  stop(): Promise<void>;
}

export interface EdgeKind {
  readonly name: string;
  /** In front of connectors at these UDP ports of the loopback. */
  start(connectors: readonly number[]): Promise<Edge>;
}

/**
 * Kamailio comes from Debian and always takes part. OpenSIPS is in no Debian: where it has been built, its binary in
 * OPENSIPS and its modules' folder in EDGE_MODULES put the shipped opensips/ through the same journeys.
 */
export const EDGES: readonly EdgeKind[] = [
  { name: 'Kamailio', start: startKamailio },
  ...(process.env.OPENSIPS
    ? [{ name: 'OpenSIPS', start: (connectors: readonly number[]) => startOpensips(connectors) }]
    : []),
];

async function startKamailio(connectors: readonly number[]): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  const list = join(folder, 'dispatcher.list');
  await writeFile(list, connectors.map((port) => `1 sip:127.0.0.1:${port} 0 0\n`).join(''));
  const port = await freePort();
  const places = ['udp', 'tcp'].flatMap((protocol) => ['-l', `${protocol}:127.0.0.1:${port}`]);
  return run('Kamailio', folder, port, {
    command: '/usr/sbin/kamailio',
    args: [
      ...['-f', KAMAILIO_CONFIG, '-DD', '-E', '-Y', folder, '-w', folder, '-P', join(folder, 'pid')],
      ...['-m', '32', '-M', '4', ...places, '-A', `DISPATCHER_LIST="${list}"`],
    ],
    insidePort: port,
  });
}

const PBX_CONFIG = fileURLToPath(new URL('./pbx.cfg', import.meta.url));

/** Kamailio as a customer's PBX: see pbx.cfg. `far`: UDP port of the phone behind 300. */
export async function startPbx(facts: {
  password: string;
  far: number;
  maxExpires: number;
  port?: number;
}): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), 'pbx-'));
  const port = facts.port ?? (await freePort());
  const defines = {
    PASSWORD: `"${facts.password}"`,
    FAR: `"sip:127.0.0.1:${facts.far}"`,
    MAX_EXPIRES: String(facts.maxExpires),
  };
  return run('Kamailio', folder, port, {
    command: '/usr/sbin/kamailio',
    args: [
      ...['-f', PBX_CONFIG, '-DD', '-E', '-Y', folder, '-w', folder, '-P', join(folder, 'pid')],
      ...['-m', '32', '-M', '4', '-l', `udp:127.0.0.1:${port}`],
      ...Object.entries(defines).flatMap(([name, value]) => ['-A', `${name}=${value}`]),
    ],
    insidePort: port,
  });
}

export interface OpensipsOptions {
  /** Rows of dbtext/address and dbtext/subscriber; without any, loopback is a trunk and nobody has a password. */
  readonly address?: readonly string[];
  readonly subscriber?: readonly string[];
  /** EDGE_ variables besides those that place it on free ports. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The shipped opensips/, as it is, on free ports. */
export async function startOpensips(connectors: readonly number[], options: OpensipsOptions = {}): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  const tables = {
    version: 'table_name(string) table_version(int)\naddress:5\ndispatcher:9\nsubscriber:8\n',
    dispatcher: [
      'id(int,auto) setid(int) destination(string) socket(string,null) state(int) probe_mode(int) weight(string) priority(int) attrs(string,null) description(string,null)',
      ...connectors.map((port, i) => `${i + 1}:1:sip\\:127.0.0.1\\:${port}::0:0:1:0::connector-${i + 1}`),
    ].join('\n'),
    address: [
      'id(int,auto) grp(int) ip(string) mask(int) port(int) proto(string) pattern(string,null) context_info(string,null)',
      ...(options.address ?? ['1:1:127.0.0.0:8:0:any::name=loopback']),
    ].join('\n'),
    subscriber: [
      'id(int,auto) username(string) ha1(string) ha1_sha256(string) ha1_sha512t256(string,null) trunk(string,null)',
      ...(options.subscriber ?? []),
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(tables)) await writeFile(join(folder, name), `${text}\n`);
  const [port, insidePort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  return run('OpenSIPS', folder, port, {
    command: process.env.OPENSIPS!,
    args: [
      ...['-F', '-f', join(OPENSIPS_FOLDER, 'opensips.cfg'), '-p', `awk -f ${join(OPENSIPS_FOLDER, 'env.awk')}`],
      ...['-w', folder, '-m', '128', '-M', '8'],
    ],
    env: {
      EDGE_ADDRESS: '127.0.0.1',
      EDGE_PORT: String(port),
      EDGE_INSIDE_PORT: String(insidePort),
      EDGE_METRICS_PORT: String(metricsPort),
      EDGE_LISTS: folder,
      EDGE_RUN: folder,
      EDGE_WORKERS: '2',
      EDGE_PROBE_SECONDS: '1',
      EDGE_CALL_PING_SECONDS: '3',
      EDGE_MODULES: process.env.EDGE_MODULES,
      ...options.env,
    },
    insidePort,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
  });
}

/** A figure of its /metrics, e.g. `opensips_script_edge_dropped{reason="scanner"}`. */
export async function metricOf({ metricsUrl }: Edge, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl!)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

interface Program {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  insidePort: number;
  metricsUrl?: string;
}

async function run(name: string, folder: string, port: number, program: Program): Promise<Edge> {
  const child = spawn(program.command, program.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const exited = once(child, 'exit').catch((error: unknown) => (output += String(error)));
  const gone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const stop = async () => {
    if (!gone()) {
      child.kill('SIGTERM');
      await Promise.race([exited, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
      if (!gone()) child.kill('SIGKILL');
    }
    await rm(folder, { recursive: true, force: true });
  };
  if (await answersOptions(port, gone)) {
    const { insidePort, metricsUrl } = program;
    return { name, port, insidePort, metricsUrl, pid: child.pid!, folder, output: () => output, stop };
  }
  await stop();
  throw new Error(`${name} did not start:\n${output}`);
}

async function answersOptions(port: number, gone: () => boolean): Promise<boolean> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let answered = false;
  socket.on('message', () => (answered = true));
  const until = Date.now() + START_WITHIN_MS;
  for (let n = 1; !answered && !gone() && Date.now() < until; n++) {
    const lines = [
      `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK-probe-${n};rport`,
      'Max-Forwards: 70',
      'From: <sip:probe@127.0.0.1>;tag=probe',
      `To: <sip:127.0.0.1:${port}>`,
      `Call-ID: probe-${port}`,
      `CSeq: ${n} OPTIONS`,
      'Content-Length: 0',
    ];
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
    await sleep(100);
  }
  socket.close();
  return answered;
}
