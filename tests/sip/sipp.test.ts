import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SdpNegotiator } from '../../src/media/sdp/sdp.ts';
import type { Refusal } from '../../src/sip/session/incoming-invite.ts';
import type { Session } from '../../src/sip/session/session.ts';
import type { SessionEnd } from '../../src/sip/session/session-end.ts';
import type { UserAgent, UserAgentOptions } from '../../src/sip/user-agent.ts';
import { ANSWER, FAST, listen } from './support.ts';

const SIPP = '/usr/bin/sipp';
const SCENARIOS = new URL('../sipp/', import.meta.url).pathname;

/** The peer nobody of us wrote: sipp (Debian's sip-tester). */
describe('against sipp', () => {
  let work: string;
  let ua: UserAgent | undefined;
  let calls: SessionEnd[] = [];
  /** How REFERs of ours went. */
  let referred: string[] = [];
  let places: { udp: number; tcp: number };

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'sipp-'));
  });
  afterEach(() => ua?.close());
  afterAll(() => rm(work, { recursive: true, force: true }));

  interface Service {
    /** `early`: 183 with our description. Default: 180. */
    ring?: 'early' | 'silent';
    /** Milliseconds; undefined never answers. */
    answerAfter?: number | undefined;
    refuse?: Refusal;
    /** Once the call is up. */
    onceUp?: (session: Session) => unknown;
    options?: Partial<UserAgentOptions>;
  }

  /** A user agent that answers every call, with what a real negotiation of the media gives. */
  async function serve({ ring, answerAfter, refuse, onceUp, options }: Service): Promise<void> {
    calls = [];
    referred = [];
    const listening = await listen({
      ...options,
      onInvite: (invite) => {
        const sdp = new SdpNegotiator({ address: '127.0.0.1', port: 4002, sessionId: '1' });
        invite.session.handlers.onOffer = (offer) => sdp.answer(offer).answer;
        invite.session.handlers.onOfferWanted = () => sdp.offer();
        invite.signal.addEventListener('abort', () => calls.push(invite.signal.reason as SessionEnd), { once: true });
        if (refuse !== undefined) return invite.reject(refuse);
        const ours = invite.offer === undefined ? sdp.offer() : sdp.answer(invite.offer).answer;
        if (ring !== 'silent') invite.progress(ring === 'early' ? ours : undefined);
        if (answerAfter === undefined) return;
        const answer = async () => {
          await invite.answer(ours);
          await onceUp?.(invite.session);
        };
        setTimeout(() => void answer().catch(() => undefined), answerAfter);
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
    await serve({ answerAfter: 20 });
    await sipp('basic-call', transport, 5);
    expect(calls).toEqual(Array(5).fill({ by: 'remote', how: 'bye' }));
    expect(ua?.dialogs).toBe(0);
  });

  it('makes one call of a retransmitted INVITE, and answers a retransmitted BYE', async () => {
    await serve({ answerAfter: 100 });
    await sipp('retransmitted-invite');
    expect(calls).toEqual([{ by: 'remote', how: 'bye' }]);
  });

  it('sends the 200 again until a late ACK comes', async () => {
    await serve({ answerAfter: 20 });
    await sipp('late-ack');
    expect(calls).toEqual([{ by: 'remote', how: 'bye' }]);
  });

  it('hangs up when no ACK comes at all', async () => {
    await serve({ answerAfter: 20 });
    await sipp('no-ack');
    expect(calls).toEqual([{ by: 'network', how: 'no-ack', status: 408 }]);
  });

  it('ends a call that is cancelled while it rings', async () => {
    await serve({});
    await sipp('cancel');
    expect(calls).toEqual([{ by: 'remote', how: 'cancel' }]);
  });

  it('goes along with hold and resume', async () => {
    await serve({ answerAfter: 20 });
    await sipp('hold');
    expect(calls).toEqual([{ by: 'remote', how: 'bye' }]);
  });

  it.each(['options', 'unknown-method', 'unsupported-require'])('answers %s as it should', async (scenario) => {
    await serve({ answerAfter: 20 });
    await sipp(scenario);
    expect(calls).toEqual([]);
  });

  const BYE: SessionEnd = { by: 'remote', how: 'bye' };
  const SHORT = { sessionTimer: { expires: 2, minSe: 1 } };
  const refreshing = { ring: 'silent', answerAfter: 20, options: SHORT } as const;

  const REFERRED: Record<string, string> = { 'refer-busy': 'failed', 'refer-refused': 'refused', 'refer-bye': 'left' };
  /** Sends the caller to an agent, and hangs up when that has worked. */
  const transfer = async (session: Session) => {
    const { outcome } = await session.refer({ to: 'sip:agent@192.0.2.77' });
    referred.push(outcome);
    if (outcome === 'connected') await session.bye();
  };

  it.each<[scenario: string, service: Service, ends: SessionEnd[]]>([
    ['prack-ringing', { answerAfter: 150 }, [BYE]],
    ['prack-required', { answerAfter: 150 }, [BYE]],
    ['prack-early-media', { ring: 'early', answerAfter: 50 }, [BYE]],
    ['prack-wrong-rack', { answerAfter: 300 }, [BYE]],
    [
      'prack-missing',
      { options: { timers: { ...FAST, t1: 20, t2: 80 } } },
      [{ by: 'network', how: 'transport', status: 504, reason: 'no PRACK came' }],
    ],
    ['prack-delayed-offer', { ring: 'early', answerAfter: 50 }, [BYE]],
    ['early-media', { ring: 'early', answerAfter: 100 }, [BYE]],
    ['update-early', { ring: 'early', answerAfter: 400 }, [BYE]],
    ['update', { answerAfter: 20 }, [BYE]],
    ['update-refresh', { answerAfter: 20 }, [BYE]],
    ['delayed-offer', { answerAfter: 20 }, [BYE]],
    ['reinvite-delayed-offer', { answerAfter: 20 }, [BYE]],
    ['hold-inactive', { answerAfter: 20 }, [BYE]],
    ['hold-null-address', { answerAfter: 20 }, [BYE]],
    ['hold-null-address-v6', { answerAfter: 20 }, [BYE]],
    ['hold-session-level', { answerAfter: 20 }, [BYE]],
    ['hold-recvonly', { answerAfter: 20 }, [BYE]],
    ['multipart', { answerAfter: 20 }, [BYE]],
    ['multipart-required', {}, []],
    ['info-dtmf-relay', { answerAfter: 20 }, [BYE]],
    ['info-dtmf', { answerAfter: 20 }, [BYE]],
    ['info-unknown', { answerAfter: 20 }, [BYE]],
    ['out-of-order', { answerAfter: 20 }, [BYE]],
    ['cancel-early-media', { ring: 'early' }, [{ by: 'remote', how: 'cancel' }]],
    ['cancel-too-late', { answerAfter: 20 }, [BYE]],
    ['cancel-nothing', {}, []],
    ['early-bye', {}, [BYE]],
    ['bye-unknown', {}, []],
    ['merged', { answerAfter: 300 }, [BYE]],
    ['busy', { refuse: { status: 486 } }, [{ by: 'local', how: 'rejected', status: 486 }]],
    [
      'redirected',
      { refuse: { status: 302, headers: { Contact: '<sip:agent@192.0.2.77>' } } },
      [{ by: 'local', how: 'rejected', status: 302 }],
    ],
    ['server-bye', { answerAfter: 20, onceUp: (session) => session.bye() }, [{ by: 'local', how: 'bye' }]],
    ['refer', { answerAfter: 20, onceUp: transfer }, [{ by: 'local', how: 'bye' }]],
    ['refer-early-notify', { answerAfter: 20, onceUp: transfer }, [{ by: 'local', how: 'bye' }]],
    ['refer-busy', { answerAfter: 20, onceUp: transfer }, [BYE]],
    ['refer-refused', { answerAfter: 20, onceUp: transfer }, [BYE]],
    ['refer-bye', { answerAfter: 20, onceUp: transfer }, [BYE]],
    ['record-route', { answerAfter: 20, onceUp: (session) => session.bye() }, [{ by: 'local', how: 'bye' }]],
    ['reinvite-from-server', { answerAfter: 20, onceUp: (session) => session.reinvite(ANSWER) }, [BYE]],
    ['reinvite-refused', { answerAfter: 20, onceUp: (session) => session.reinvite(ANSWER) }, [BYE]],
    ['session-timer-uac', { answerAfter: 20 }, [BYE]],
    ['session-timer-uas', refreshing, [BYE]],
    ['session-timer-reinvite', refreshing, [BYE]],
    ['session-timer-expired', refreshing, [{ by: 'network', how: 'expired', status: 408 }]],
    ['session-timer-too-small', { answerAfter: 20 }, [BYE]],
    ['max-forwards-zero', {}, []],
    ['proxy-require', { answerAfter: 20 }, [BYE]],
    ['unacceptable', {}, []],
    ['unsupported-media', {}, []],
    ['register', {}, []],
    ['subscribe', {}, []],
    ['notify-unknown', {}, []],
    ['replaces-unknown', {}, []],
    ['replaces-twice', {}, []],
    ['tel-uri', { answerAfter: 20 }, [BYE]],
    ['options-in-call', { answerAfter: 20 }, [BYE]],
    ['refer-from-caller', { answerAfter: 20 }, [BYE]],
    ['codec-change', { answerAfter: 20 }, [BYE]],
    ['no-common-codec', { answerAfter: 20 }, [BYE]],
    ['reinvite-glare', { answerAfter: 20, onceUp: (session) => session.reinvite(ANSWER) }, [BYE]],
  ])('%s', async (scenario, service, ends) => {
    await serve(service);
    await sipp(scenario);
    await expect.poll(() => calls).toEqual(ends);
    const wanted = service.onceUp === transfer ? [REFERRED[scenario] ?? 'connected'] : [];
    await expect.poll(() => referred).toEqual(wanted);
  });
});
