import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { ANSWER, listen } from '../sip/support.ts';
import { freePort } from '../support/free-port.ts';
import { EDGES, type Edge } from './edge.ts';

const CALL = fileURLToPath(new URL('./call.xml', import.meta.url));
/** EDGE_LOAD_RATE=200 EDGE_LOAD_CALLS=8000 for the figures in docs/opensips.md. */
const RATE = Number(process.env.EDGE_LOAD_RATE ?? 30);
const CALLS = Number(process.env.EDGE_LOAD_CALLS ?? RATE * 10);

/** Our user agent as a connector: it answers, and once it drains it refuses calls and probes with 503. */
class Answerer {
  readonly port: number;
  draining = false;
  answered = 0;
  refused = 0;
  #ua: UserAgent | undefined;

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    this.draining = false;
    const { ua } = await listen({
      listen: [{ protocol: 'udp', host: '127.0.0.1', port: this.port }],
      timers: {},
      admit: (request) => {
        if (!this.draining) return undefined;
        if (request.method === 'INVITE') this.refused++;
        return { status: 503, headers: { 'Retry-After': '5' } };
      },
      onInvite: (invite) => {
        this.answered++;
        invite.answer(ANSWER).catch(() => undefined);
      },
    });
    this.#ua = ua;
  }

  /** As a connector ends on SIGTERM: no new calls, the running ones end, then it is gone. */
  async drain(): Promise<void> {
    this.draining = true;
    while (this.#ua!.dialogs > 0) await sleep(50);
    await this.stop();
  }

  async stop(): Promise<void> {
    await this.#ua?.close();
    this.#ua = undefined;
  }
}

describe.each(EDGES)('callers who keep calling through $name', (kind) => {
  let folder: string;
  let edge: Edge;
  let connectors: [Answerer, Answerer];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'load-'));
    connectors = [new Answerer(await freePort()), new Answerer(await freePort())];
    for (const one of connectors) await one.start();
    edge = await kind.start(connectors.map(({ port }) => port));
  });
  afterAll(async () => {
    await edge.stop();
    for (const one of connectors) await one.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('lose no call while one connector drains, is gone for a while and comes back', async () => {
    const [first, second] = connectors;
    const args = ['-sf', CALL, `127.0.0.1:${edge.port}`, '-i', '127.0.0.1', '-r', String(RATE), '-m', String(CALLS)];
    args.push('-nostdin', '-trace_err', '-error_file', join(folder, 'errors'), '-timeout', '120s', '-timeout_error');
    let over = false;
    const failed = new Promise<Error | null>((resolve) => {
      execFile('/usr/bin/sipp', args, { cwd: folder, maxBuffer: 1e9 }, (error) => {
        over = true;
        resolve(error);
      });
    });
    const lasts = (CALLS / RATE) * 1000;
    await sleep(lasts * 0.2);
    await first.drain();
    const before = first.answered;
    expect(before).toBeGreaterThan(0);
    await sleep(lasts * 0.2);
    await first.start();
    await expect.poll(() => first.answered).toBeGreaterThan(before);
    expect(over).toBe(false);
    const error = await failed;
    expect(
      error,
      error === null ? '' : await readFile(join(folder, 'errors'), 'utf8').catch(() => String(error)),
    ).toBeNull();
    // None was lost; one that was retried after two seconds of silence may have reached both.
    expect(first.answered + second.answered).toBeGreaterThanOrEqual(CALLS);
    expect(first.refused).toBeGreaterThan(0);
  }, 150_000);
});
