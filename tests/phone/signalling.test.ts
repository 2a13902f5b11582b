import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Phone } from '../support/phone/phone.ts';
import {
  header,
  headerList,
  parseMessage,
  responseTo,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  serialize,
} from '../support/phone/sip-message.ts';
import { branchOf } from '../support/phone/sip-transactions.ts';

/** A far end written by hand on a bare socket: it answers what the test tells it to, when the test tells it to. */
let far: Socket;
let phone: Phone;
let received: SipRequest[];
let from: RemoteInfo;
let answerWith: (request: SipRequest) => SipMessage[];

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
const methods = () => received.map((request) => request.method);
const send = (message: SipMessage) => far.send(serialize(message), from.port, from.address);
const uri = () => `sip:far@127.0.0.1:${far.address().port}`;

function ok(request: SipRequest, more: SipHeader[] = [], toTag = 'far-tag') {
  const headers = [{ name: 'Contact', value: `<${uri()}>` }, ...more];
  const body = request.method === 'INVITE' ? SDP : '';
  return responseTo(request, 200, 'OK', { toTag, headers, body });
}

beforeEach(async () => {
  received = [];
  answerWith = (request) => (request.method === 'ACK' ? [] : [ok(request)]);
  far = createSocket('udp4');
  await new Promise<void>((resolve) => far.bind(0, '127.0.0.1', resolve));
  far.on('message', (data, info) => {
    from = info;
    const message = parseMessage(data);
    if (message.kind !== 'request') return;
    received.push(message);
    for (const response of answerWith(message)) send(response);
  });
  phone = await Phone.open({ timers: { t1: 50, t2: 400 } });
});

afterEach(async () => {
  await phone.close();
  far.close();
});

test('a lost INVITE is sent again, and a lost BYE too', async () => {
  let lost = 2;
  answerWith = (request) => {
    if (request.method === 'ACK') return [];
    if (lost > 0) {
      lost--;
      return [];
    }
    return [ok(request)];
  };
  await phone.dial(uri());
  expect(methods().filter((method) => method === 'INVITE')).toHaveLength(3);
  expect(new Set(received.slice(0, 3).map(branchOf)).size).toBe(1);
  lost = 1;
  await phone.hangup();
  expect(methods().filter((method) => method === 'BYE')).toHaveLength(2);
});

test('each repeated 200 is acknowledged again, with the same ACK', async () => {
  await phone.dial(uri());
  for (let i = 0; i < 2; i++) send(ok(received[0]!));
  await expect.poll(() => methods().filter((method) => method === 'ACK').length).toBe(3);
  const acks = received.filter((request) => request.method === 'ACK');
  expect(new Set(acks.map(branchOf)).size).toBe(1);
  expect(branchOf(acks[0]!)).not.toBe(branchOf(received[0]!));
  expect(header(acks[0]!, 'cseq')).toBe('1 ACK');
});

test('a refusal is acknowledged within the transaction, as often as it comes', async () => {
  answerWith = (request) =>
    request.method === 'INVITE' ? [responseTo(request, 486, 'Busy Here', { toTag: 'far-tag' })] : [];
  await expect(phone.dial(uri())).rejects.toMatchObject({ status: 486 });
  send(responseTo(received[0]!, 486, 'Busy Here', { toTag: 'far-tag' }));
  await expect.poll(() => methods()).toEqual(['INVITE', 'ACK', 'ACK']);
  expect(branchOf(received[1]!)).toBe(branchOf(received[0]!));
  expect(header(received[1]!, 'to')).toContain('tag=far-tag');
});

test('CANCEL waits for a provisional, and an answer that crosses it is ended with BYE', async () => {
  answerWith = () => [];
  phone.startDialing(uri());
  phone.cancel();
  await expect.poll(() => received.length).toBeGreaterThan(1);
  expect(methods()).not.toContain('CANCEL');
  answerWith = (request) => (request.method === 'CANCEL' || request.method === 'BYE' ? [ok(request)] : []);
  send(responseTo(received[0]!, 180, 'Ringing', { toTag: 'far-tag' }));
  await expect.poll(() => methods()).toContain('CANCEL');
  expect(branchOf(received.find((request) => request.method === 'CANCEL')!)).toBe(branchOf(received[0]!));
  send(ok(received[0]!));
  await expect.poll(() => methods()).toContain('BYE');
  expect(methods()).toContain('ACK');
});

test('a second leg of a forked call is acknowledged and hung up, the first goes on', async () => {
  await phone.dial(uri());
  send(ok(received[0]!, [], 'other-tag'));
  await expect.poll(() => methods()).toContain('BYE');
  const bye = received.find((request) => request.method === 'BYE')!;
  expect(header(bye, 'to')).toContain('tag=other-tag');
  expect(phone.ended).toBeUndefined();
});

describe('through proxies', () => {
  const proxies = (parameters: string) => [
    { name: 'Record-Route', value: `<sip:127.0.0.1:${far.address().port};hop=2${parameters}>` },
    { name: 'Record-Route', value: `<sip:127.0.0.1:${far.address().port};hop=1${parameters}>` },
  ];

  test('requests take the recorded route backwards to the far end’s contact', async () => {
    answerWith = (request) => (request.method === 'ACK' ? [] : [ok(request, proxies(';lr'))]);
    await phone.dial(uri());
    await phone.hangup();
    const bye = received.find((request) => request.method === 'BYE')!;
    expect(bye.uri).toBe(uri());
    expect(headerList(bye, 'route').map((route) => /hop=(\d)/.exec(route)?.[1])).toEqual(['1', '2']);
  });

  test('a strict router gets itself as Request-URI and the contact last in the route', async () => {
    answerWith = (request) => (request.method === 'ACK' ? [] : [ok(request, proxies(''))]);
    await phone.dial(uri());
    await phone.hangup();
    const bye = received.find((request) => request.method === 'BYE')!;
    expect(bye.uri).toContain('hop=1');
    expect(headerList(bye, 'route').at(-1)).toBe(`<${uri()}>`);
  });
});

test('what belongs to no call is refused, what repeats is answered as before', async () => {
  await phone.dial(uri());
  const ack = received.find((request) => request.method === 'ACK')!;
  const answers: string[] = [];
  far.on('message', (data) => {
    const message = parseMessage(data);
    if (message.kind === 'response') answers.push(`${message.status} ${header(message, 'cseq')}`);
  });
  const inDialog = (method: string, sequence: number, callId = phone.sipCallId): SipRequest => ({
    kind: 'request',
    method,
    uri: 'sip:phone@127.0.0.1',
    headers: [
      { name: 'Via', value: `SIP/2.0/UDP 127.0.0.1:${far.address().port};branch=z9hG4bK${method}${sequence};rport` },
      { name: 'From', value: header(ack, 'to')! },
      { name: 'To', value: header(ack, 'from')! },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: `${sequence} ${method}` },
    ],
    body: '',
  });
  send(inDialog('BYE', 1, 'another-call'));
  send(inDialog('INFO', 20));
  send(inDialog('INFO', 20));
  send(inDialog('INFO', 10));
  await expect.poll(() => answers.sort()).toEqual(['200 20 INFO', '200 20 INFO', '481 1 BYE', '500 10 INFO']);
  expect(phone.received).toHaveLength(1);
  send(inDialog('BYE', 21));
  await phone.waitForHangup();
  expect(phone.ended).toMatchObject({ by: 'far-end', how: 'bye' });
});
