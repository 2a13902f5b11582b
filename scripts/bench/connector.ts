import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicNow } from '../../src/core/clock.ts';
import { Failure } from '../../src/core/errors.ts';
import { freePort } from '../../tests/support/free-port.ts';
import { cpuSecondsOf, residentBytesOf } from './process-stats.ts';

const ROOT = join(import.meta.dirname, '../..');
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 30_000;
/** Below the range the kernel hands out, so that phones and the connector never want the same port. */
const RTP_BASE = 20_000;
const RTP_SPREAD = 6_000;
/** A port rests for five seconds after each call: enough for 400 short calls a second. */
const RTP_PORTS = 6_000;

/** A connector of the bench's own: a child process on free loopback ports with its data in a temporary folder. */
export class BenchConnector {
  readonly uri: string;
  readonly sipPort: number;
  readonly api: string;
  readonly token: string;
  readonly startMs: number;
  /** Of one that was started `inspected`. */
  readonly inspectorUrl: string | undefined;
  /** Where its data is. */
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #output: string[];

  private constructor(facts: {
    child: ChildProcess;
    folder: string;
    output: string[];
    sipPort: number;
    httpPort: number;
    token: string;
    startMs: number;
  }) {
    this.#child = facts.child;
    this.folder = facts.folder;
    this.#output = facts.output;
    this.sipPort = facts.sipPort;
    this.uri = `sip:bank@127.0.0.1:${facts.sipPort}`;
    this.api = `http://127.0.0.1:${facts.httpPort}`;
    this.token = facts.token;
    this.startMs = facts.startMs;
    this.inspectorUrl = undefined;
  }

  /**
   * Resolves when /ready answers 200. `kept`: the folder that one before it left; `inspected`: its heap can be looked at;
   * `spawned`: told the pid at once.
   * Throws Failure with the child's last lines when it does not come up.
   */
  static async start(
    environment: Record<string, string> = {},
    {
      kept,
      inspected = false,
      spawned,
    }: { kept?: string | undefined; inspected?: boolean; spawned?: ((pid: number) => void) | undefined } = {},
  ): Promise<BenchConnector> {
    const folder = kept ?? (await mkdtemp(join(tmpdir(), 'svc-bench-')));
    const sipPort = environment.SIP_PORT === undefined ? await freePort() : Number(environment.SIP_PORT);
    const httpPort = await freePort();
    const rtpBase = RTP_BASE + 2 * Math.floor((Math.random() * RTP_SPREAD) / 2);
    const token = 'bench-token-0123456789abcdef';
    const begun = monotonicNow();
    const { flags, variables } = await startCommand();
    if (inspected) flags.push('--inspect=127.0.0.1:0');
    const child = spawn(process.execPath, [...flags, 'src/main.ts'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...variables,
        ...process.env,
        SIP_HOST: '127.0.0.1',
        SIP_PORT: String(sipPort),
        RTP_PORT_MIN: String(rtpBase),
        RTP_PORT_MAX: String(rtpBase + RTP_PORTS - 1),
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: String(httpPort),
        DATA_DIR: folder,
        DATABASE_URL: '',
        BANK_URL: '',
        ADMIN_TOKEN: token,
        LLM_PROVIDER: 'scripted',
        MAX_CALLS: '1000',
        DRAIN_SECONDS: '0',
        LOG_LEVEL: 'warn',
        ...environment,
      },
    });
    if (child.pid !== undefined) spawned?.(child.pid);
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output.push(...text.split('\n').filter((line) => line !== ''));
        output.splice(0, Math.max(0, output.length - 200));
      });
    }
    const connector = new BenchConnector({ child, folder, output, sipPort, httpPort, token, startMs: 0 });
    try {
      await connector.#ready(begun + READY_WITHIN_MS);
    } catch (error) {
      await connector.stop();
      throw error;
    }
    return Object.assign(connector, { startMs: monotonicNow() - begun, inspectorUrl: urlIn(output) });
  }

  /** Warnings and errors it has logged, the last 200 lines. */
  get output(): readonly string[] {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** CPU seconds of the process with all its threads so far. */
  async cpuSeconds(): Promise<number> {
    return cpuSecondsOf(this.pid);
  }

  /** Resident memory in bytes. */
  async residentBytes(): Promise<number> {
    return residentBytesOf(this.pid);
  }

  /** What it tells of itself now, by the name of a metric without labels. */
  async metrics(): Promise<(name: string) => number | undefined> {
    const text = await (await fetch(`${this.api}/metrics`)).text();
    return (name) => {
      const value = new RegExp(`^${name} ([\\d.e+-]+)`, 'm').exec(text)?.[1];
      return value === undefined ? undefined : Number(value);
    };
  }

  /** SIGTERM, then SIGKILL when it does not end in time; removes its folder unless `keepData`. Idempotent. */
  async stop({ keepData = false } = {}): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await gone;
      clearTimeout(late);
    }
    if (!keepData) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #ready(deadline: number): Promise<void> {
    for (;;) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw notUp(`the connector ended with ${this.#child.exitCode ?? this.#child.signalCode}`, this.#output);
      }
      const ok = await fetch(`${this.api}/ready`).then(
        (response) => response.ok,
        () => false,
      );
      if (ok) return;
      if (monotonicNow() > deadline) throw notUp('the connector is not ready in time', this.#output);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Node's options and the variables set for it, as `npm start` has them: its modules are kept compiled. */
async function startCommand(): Promise<{ flags: string[]; variables: Record<string, string> }> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const words = scripts.start.split(' ');
  const variables = words.flatMap((word) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(word) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return { flags: words.filter((word) => word.startsWith('--')), variables: Object.fromEntries(variables) };
}

function urlIn(output: readonly string[]): string | undefined {
  return output.map((line) => /^Debugger listening on (ws:\S+)/.exec(line)?.[1]).find((url) => url !== undefined);
}

function notUp(message: string, output: readonly string[]): Failure {
  return new Failure([message, ...output.slice(-5)].join('\n'), { code: 'not-up', blame: 'us' });
}
