import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { Phone } from '../support/phone/phone.ts';
import type { SipTransport } from '../support/phone/sip-wire.ts';
import { tone } from '../support/phone/voice.ts';

const SIPP = '/usr/bin/sipp';
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Starts sipp in a folder of its own; `ended` resolves with its exit code. */
async function sipp(args: string[]): Promise<{ ended: Promise<number | null> }> {
  const folder = await mkdtemp(join(tmpdir(), 'phone-sipp-'));
  const child = spawn(SIPP, [...args, '-nostdin'], { cwd: folder, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  closing.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return { ended };
}

// setup.mjs --test installs sipp where apt can; elsewhere the other tests must do.
describe.each(['udp', 'tcp'] as const)('with sipp over %s', (transport) => {
  const mode = transport === 'udp' ? 'u1' : 't1';

  test('the phone calls sipp, is echoed by it and hangs up', async () => {
    const port = await freePort();
    const media = ['-mi', '127.0.0.1', '-mp', String(await freePort()), '-rtp_echo'];
    const far = await sipp(['-sn', 'uas', '-i', '127.0.0.1', '-p', String(port), '-t', mode, '-m', '1', ...media]);
    const phone = await dialOnceUp(`sip:echo@127.0.0.1:${port}`, transport);
    await phone.say(tone(300, 300), { expectReply: false });
    await expect.poll(() => phone.line.ear.spells.length).toBeGreaterThan(0);
    await phone.hangup();
    expect(phone.ended).toMatchObject({ by: 'us', how: 'bye' });
    expect(await far.ended).toBe(0);
  });

  test('sipp calls the answering phone and hangs up', async () => {
    const phone = await AnsweringPhone.open({ transport });
    closing.push(() => phone.close());
    const { address, port } = phone.endpoint.wire.local;
    const to = `${address}:${port}`;
    const far = await sipp(['-sn', 'uac', to, '-i', '127.0.0.1', '-t', mode, '-m', '3', '-r', '10', '-d', '200']);
    expect(await far.ended).toBe(0);
    expect(phone.calls.map((call) => call.end?.how)).toEqual(['bye', 'bye', 'bye']);
  });
});

/** UDP repeats the INVITE by itself until sipp listens; TCP is refused until then and is dialled again. */
async function dialOnceUp(uri: string, transport: SipTransport): Promise<Phone> {
  for (let attempt = 0; ; attempt++) {
    const phone = await Phone.open({ transport });
    closing.push(() => phone.close());
    try {
      await phone.dial(uri, 10_000);
      return phone;
    } catch (error) {
      if (attempt >= 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
