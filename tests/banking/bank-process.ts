import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { JournalEntry } from '../../src/demo-bank/bank.ts';
import type { FaultSettings } from '../../src/demo-bank/faults.ts';

export const API_KEY = 'key-of-the-tests';

/** The demo bank as its own process on a free port, with its test endpoints open. */
export class BankProcess {
  readonly url: string;
  /** Everything it has logged. */
  log = '';
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, url: string) {
    this.#child = child;
    this.url = url;
    child.stderr.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
  }

  static async start(options: readonly string[] = []): Promise<BankProcess> {
    const main = fileURLToPath(new URL('../../src/demo-bank/main.ts', import.meta.url));
    const args = [main, '--port', '0', '--api-key', API_KEY, '--test-endpoints', '--exit-with-parent', ...options];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = createInterface({ input: child.stdout, signal: AbortSignal.timeout(30_000) });
    for await (const line of lines) {
      const { listening } = JSON.parse(line) as { listening: string };
      return new BankProcess(child, listening);
    }
    throw new Error('the demo bank did not start');
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  get process(): ChildProcessByStdio<Writable, Readable, Readable> {
    return this.#child;
  }

  faults(settings: Partial<FaultSettings>): Promise<unknown> {
    return this.#post('/_test/faults', settings);
  }

  reset(): Promise<unknown> {
    return this.#post('/_test/reset', {});
  }

  async journal(): Promise<JournalEntry[]> {
    const response = await fetch(`${this.url}/_test/journal`);
    return ((await response.json()) as { entries: JournalEntry[] }).entries;
  }

  async changes(kind: JournalEntry['kind']): Promise<JournalEntry[]> {
    return (await this.journal()).filter((entry) => entry.kind === kind);
  }

  /** One raw request with the key of the tests. */
  request(
    path: string,
    init: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: init.method ?? 'GET',
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      body: init.body === undefined ? undefined : JSON.stringify(init.body),
    });
  }

  /** Ends the process; the port is free afterwards. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill(signal);
      await gone;
    }
    return this.#child.exitCode;
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const response = await this.request(path, { method: 'POST', body });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
