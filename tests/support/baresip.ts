import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeWav } from './phone/wav.ts';

/** Runs a user agent from Debian to its end; resolves with its exit code and what it printed. */
export async function run(
  command: string,
  args: string[],
  cwd: string,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const limit = setTimeout(() => child.kill('SIGKILL'), 50_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(limit);
  return { code, output };
}

export interface BaresipCall {
  /** sip: URI to dial, with its transport. */
  to: string;
  /** User part it calls from. */
  from: string;
  /** What its microphone hears, at 8 kHz. */
  microphone: Int16Array;
  /** Its codec's module, sample rate and channels. Default g711. */
  codec?: { module: string; sampleRate: number; channels: number };
  modules?: readonly string[];
  /** Parameters of the account, e.g. `mediaenc=srtp`. */
  account?: readonly string[];
  /** Lines of its configuration besides. */
  config?: readonly string[];
  seconds: number;
}

/** Makes one call by baresip and hangs up; resolves with what it printed. */
export async function callByBaresip(call: BaresipCall): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
  try {
    const { module, sampleRate, channels } = call.codec ?? { module: 'g711', sampleRate: 8000, channels: 1 };
    const microphone = join(folder, 'in.wav');
    const pcm = stretched(call.microphone, sampleRate, channels);
    await writeFile(microphone, writeWav({ sampleRate, channels, pcm }));
    const found = await run('find', ['/usr/lib', '-path', '*baresip/modules/aufile.so'], folder);
    const config = [
      'sip_listen 127.0.0.1:0',
      `audio_source aufile,${microphone}`,
      'audio_player aufile,none',
      'audio_alert aufile,none',
      `module_path ${dirname(found.output.trim().split('\n')[0]!)}`,
      ...[module, 'aufile', ...(call.modules ?? []), 'account', 'menu'].map((name) => `module ${name}.so`),
      ...(call.config ?? []),
    ];
    await writeFile(join(folder, 'config'), config.join('\n'));
    const transport = /;transport=\w+/.exec(call.to)?.[0] ?? '';
    const account = [`<sip:${call.from}@127.0.0.1${transport}>`, 'regint=0', ...(call.account ?? [])];
    await writeFile(join(folder, 'accounts'), `${account.join(';')}\n`);
    await writeFile(join(folder, 'contacts'), '');
    const args = ['-f', folder, '-e', `/dial ${call.to}`, '-t', String(call.seconds)];
    return (await run('baresip', args, folder)).output;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Speech at 8 kHz as a sound card at another rate would give it: interpolated, on each channel. */
function stretched(pcm: Int16Array, sampleRate: number, channels: number): Int16Array {
  const ratio = sampleRate / 8000;
  return Int16Array.from({ length: pcm.length * ratio * channels }, (_, i) => {
    const at = Math.floor(i / channels) / ratio;
    const from = pcm[Math.floor(at)]!;
    return Math.round(from + ((pcm[Math.floor(at) + 1] ?? 0) - from) * (at % 1));
  });
}

export interface BaresipOptions {
  /** User part of its address. */
  user: string;
  modules?: readonly string[];
  /** Parameters of the account, e.g. `mediaenc=srtp`. */
  account?: readonly string[];
}

/** A baresip that waits for calls and takes them at once; told what to do over its control port (module ctrl_tcp). */
export class Baresip {
  readonly uri: string;
  output = '';
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #control: Socket;

  private constructor(uri: string, folder: string, child: ChildProcess, control: Socket) {
    this.uri = uri;
    this.#folder = folder;
    this.#child = child;
    this.#control = control;
    control.on('data', (chunk) => {
      this.output += String(chunk);
    });
    control.on('error', () => undefined);
  }

  static async open({ user, modules = [], account = [] }: BaresipOptions): Promise<Baresip> {
    const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
    const [sipPort, controlPort] = [await freePort('udp'), await freePort('tcp')];
    const found = await run('find', ['/usr/lib', '-path', '*baresip/modules/aufile.so'], folder);
    const microphone = join(folder, 'in.wav');
    const pcm = Int16Array.from({ length: 8000 * 60 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 500 * i) / 8000));
    await writeFile(microphone, writeWav({ sampleRate: 8000, channels: 1, pcm }));
    const config = [
      `sip_listen 127.0.0.1:${sipPort}`,
      `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
      `audio_source aufile,${microphone}`,
      'audio_player aufile,none',
      'audio_alert aufile,none',
      `module_path ${dirname(found.output.trim().split('\n')[0]!)}`,
      ...['g711', 'aufile', 'ctrl_tcp', ...modules, 'account', 'menu'].map((name) => `module ${name}.so`),
    ];
    await writeFile(join(folder, 'config'), config.join('\n'));
    const parameters = [`<sip:${user}@127.0.0.1>`, 'regint=0', 'answermode=auto', ...account];
    await writeFile(join(folder, 'accounts'), `${parameters.join(';')}\n`);
    await writeFile(join(folder, 'contacts'), '');
    const child = spawn('baresip', ['-f', folder], { cwd: folder, stdio: 'ignore' });
    const control = await connected(controlPort).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    return new Baresip(`sip:${user}@127.0.0.1:${sipPort}`, folder, child, control);
  }

  /** A command of its menu, e.g. `transfer`. */
  command(command: string, params = ''): void {
    const text = JSON.stringify({ command, params });
    this.#control.write(`${text.length}:${text},`);
  }

  async close(): Promise<void> {
    this.#control.destroy();
    const exited = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(protocol: 'udp' | 'tcp'): Promise<number> {
  if (protocol === 'udp') {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    return port;
  }
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
