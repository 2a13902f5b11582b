import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { ReceiveDelay } from '../../src/sip/transport/receive-delay.ts';
import { listen } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function busyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

async function measured() {
  const socket: Socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const delay = new ReceiveDelay((bytes) => socket.send(bytes, port, '127.0.0.1'));
  socket.on('message', (bytes) => delay.take(bytes, monotonicNow()));
  const timer = setInterval(() => delay.probe(monotonicNow()), 20);
  open.push({ close: () => clearInterval(timer) }, socket);
  return delay;
}

it('is as long as the thread that should read has had no time, and short again when it has', async () => {
  const delay = await measured();
  delay.probe(monotonicNow());
  busyFor(300);
  expect(delay.ms(monotonicNow())).toBeGreaterThanOrEqual(300);
  await expect.poll(() => delay.ms(monotonicNow())).toBeLessThan(150);
});

it('is not told by what somebody else sends', () => {
  const delay = new ReceiveDelay(() => undefined);
  delay.probe(1000);
  for (const bytes of [Buffer.alloc(25), Buffer.from('\0'), Buffer.alloc(0)]) delay.take(bytes, 1010);
  expect(delay.ms(1050)).toBe(50);
});

it('is known at each place of a long queue, also where some probes were lost', () => {
  const queue: Buffer[] = [];
  const delay = new ReceiveDelay((bytes) => queue.push(bytes));
  for (const at of [0, 250, 500, 750]) delay.probe(at);
  expect(delay.ms(2000)).toBe(2000);
  delay.take(queue[1]!, 2000);
  expect(delay.ms(2000)).toBe(1750);
  delay.take(queue[3]!, 2010);
  expect(delay.ms(2010)).toBe(1260);
});

it('tells a queue that stands from a moment in which nothing ran', () => {
  const queue: Buffer[] = [];
  const delay = new ReceiveDelay((bytes) => queue.push(bytes));
  const read = (now: number) => delay.take(queue.shift()!, now);
  delay.probe(0);
  read(900);
  expect(delay.isStanding).toBe(false);
  for (const at of [1000, 1250, 1500]) delay.probe(at);
  read(1700);
  expect(delay.isStanding).toBe(true);
  read(1760);
  expect(delay.isStanding).toBe(true);
  read(1770);
  expect(delay.isStanding).toBe(false);
});

it('is measured by a user agent that listens on UDP, on any address', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    const { ua } = await listen({ listen: [{ protocol: 'udp', host, port: 0 }] });
    open.push(ua);
    await expect.poll(() => ua.receiveDelayMs).toBeGreaterThan(0);
    await expect.poll(() => ua.receiveDelayMs).toBeLessThan(1000);
  }
});
