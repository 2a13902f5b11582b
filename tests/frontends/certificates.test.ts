import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TlsPeer } from '../sip/secure-peers.ts';
import { OFFER, type Peer } from '../sip/support.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { BANK, gate, talk } from './gate.ts';

let authority: Authority;
let elsewhere: Authority;
let ours: Certificate;
let partner: Certificate;
let other: Certificate;
let forged: Certificate;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  [authority, elsewhere] = await Promise.all([Authority.create(), Authority.create('Somebody else')]);
  ours = await authority.issue('connector', 'connector.example', 'DNS:localhost,IP:127.0.0.1');
  partner = await authority.issue('partner', 'unimportant', 'URI:sip:sbc.partner.example');
  // Its common name does not count where there are alternative names (RFC 5922 7.1).
  other = await authority.issue('other', 'sbc.partner.example', 'DNS:other.example');
  forged = await elsewhere.issue('forged', 'sbc.partner.example', 'DNS:sbc.partner.example');
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => Promise.all([authority.remove(), elsewhere.remove()]));

const pem = (file: string) => readFileSync(file);

async function trunk(certificate: string) {
  const it = await gate(
    `bots: [{ name: bank }]
numbers: [{ any: true, bot: bank }]
trunks: [{ name: partner, certificate: ${certificate} }]
`,
    { tls: { certificates: [ours], ca: authority.cert, clientCertificates: 'optional' } },
  );
  const peer = async (shown?: Certificate): Promise<Peer> => {
    const mine = shown && { cert: pem(shown.cert), key: pem(shown.key) };
    const opened = await TlsPeer.open(it.tlsPort, { ca: pem(authority.cert), ...mine });
    open.push(opened);
    return opened;
  };
  open.push(it);
  return { ...it, peer };
}

async function status(peer: Peer): Promise<number> {
  peer.say('INVITE', BANK, { body: OFFER, callId: `status-${peer.port}` });
  return (await peer.response(403, 'INVITE')).status;
}

describe('a trunk known by its certificate', () => {
  it('calls by the name in it, and nobody else does: not without one, not with another, not with a forged one', async () => {
    const { peer, legs } = await trunk('{ names: [SBC.partner.example] }');
    await (await talk(await peer(partner))).hangUp();
    for (const shown of [undefined, other, forged]) expect(await status(await peer(shown))).toBe(403);
    expect(legs.map((leg) => leg.trunk)).toEqual(['partner']);
  });

  it('calls by its fingerprint, whoever signed it', async () => {
    const { fingerprint256 } = new X509Certificate(pem(forged.cert));
    const { peer, legs } = await trunk(`{ fingerprints: ["${fingerprint256}"] }`);
    await (await talk(await peer(forged))).hangUp();
    expect(await status(await peer(partner))).toBe(403);
    expect(legs.length).toBe(1);
  });
});
