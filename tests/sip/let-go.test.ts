import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { LetGo } from '../../src/sip/transport/let-go.ts';
import { listen } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const invite = (call: string) =>
  Buffer.from(
    [
      'INVITE sip:bank@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK-${call}`,
      `From: <sip:a@127.0.0.1>;tag=${call}`,
      'To: <sip:bank@127.0.0.1>',
      `Call-ID: ${call}`,
      'CSeq: 1 INVITE',
      'Max-Forwards: 70',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );

it('a copy that is read is as old as the first that was not', () => {
  const letGo = new LetGo();
  letGo.add(invite('a'), 1000);
  letGo.add(invite('a'), 1500);
  expect(letGo.firstSentAt(invite('a'))).toBe(1000);
  expect(letGo.firstSentAt(invite('b'))).toBeUndefined();
});

it('is forgotten when no more copies come, and however many are let go, few are remembered', () => {
  const letGo = new LetGo();
  letGo.add(invite('a'), 0);
  letGo.add(invite('b'), 32_000);
  expect(letGo.firstSentAt(invite('a'))).toBeUndefined();
  for (let i = 0; i < 10_000; i++) letGo.add(invite(`flood-${i}`), 33_000);
  expect(letGo.size).toBeLessThanOrEqual(4096);
  expect(letGo.firstSentAt(invite('flood-9999'))).toBe(33_000);
});

it('who judges an INVITE hears how old it is, where a busy connector has let its first copies go', async () => {
  const ages = new Map<string, number>();
  let takesMs = 15;
  let next = (): unknown => undefined;
  const { ua, udp } = await listen({
    admit: ({ callId }) => {
      ages.set(callId, ua.inviteAgeMs);
      next();
      const until = performance.now() + takesMs;
      while (performance.now() < until);
      return { status: 486 };
    },
  });
  const phone = createSocket('udp4').bind(0, '127.0.0.1');
  open.push(ua, phone);
  await once(phone, 'listening');
  const calls = Array.from({ length: 300 }, (_, i) => `call-${i}`);
  const send = (call: string | undefined) => call && phone.send(invite(call), udp, '127.0.0.1');
  // More than a second of work always waits, so that what comes is sent again before it is read.
  const coming = calls.values();
  next = () => send(coming.next().value);
  for (let i = 0; i < 80; i++) next();
  await expect.poll(() => ages.size + ua.transportStats.late, { timeout: 20_000 }).toBe(calls.length);
  expect(ua.transportStats.late).toBeGreaterThan(0);
  const begun = new Set(ages.keys());
  expect([...ages.values()].every((age) => age === 0)).toBe(true);
  ages.clear();
  takesMs = 0;
  next = () => undefined;
  // No more at once than the kernel has room for; on a busy machine again, as a phone does.
  for (let i = 0; i < calls.length; i += 50) {
    const some = calls.slice(i, i + 50);
    const unheard = () => some.filter((call) => !ages.has(call));
    const sendAgain = () => {
      for (const call of unheard()) send(call);
      return unheard().length;
    };
    await expect.poll(sendAgain, { timeout: 10_000, interval: 100 }).toBe(0);
  }
  for (const [call, age] of ages) {
    if (begun.has(call)) expect(age).toBe(0);
    else expect(age).toBeGreaterThan(500);
  }
});
