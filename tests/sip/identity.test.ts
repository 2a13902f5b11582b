import { afterEach, describe, expect, it } from 'vitest';
import type { CallLeg } from '../../src/call/legs/call-leg.ts';
import { silentLogger } from '../../src/core/log.ts';
import { EmbeddedFrontEnd } from '../../src/frontends/embedded/embedded-front-end.ts';
import { FAST, OFFER, UdpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** The leg an INVITE with these headers makes; `from` replaces the From line. */
async function callWith(headers: string[], facts: { trusted?: boolean; from?: string } = {}): Promise<CallLeg> {
  const { promise, resolve } = Promise.withResolvers<CallLeg>();
  const frontEnd = new EmbeddedFrontEnd({
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    log: silentLogger,
    maxCalls: 2,
    timers: FAST,
    ...(facts.trusted === undefined ? {} : { origin: () => ({ trunk: 'carrier', trusted: facts.trusted ?? false }) }),
  });
  await frontEnd.start(resolve);
  const peer = await UdpPeer.open(frontEnd.bound[0]?.port ?? 0);
  open.push(peer, frontEnd);
  const text = peer.build('INVITE', 'sip:bank@127.0.0.1', { body: OFFER, headers });
  peer.write(facts.from === undefined ? text : text.replace(/From: [^;]*/, `From: ${facts.from}`));
  return promise;
}

const PAI = 'P-Asserted-Identity: "Ada Lovelace" <sip:+15550142@carrier.example;user=phone>, <tel:+15550142>';

describe('who calls', () => {
  it('is whom a trusted trunk asserts, with what the caller claims kept beside it', async () => {
    const leg = await callWith([PAI], { trusted: true });
    expect(leg.remote).toEqual({
      uri: 'sip:+15550142@carrier.example;user=phone',
      displayName: 'Ada Lovelace',
      number: '+15550142',
    });
    expect(leg.signalling).toEqual({
      trusted: true,
      claimed: 'sip:+15550100@127.0.0.1',
      asserted: ['sip:+15550142@carrier.example;user=phone', 'tel:+15550142'],
    });
    expect(leg.trunk).toBe('carrier');
  });

  it.each([undefined, false])('is the From where nobody vouches for the peer (trusted: %s)', async (trusted) => {
    const leg = await callWith([PAI], trusted === undefined ? {} : { trusted });
    expect(leg.remote.number).toBe('+15550100');
    expect(leg.signalling).toEqual({ trusted: false });
  });

  it('is whom Remote-Party-ID names, where a trusted trunk speaks that', async () => {
    const rpid =
      'Remote-Party-ID: <sip:+15550199@x>;party=called, <sip:+15550142@x>;party=calling;screen=yes;privacy=off';
    expect((await callWith([rpid], { trusted: true })).remote.number).toBe('+15550142');
  });

  it.each([
    ['Privacy: id, with the number asserted', ['Privacy: id', PAI], undefined],
    ['Privacy: user; critical', ['Privacy: user; critical'], undefined],
    ['an anonymous From', [PAI], '"Anonymous" <sip:anonymous@anonymous.invalid>'],
    ['the name Anonymous beside a number', [], 'Anonymous <sip:+15550177@x>'],
    ['Remote-Party-ID with privacy=full', ['Remote-Party-ID: <sip:+15550142@x>;privacy=full'], undefined],
  ])('is nobody when the caller asks not to be known: %s', async (_what, headers, from) => {
    const leg = await callWith(headers, { trusted: true, ...(from === undefined ? {} : { from }) });
    expect(leg.remote).toEqual({ uri: 'sip:anonymous@anonymous.invalid' });
    expect(leg.signalling).toEqual({ trusted: true, anonymous: true });
    expect(JSON.stringify([leg.remote, leg.signalling])).not.toContain('555');
  });

  it('Privacy: none and header hide nothing', async () => {
    expect((await callWith(['Privacy: none'])).remote.number).toBe('+15550100');
    expect((await callWith(['Privacy: header'])).remote.number).toBe('+15550100');
  });
});

describe('how the call came here', () => {
  it('is told by Diversion, History-Info and User-to-User', async () => {
    const leg = await callWith([
      'Diversion: <tel:+15550111>;reason=no-answer;counter=1;privacy=off, "B" <sip:+15550112@x>;reason="User-Busy"',
      'Diversion: <sip:+15550113@x>;reason=unconditional;privacy=full',
      'History-Info: <sip:+15550111@x>;index=1',
      'History-Info: <sip:+15550112@x?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1.1, <sip:bank@x;cause=302>;index=1.2',
      'History-Info: <sip:+15550119@x?Privacy=history>;index=1.3',
      'User-to-User: 56a390f3d2b7310023;encoding=hex;purpose=isdn-uui',
    ]);
    expect(leg.signalling).toEqual({
      trusted: false,
      diversions: [
        { uri: 'tel:+15550111', reason: 'no-answer', counter: 1 },
        { uri: 'sip:+15550112@x', reason: 'user-busy' },
        { uri: 'sip:anonymous@anonymous.invalid', reason: 'unconditional' },
      ],
      history: [
        { uri: 'sip:+15550111@x', index: '1' },
        { uri: 'sip:+15550112@x', index: '1.1', cause: 486 },
        { uri: 'sip:bank@x;cause=302', index: '1.2', cause: 302 },
        { uri: 'sip:anonymous@anonymous.invalid', index: '1.3' },
      ],
      userToUser: [{ value: '56a390f3d2b7310023', encoding: 'hex', purpose: 'isdn-uui' }],
    });
  });

  it('is not told by what is malformed, too much or too long, and the call comes all the same', async () => {
    const leg = await callWith([
      'Diversion: "unclosed <sip:a@b>, <<>>;=;, <sip:+15550111@x>;reason=no-answer',
      `Diversion: ${Array.from({ length: 40 }, (_, i) => `<tel:${i}>`).join(', ')}`,
      `History-Info: <sip:${'x'.repeat(1000)}@x>;index=1`,
      'User-to-User:',
      'Privacy:',
    ]);
    expect(leg.signalling.diversions).toHaveLength(20);
    expect(leg.signalling.history?.[0]?.uri).toHaveLength(256);
  });
});
