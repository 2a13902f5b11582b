import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaReport } from '../../src/media/ports.ts';
import { mediaReportOf, type RecordedCall, recordedCall, transcript } from '../support/call-record.ts';
import { Authority } from '../support/certificates.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { DialRefused } from '../support/phone/failures.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { asksForBalance } from './bare-caller.ts';
import { sayUntilUnderstood } from './customers.ts';

/** Trunks are told apart by the address that calls. */
const PLAIN_HOST = '127.0.0.1';
const CLEAR_KEYS_HOST = '127.0.0.2';
const STRICT_HOST = '127.0.0.3';
const NEVER_HOST = '127.0.0.4';
const CONFIG = `
trunks:
  - { name: clear-keys, from: ${CLEAR_KEYS_HOST}, media: { keysInClear: true } }
  - { name: strict, from: ${STRICT_HOST}, media: { encryption: required, keysInClear: true } }
  - { name: never, from: ${NEVER_HOST}, media: { encryption: off, keysInClear: true } }
  - { name: here, from: loopback }
bots:
  - { name: bank }
numbers:
  - { any: true, bot: bank }
`;

let authority: Authority;
let connector: Connector;
let voices: VoiceBox;
const phones: Phone[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  const { cert, key } = await authority.issue('connector', 'connector.example', 'DNS:localhost,IP:127.0.0.1');
  const folder = join(authority.folder, 'sip-config');
  await mkdir(folder);
  await writeFile(join(folder, 'all.yaml'), CONFIG);
  connector = await startConnector({
    SIP_CONFIG: folder,
    SIP_TLS_PORT: '0',
    SIP_TLS_CERT: cert,
    SIP_TLS_KEY: key,
  });
  voices = new VoiceBox();
});
afterAll(async () => {
  for (const phone of phones) await phone.close();
  await connector.stop();
  await voices.close();
  await authority.remove();
});

async function call(options: PhoneOptions): Promise<Phone> {
  const phone = await Phone.open({ voiceBox: voices, ...options });
  phones.push(phone);
  await phone.dial(`sip:bank@127.0.0.1:${connector.sipPort}`);
  return phone;
}

async function statusOf(options: PhoneOptions): Promise<number> {
  const error: unknown = await call(options).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(DialRefused);
  return (error as DialRefused).status;
}

async function finished(phone: Phone): Promise<{ call: RecordedCall; report: MediaReport }> {
  await phone.hangup();
  const record = await recordedCall(connector, phone.sipCallId, (call) => mediaReportOf(call) !== undefined);
  return { call: record, report: mediaReportOf(record)! };
}

const BALANCE = 'what is my balance';
const asks = (phone: Phone) =>
  sayUntilUnderstood(connector, phone, BALANCE, {
    understood: (call) => transcript(call).includes(`caller: ${BALANCE}`),
  });
const tlsPort = () =>
  (connector.logs.find(({ message }) => message === 'ready')!.sip as { protocol: string; port: number }[]).find(
    ({ protocol }) => protocol === 'tls',
  )!.port;

