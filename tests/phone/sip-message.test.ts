import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createImpairer } from '../support/phone/impairments.ts';
import { readSdp, writeSdp } from '../support/phone/sdp.ts';
import {
  header,
  headerList,
  parseMessage,
  parseNameAddr,
  parseUri,
  parseVia,
  serialize,
} from '../support/phone/sip-message.ts';

const text = (...lines: string[]) => Buffer.from(lines.join('\r\n'));

test('compact, folded and listed headers are read as their long forms', () => {
  const message = parseMessage(
    text(
      'SIP/2.0 200 OK',
      'v: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKa;rport=5062',
      'f: "Doe, \\"J\\"" <sip:j@example.com>;tag=1',
      't: sip:bank@example.com;tag=2',
      'i: abc',
      'CSeq: 1',
      '  INVITE',
      'Record-Route: <sip:p1;lr>, <sip:p2;lr>',
      'Record-Route: <sip:p3;lr>',
      'l: 2',
      '',
      'hi-and-more',
    ),
  );
  expect(header(message, 'Call-ID')).toBe('abc');
  expect(header(message, 'cseq')).toBe('1 INVITE');
  expect(headerList(message, 'record-route')).toEqual(['<sip:p1;lr>', '<sip:p2;lr>', '<sip:p3;lr>']);
  expect(parseNameAddr(header(message, 'from')!)).toMatchObject({ uri: 'sip:j@example.com' });
  expect(parseNameAddr(header(message, 'to')!).params.get('tag')).toBe('2');
  expect(parseVia(header(message, 'via')!)).toMatchObject({ transport: 'UDP', host: '10.0.0.1', port: 5062 });
  expect(message.body).toBe('hi');
});

test('a URI gives its parts', () => {
  expect(parseUri('sip:+15550100@127.0.0.1:5070;transport=tcp?Subject=x')).toMatchObject({
    user: '+15550100',
    host: '127.0.0.1',
    port: 5070,
  });
  expect(parseUri('sip:example.com')).toMatchObject({ user: '', host: 'example.com', port: undefined });
  expect(() => parseUri('mailto:a@b')).toThrow('not a SIP URI');
});

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.string(), fc.stringMatching(/^[a-z]{1,12}$/), (body, value) => {
      const request = {
        kind: 'request' as const,
        method: 'MESSAGE',
        uri: 'sip:a@b',
        headers: [{ name: 'Subject', value }],
        body,
      };
      const read = parseMessage(serialize(request));
      expect(read).toMatchObject({ kind: 'request', method: 'MESSAGE', uri: 'sip:a@b', body });
      expect(header(read, 's')).toBe(value);
    }),
  );
});

test('SDP is read back as written, and media attributes win over the session’s', () => {
  const audio = {
    address: '127.0.0.1',
    port: 4000,
    codecs: ['PCMA', 'PCMU'] as const,
    telephoneEvent: 96,
    direction: 'sendonly' as const,
  };
  expect(readSdp(writeSdp(audio, 1, 1))).toEqual(audio);
  expect(
    readSdp('v=0\r\nc=IN IP4 10.0.0.1\r\na=inactive\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 10.0.0.2\r\na=recvonly\r\n'),
  ).toMatchObject({ address: '10.0.0.2', direction: 'recvonly', telephoneEvent: undefined });
  expect(() => readSdp('v=0\r\nm=audio 9 RTP/AVP 18\r\n')).toThrow('without PCMU or PCMA');
});

test('losses come in the share and the runs that were asked for, the same for the same seed', () => {
  const run = (seed: number) => {
    const fate = createImpairer({ seed, lossPercent: 10, lossBurst: 3 });
    return Array.from({ length: 20_000 }, () => fate().delaysMs.length === 0);
  };
  const lost = run(5);
  expect(run(5)).toEqual(lost);
  expect(run(6)).not.toEqual(lost);
  const share = lost.filter(Boolean).length / lost.length;
  expect(share).toBeGreaterThan(0.07);
  expect(share).toBeLessThan(0.12);
  const runs = lost.filter((gone, i) => gone && !lost[i - 1]).length;
  expect(lost.filter(Boolean).length / runs).toBeGreaterThan(2);
});
