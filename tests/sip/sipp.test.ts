import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SessionEnd } from '../../src/sip/session/session-end.ts';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { ANSWER, listen } from './support.ts';

const SIPP = '/usr/bin/sipp';
const SCENARIOS = new URL('../sipp/', import.meta.url).pathname;

/** The peer nobody of us wrote: sipp (Debian's sip-tester). */
describe('against sipp', () => {
  let work: string;
  let ua: UserAgent | undefined;
  let calls: SessionEnd[] = [];
  let places: { udp: number; tcp: number };

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'sipp-'));
  });
  afterEach(() => ua?.close());
  afterAll(() => rm(work, { recursive: true, force: true }));

  /** Answers after `answerAfter` ms of ringing; undefined never answers. */
  async function serve(answerAfter: number | undefined): Promise<void> {
    calls = [];
    const listening = await listen({
      onInvite: (invite) => {
        invite.session.handlers.onOffer = () => ANSWER;
        invite.signal.addEventListener('abort', () => calls.push(invite.signal.reason as SessionEnd), { once: true });
        invite.progress();
        if (answerAfter === undefined) return;
        setTimeout(() => void invite.answer(ANSWER).catch(() => undefined), answerAfter);
      },
    });
    ua = listening.ua;
    places = listening;
  }

  /** Runs one scenario; rejects with what sipp has to say when a call of it fails. */
  async function sipp(scenario: string, transport: 'u1' | 't1' = 'u1', calls = 1): Promise<void> {
    const port = transport === 'u1' ? places.udp : places.tcp;
    const args = ['-sf', join(SCENARIOS, `${scenario}.xml`), `127.0.0.1:${port}`, '-i', '127.0.0.1', '-t', transport];
    args.push('-m', String(calls), '-r', '20', '-nostdin', '-timeout', '20s', '-timeout_error', '-trace_err');
    const failed = await new Promise<Error | undefined>((resolve) => {
      execFile(SIPP, args, { cwd: work }, (error) => resolve(error ?? undefined));
    });
    if (failed === undefined) return;
    const logs = (await readdir(work)).filter((file) => file.endsWith('_errors.log'));
    const said = await Promise.all(logs.map((file) => readFile(join(work, file), 'utf8')));
    throw new Error(`sipp ${scenario}: ${said.join('\n').slice(0, 3000)}`);
  }

  it.each(['u1', 't1'] as const)('serves calls (%s)', async (transport) => {
    await serve(20);
    await sipp('basic-call', transport, 5);
    expect(calls).toEqual(Array(5).fill({ by: 'remote', how: 'bye' }));
    expect(ua?.dialogs).toBe(0);
  });

  it('makes one call of a retransmitted INVITE, and answers a retransmitted BYE', async () => {
    await serve(100);
    await sipp('retransmitted-invite');
    expect(calls).toEqual([{ by: 'remote', how: 'bye' }]);
  });

  it('sends the 200 again until a late ACK comes', async () => {
    await serve(20);
    await sipp('late-ack');
    expect(calls).toEqual([{ by: 'remote', how: 'bye' }]);
  });

  it('hangs up when no ACK comes at all', async () => {
    await serve(20);
    await sipp('no-ack');
    expect(calls).toEqual([{ by: 'network', how: 'no-ack', status: 408 }]);
  });

  it('ends a call that is cancelled while it rings', async () => {
    await serve(undefined);
    await sipp('cancel');
    expect(calls).toEqual([{ by: 'remote', how: 'cancel' }]);
  });

  it('goes along with hold and resume', async () => {
    await serve(20);
    await sipp('hold');
    expect(calls).toEqual([{ by: 'remote', how: 'bye' }]);
  });

  it.each(['options', 'unknown-method', 'unsupported-require'])('answers %s as it should', async (scenario) => {
    await serve(20);
    await sipp(scenario);
    expect(calls).toEqual([]);
  });
});
