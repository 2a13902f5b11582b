import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endsWithUs } from './children.ts';
import { freePort } from './free-port.ts';
import { tone } from './phone/voice.ts';
import { resampled, type Wav, writeWav } from './phone/wav.ts';

/** Runs a user agent from Debian to its end, or until `stop` asks it to end; resolves with its exit code and what it printed. */
export async function run(
  command: string,
  args: string[],
  cwd: string,
  stop?: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const child = endsWithUs(spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] }));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  stop?.addEventListener('abort', () => child.kill('SIGTERM'));
  const limit = setTimeout(() => child.kill('SIGKILL'), 100_000);
  // Not at its exit: what it printed may still be on its way then.
  const [code] = (await once(child, 'close')) as [number | null];
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
  /** When it hangs up: asked again and again while the call is up. An answer that cannot be had is no. */
  until: () => Promise<boolean>;
}

/**
 * Makes one call by baresip and hangs up, after a minute at the latest; resolves with what it printed. Rejects when
 * the last answer of `until` could not be had.
 */
export async function callByBaresip(call: BaresipCall): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
  try {
    const { module, sampleRate, channels } = call.codec ?? { module: 'g711', sampleRate: 8000, channels: 1 };
    const mono = resampled(call.microphone, 8000, sampleRate);
    const pcm = Int16Array.from({ length: mono.length * channels }, (_, i) => mono[Math.floor(i / channels)]!);
    const transport = /;transport=\w+/.exec(call.to)?.[0] ?? '';
    await configure(folder, {
      sipPort: 0,
      microphone: { sampleRate, channels, pcm },
      modules: [module, ...(call.modules ?? [])],
      account: [`<sip:${call.from}@127.0.0.1${transport}>`, ...(call.account ?? [])],
      config: call.config,
    });
    const args = ['-f', folder, '-e', `/dial ${call.to}`, '-t', '60'];
    const enough = new AbortController();
    const over = run('baresip', args, folder, enough.signal).finally(() => enough.abort());
    let trouble: unknown;
    while (!enough.signal.aborted) {
      const done = await call.until().catch((error: unknown) => {
        trouble = error;
        return undefined;
      });
      if (done !== undefined) trouble = undefined;
      if (done) enough.abort();
      else await sleep(250);
    }
    const { output } = await over;
    if (trouble !== undefined) throw trouble;
    return output;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Configuration {
  sipPort: number;
  microphone: Wav;
  modules: readonly string[];
  /** Its address and parameters. */
  account: readonly string[];
  /** Lines besides. */
  config: readonly string[] | undefined;
}

/** Writes what baresip reads at its start. It has no sound card: it plays a file, and what it hears is lost. */
async function configure(
  folder: string,
  { sipPort, microphone, modules, account, config = [] }: Configuration,
): Promise<void> {
  const file = join(folder, 'in.wav');
  await writeFile(file, writeWav(microphone));
  const found = await run('find', ['/usr/lib', '-path', '*baresip/modules/aufile.so'], folder);
  const lines = [
    `sip_listen 127.0.0.1:${sipPort}`,
    `audio_source aufile,${file}`,
    'audio_player aufile,none',
    'audio_alert aufile,none',
    `module_path ${dirname(found.output.trim().split('\n')[0]!)}`,
    ...[...modules, 'aufile', 'account', 'menu'].map((name) => `module ${name}.so`),
    ...config,
  ];
  await writeFile(join(folder, 'config'), lines.join('\n'));
  await writeFile(join(folder, 'accounts'), `${[...account, 'regint=0'].join(';')}\n`);
  await writeFile(join(folder, 'contacts'), '');
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
    const [sipPort, controlPort] = [await freePort(), await freePort()];
    await configure(folder, {
      sipPort,
      microphone: { sampleRate: 8000, channels: 1, pcm: tone(500, 60_000) },
      modules: ['g711', 'ctrl_tcp', ...modules],
      account: [`<sip:${user}@127.0.0.1>`, 'answermode=auto', ...account],
      config: [`ctrl_tcp_listen 127.0.0.1:${controlPort}`],
    });
    const child = endsWithUs(spawn('baresip', ['-f', folder], { cwd: folder, stdio: 'ignore' }));
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

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}
