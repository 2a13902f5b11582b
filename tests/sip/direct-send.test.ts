import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DirectSend } from '../../src/sip/transport/direct-send.ts';

let from: Socket;
let to: Socket;
let direct: DirectSend;

beforeEach(async () => {
  from = createSocket('udp4').bind(0, '127.0.0.1');
  to = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(from, 'listening'), once(to, 'listening')]);
  direct = DirectSend.over(from)!;
});
afterEach(async () => {
  await Promise.all([from, to].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
});

it('datagrams arrive whole, in order, from the port of the socket, as those between them that go by dgram', async () => {
  const texts = ['SIP/2.0 100 Trying\r\n', 'x'.repeat(9000), 'SIP/2.0 200 OK\r\n'];
  const { port } = to.address();
  const arrived: [string, number][] = [];
  to.on('message', (bytes, { port: source }) => arrived.push([bytes.toString(), source]));
  expect(direct.send(Buffer.from(texts[0]!), port, '127.0.0.1')).toBe(true);
  await new Promise((resolve) => from.send(texts[1]!, port, '127.0.0.1', resolve));
  expect(direct.send(Buffer.from(texts[2]!), port, '127.0.0.1')).toBe(true);
  await expect.poll(() => arrived).toEqual(texts.map((text) => [text, from.address().port]));
});

it('each goes to where it is to go, however they change', async () => {
  const other = createSocket('udp4').bind(0, '127.0.0.1');
  await once(other, 'listening');
  const arrived = { to: '', other: '' };
  to.on('message', (bytes) => {
    arrived.to += bytes.toString();
  });
  other.on('message', (bytes) => {
    arrived.other += bytes.toString();
  });
  try {
    for (const [text, socket] of [
      ['a', to],
      ['b', other],
      ['c', to],
    ] as const)
      expect(direct.send(Buffer.from(text), socket.address().port, '127.0.0.1')).toBe(true);
    await expect.poll(() => arrived).toEqual({ to: 'ac', other: 'b' });
  } finally {
    other.close();
  }
});

it.each([
  ['a port that is none', 0, '127.0.0.1', 10],
  ['IPv6', 5060, '::1', 10],
  ['a name', 5060, 'localhost', 10],
  ['what no datagram takes', 5060, '127.0.0.1', 70_000],
])('%s is left to dgram', (_, port, address, bytes) => {
  expect(direct.send(Buffer.alloc(bytes), port, address)).toBe(false);
});
