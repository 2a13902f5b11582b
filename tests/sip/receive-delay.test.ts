import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
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
  socket.on('message', (bytes) => delay.take(bytes));
  open.push(delay, socket);
  return delay;
}

it('is as long as the thread that should read has had no time, and short again when it has', async () => {
  const delay = await measured();
  delay.probe();
  busyFor(300);
  expect(delay.ms).toBeGreaterThanOrEqual(300);
  await expect.poll(() => delay.ms).toBeLessThan(150);
});

it('is not told by what somebody else sends', async () => {
  const delay = new ReceiveDelay(() => undefined);
  open.push(delay);
  delay.probe();
  for (const bytes of [Buffer.alloc(17), Buffer.from('\0'), Buffer.alloc(0)]) delay.take(bytes);
  await sleep(50);
  expect(delay.ms).toBeGreaterThanOrEqual(49);
});

it('is measured by a user agent that listens on UDP, on any address', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    const { ua } = await listen({ listen: [{ protocol: 'udp', host, port: 0 }] });
    open.push(ua);
    await expect.poll(() => ua.receiveDelayMs).toBeGreaterThan(0);
    await expect.poll(() => ua.receiveDelayMs).toBeLessThan(1000);
  }
});
