import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUDIO_NICE } from '../../src/core/priority.ts';
import { freePort } from '../../tests/support/free-port.ts';
import type { FarEnd } from './far-end.ts';
import { cpuSecondsOf } from './process-stats.ts';

const SCENARIO = join(import.meta.dirname, 'sipp/answered.xml');
const SETTLE_MS = 20_000;

/**
 * sipp (Debian's sip-tester) as the callers: it places the calls, and one thread of it sends every packet back to where it
 * came from. The bot sends fifty a second, so each call has RTP both ways, at a fraction of what callers in Node take of
 * the same two cores. It measures nothing: what we send is judged by the kernel's stamps (WireCapture).
 */
export class EchoCrowd implements FarEnd {
  readonly name = "sipp's RTP echo";
  readonly rtpPort: number;
  readonly stamped = false;
  readonly #sipPort: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #wanted = 0;

  private constructor(sipPort: number, rtpPort: number, folder: string) {
    this.#sipPort = sipPort;
    this.rtpPort = rtpPort;
    this.#folder = folder;
  }

  static async start(sipPort: number): Promise<EchoCrowd> {
    return new EchoCrowd(sipPort, await freeRtpPort(), await mkdtemp(join(tmpdir(), 'echo-crowd-')));
  }

  async bringUp(calls: number, perSecond: number, number = 'bank'): Promise<{ up: number; failed: number }> {
    if (this.#child) throw new Error('sipp is calling already');
    const options = {
      '-sf': SCENARIO,
      '-s': number,
      '-i': '127.0.0.1',
      '-p': String(await freePort()),
      '-mi': '127.0.0.1',
      '-mp': String(this.rtpPort),
      '-r': String(perSecond),
      '-m': String(calls),
      '-l': String(calls),
      '-log_file': this.#log,
    };
    const flags = ['-rtp_echo', '-trace_logs', '-nostdin', '-buff_size', '8388608'];
    const sipp = ['sipp', `127.0.0.1:${this.#sipPort}`, ...Object.entries(options).flat(), ...flags];
    // As quick as what it is to measure: a far end is on a machine of its own. Where that is not allowed, nice says so and goes on.
    const child = spawn('nice', ['-n', String(AUDIO_NICE), ...sipp], {
      cwd: this.#folder,
      stdio: 'ignore',
      env: { ...process.env, TERM: 'dumb' },
    });
    this.#child = child;
    this.#wanted = calls;
    const until = performance.now() + (calls / perSecond) * 1000 + SETTLE_MS;
    while (child.exitCode === null && performance.now() < until) {
      const { up } = await this.#told();
      if (up >= calls) break;
      await sleep(100);
    }
    if (child.exitCode !== null) throw new Error(`sipp ended with ${child.exitCode}`);
    const { up } = await this.#told();
    return { up, failed: calls - up };
  }

  async reset(): Promise<void> {}

  async saw(): Promise<undefined> {}

  async lost(): Promise<number> {
    const { up, over } = await this.#told();
    return this.#wanted - up + over;
  }

  cpuSeconds(): Promise<number> {
    return cpuSecondsOf(this.#child!.pid!);
  }

  /** The calls are left: nobody sends or echoes any more. */
  async hangUp(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.hangUp();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #log(): string {
    return join(this.#folder, 'calls.log');
  }

  async #told(): Promise<{ up: number; over: number }> {
    const lines = (await readFile(this.#log, 'utf8').catch(() => '')).split('\n');
    return { up: lines.filter((line) => line === 'up').length, over: lines.filter((line) => line === 'over').length };
  }
}

/** Even, as those of RTP are; sipp takes the one two above as well. */
async function freeRtpPort(): Promise<number> {
  for (;;) {
    const port = (await boundPort(0)) & ~1;
    try {
      for (const one of [port, port + 2]) await boundPort(one);
      return port;
    } catch {
      // Somebody has one of the two.
    }
  }
}

/** Binds a port for a moment (0: any). Rejects when somebody has it. */
async function boundPort(port: number): Promise<number> {
  const socket = createSocket('udp4');
  try {
    const bound = once(socket, 'listening');
    socket.bind(port, '127.0.0.1');
    await bound;
    return socket.address().port;
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}