describe.concurrent('a caller who encrypts', () => {
  it('is understood and answered, and is not heard of in the clear', async () => {
    const phone = await call({ host: CLEAR_KEYS_HOST, srtp: {} });
    await phone.waitForReply();
    await asks(phone);
    // The bot begins when its answer leaves; the phone has the key once that has arrived.
    expect(phone.line.unopened).toBeLessThan(10);
    const { call: record, report } = await finished(phone);
    expect(transcript(record)).toContain(`caller: ${BALANCE}`);
    expect(report.srtp).toEqual({
      by: 'sdes',
      profile: 'AES_CM_128_HMAC_SHA1_80',
      forged: 0,
      replayed: 0,
      unprotected: 0,
    });
    expect(report.packetsLost).toBe(0);
    expect(connector.output()).not.toContain(phone.line.srtp!.line.slice(-20));
  });

  it('keeps being heard over hold, resumption and a change of its key', async () => {
    const phone = await call({ host: CLEAR_KEYS_HOST, srtp: {} });
    await phone.waitForReply();
    expect((await phone.hold()).status).toBe(200);
    await phone.pause(300);
    const before = phone.line.srtp!.line;
    phone.line.srtp!.changeKey();
    expect(phone.line.srtp!.line).not.toBe(before);
    expect((await phone.resume()).status).toBe(200);
    await asks(phone);
    const { call: record, report } = await finished(phone);
    expect(transcript(record)).toContain(`caller: ${BALANCE}`);
    expect(report.srtp).toMatchObject({ replayed: 0, unprotected: 0 });
  });

  it('cannot fall back to the clear within the call: 488, and the call goes on encrypted', async () => {
    const phone = await call({ host: CLEAR_KEYS_HOST, srtp: {} });
    await phone.waitForReply();
    const plain = phone.line
      .describe('offer')
      .replace('RTP/SAVP', 'RTP/AVP')
      .replace(/a=crypto.*\r\n/, '');
    expect((await phone.call!.reinvite(plain)).status).toBe(488);
    await asks(phone);
    const { call: record } = await finished(phone);
    expect(transcript(record)).toContain(`caller: ${BALANCE}`);
  });

  it('with a wrong key is not heard, and the report counts it', async () => {
    const phone = await call({ host: CLEAR_KEYS_HOST, srtp: { wrongKey: true } });
    while (phone.line.mouth.packetsSent < 50) await phone.pause(100);
    const { report } = await finished(phone);
    expect(report.packetsReceived).toBe(0);
    expect(report.srtp!.forged).toBeGreaterThan(20);
  });

  it('optionally, beside the plain profile, is answered encrypted', async () => {
    const phone = await call({ host: STRICT_HOST, srtp: { protocol: 'RTP/AVP' } });
    await phone.waitForSpeech();
    const { report } = await finished(phone);
    expect(report.srtp).toMatchObject({ by: 'sdes', forged: 0 });
  });
});

describe('a trunk', () => {
  it('that requires encryption refuses calls in the clear with 488', async () => {
    expect(await statusOf({ host: STRICT_HOST })).toBe(488);
  });

  it('that switched it off refuses calls that need it, and answers the others in the clear', async () => {
    expect(await statusOf({ host: NEVER_HOST, srtp: {} })).toBe(488);
    const phone = await call({ host: NEVER_HOST });
    await phone.pause(200);
    expect((await finished(phone)).report.srtp).toBeUndefined();
  });

  it('takes no keys from signalling that others can read, unless it says so', async () => {
    expect(await statusOf({ host: PLAIN_HOST, srtp: {} })).toBe(488);
    const phone = await call({ host: PLAIN_HOST });
    await phone.pause(200);
    expect((await finished(phone)).report.srtp).toBeUndefined();
  });
});

// Three telephones at the same time: what they wait for is people's speech, not each other.
describe.concurrent('baresip', () => {
  it.for([
    ['srtp-mand', 'RTP/SAVP over TLS', '+15550101'],
    ['srtp', 'RTP/AVP with keys over TLS', '+15550102'],
    ['dtls_srtp', 'DTLS, signalling in the clear', '+15550103'],
  ] as const)('with mediaenc=%s (%s) calls, speaks, is understood and answered', async ([mode, , from], { expect }) => {
    const dtls = mode === 'dtls_srtp';
    const { output, read } = await asksForBalance(connector, {
      to: dtls ? `sip:bank@127.0.0.1:${connector.sipPort}` : `sip:bank@127.0.0.1:${tlsPort()};transport=tls`,
      from,
      modules: [dtls ? 'dtls_srtp' : 'srtp'],
      account: [`mediaenc=${mode}`],
      config: dtls ? [] : [`sip_cafile ${authority.cert}`, 'sip_verify_server yes'],
    });
    expect(output).toMatch(/Call established/);
    const report = async () => mediaReportOf(await read());
    await expect.poll(report).toMatchObject({
      packetsLost: 0,
      // Nothing is said of `unprotected`: baresip opens the NAT with a packet of its own before it has keys.
      srtp: { by: dtls ? 'dtls' : 'sdes', profile: 'AES_CM_128_HMAC_SHA1_80', forged: 0, replayed: 0 },
    });
    // Over DTLS baresip wants a second handshake for reports on a port of their own, which it does not get.
    if (!dtls) expect((await report())!.quality!.reportsReceived).toBeGreaterThan(0);
    expect(transcript(await read())).toContain(`caller: ${BALANCE}`);
  });
});
