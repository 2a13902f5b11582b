import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DialCounter } from '../../src/call/dial-counter.ts';
import type { CallLeg } from '../../src/call/legs/call-leg.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { Admission, type AdmissionOptions } from '../../src/frontends/admission/admission.ts';
import { EmbeddedFrontEnd } from '../../src/frontends/embedded/embedded-front-end.ts';
import { ConfigWatch } from '../../src/frontends/trunks/config-watch.ts';
import { digestResponse, digestSecret } from '../../src/sip/auth/digest.ts';
import { type SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import type { TlsFiles } from '../../src/sip/transport/tls-files.ts';
import { ANSWER, FAST, type MessageFacts, OFFER, type Peer, UdpPeer } from '../sip/support.ts';

export const BANK = 'sip:bank@127.0.0.1';

/** However busy this machine is, no call is refused for it. */
export const LIMITLESS = { cpu: 2, memory: 2, loopDelayMs: 60_000, setupMs: 60_000 };

/** A front end with a gate and a configuration of its own, on free ports, and phones at addresses of their own. */
export async function gate(
  yaml: string,
  {
    env = { BRANCH_PASSWORD: 'open sesame' },
    tls,
    dialCounter,
    answerAfterMs = 0,
    ...options
  }: Partial<AdmissionOptions> & {
    env?: Record<string, string>;
    tls?: TlsFiles;
    dialCounter?: DialCounter;
    answerAfterMs?: number;
  } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'gate-'));
  const write = (text: string) => writeFileSync(join(folder, 'sip.yaml'), text);
  write(yaml);
  const known = { actions: [], voices: ['slt', 'rms'], languages: ['en'] };
  const config = new ConfigWatch({ directory: folder, env, known }, silentLogger, () =>
    frontEnd.outbound.reconfigured(),
  );
  const admission: Admission = new Admission({
    config,
    maxCalls: 100,
    registered: (request, flow) => frontEnd.outbound.owner(request, flow),
    load: LIMITLESS,
    receiveDelayMs: () => frontEnd.receiveDelayMs,
    retryAfterSeconds: 5,
    clock: systemClock,
    log: silentLogger,
    ...options,
  });
  const legs: CallLeg[] = [];
  const frontEnd = new EmbeddedFrontEnd({
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port: 0 },
      ...(tls ? [{ protocol: 'tls' as const, host: '127.0.0.1', port: 0 }] : []),
    ],
    tls,
    log: silentLogger,
    maxCalls: 100,
    timers: FAST,
    admission,
    waysOut: () => config.current,
    dialCounter,
  });
  await frontEnd.start((leg) => {
    legs.push(leg);
    leg.onOffer(() => ANSWER);
    const answer = () => void leg.answer(ANSWER).catch(() => undefined);
    if (answerAfterMs === 0) answer();
    else setTimeout(answer, answerAfterMs);
  });
  const port = (protocol: string) => frontEnd.bound.find((place) => place.protocol === protocol)?.port ?? 0;
  const peers: UdpPeer[] = [];
  return {
    admission,
    config,
    frontEnd,
    legs,
    write,
    port: port('udp'),
    tcpPort: port('tcp'),
    /** 0 without TLS. */
    tlsPort: port('tls'),
    /** A phone that sends from this address. */
    async phone(host = '127.0.0.1') {
      const peer = await UdpPeer.open(port('udp'), host);
      peers.push(peer);
      return peer;
    },
    async close() {
      await frontEnd.close();
      admission.close();
      config.close();
      for (const peer of peers) peer.close();
      rmSync(folder, { recursive: true });
    },
  };
}

let calls = 0;

/**
 * What an INVITE is answered with, of those that are `wanted`. By UDP it is said again and again (RFC 3261 17.1.1.2): a starved
 * machine lets go of what waits for long. Answers to calls before may come again, too.
 */
export async function invited(
  peer: Peer,
  uri: string,
  facts: MessageFacts & { callId: string; branch: string },
  wanted: (status: number) => boolean,
): Promise<SipResponse> {
  const answers = (m: SipRequest | SipResponse) =>
    m instanceof SipResponse && m.callId === facts.callId && m.cseq.method === 'INVITE' && wanted(m.status);
  const invite = () => peer.say('INVITE', uri, { ...facts, body: OFFER });
  invite();
  const again = peer.transport === 'UDP' ? setInterval(invite, 500) : undefined;
  const answer = peer.next(answers, `an answer to ${facts.callId}`).finally(() => clearInterval(again));
  return (await answer) as SipResponse;
}

/** Calls and acknowledges; resolves with what ends the call. */
export async function talk(peer: Peer, uri = BANK, headers: string[] = []) {
  const callId = `talk-${++calls}`;
  const facts = { callId, branch: peer.branch(), headers };
  const { toTag } = await invited(peer, uri, facts, (status) => status === 200);
  peer.say('ACK', uri, { callId, toTag });
  return {
    callId,
    toTag,
    async hangUp() {
      peer.say('BYE', uri, { callId, toTag, cseq: 9 });
      await peer.response(200, 'BYE');
    },
  };
}

/** Sends an INVITE and acknowledges its refusal; resolves with the refusal. */
export async function refused(peer: UdpPeer, status: number, uri = BANK, headers: string[] = []): Promise<SipResponse> {
  const callId = `refused-${++calls}`;
  const branch = peer.branch();
  const response = await invited(peer, uri, { callId, branch, headers }, (got) => got === status);
  peer.say('ACK', uri, { callId, branch, toTag: response.toTag });
  return response;
}

/** Resolves when this request got no answer: the next one of another phone has come through before it. */
export async function silence(peer: UdpPeer, witness: UdpPeer, method = 'INVITE', headers: string[] = []) {
  const before = peer.heard.length;
  peer.say(method, BANK, { callId: `silence-${++calls}`, body: method === 'INVITE' ? OFFER : '', headers });
  // The socket hands datagrams up in order, so the question before this one has been judged when it is answered.
  witness.say('OPTIONS', BANK, { callId: `witness-${++calls}` });
  await witness.response(200, 'OPTIONS');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(peer.heard.slice(before).map((message) => ('status' in message ? message.status : message.method))).toEqual(
    [],
  );
}

/** The header that answers one of the challenges in a 401. */
export function authorize(
  challenged: SipResponse,
  facts: { user?: string; password?: string; algorithm?: 'MD5' | 'SHA-256'; nc?: number; method?: string } = {},
): string {
  const { user = 'branch', password = 'open sesame', algorithm = 'SHA-256', nc = 1, method = 'INVITE' } = facts;
  const line = challenged.headers.lines('www-authenticate').find((one) => one.includes(`algorithm=${algorithm}`))!;
  const value = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(line)![1]!;
  const count = nc.toString(16).padStart(8, '0');
  const response = digestResponse(digestSecret(algorithm, user, value('realm'), password), method, {
    algorithm,
    nonce: value('nonce'),
    uri: BANK,
    qop: 'auth',
    nc: count,
    cnonce: 'abc',
  });
  return [
    `Authorization: Digest username="${user}", realm="${value('realm')}", nonce="${value('nonce')}", uri="${BANK}"`,
    `response="${response}", algorithm=${algorithm}, opaque="${value('opaque')}", qop=auth, nc=${count}, cnonce="abc"`,
  ].join(', ');
}
