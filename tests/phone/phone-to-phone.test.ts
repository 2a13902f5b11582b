import { afterEach, describe, expect, test } from 'vitest';
import { type AnsweringOptions, AnsweringPhone } from '../support/phone/answering-phone.ts';
import { DialRefused, HungUp } from '../support/phone/failures.ts';
import { Phone, type PhoneOptions } from '../support/phone/phone.ts';
import type { SipTransport } from '../support/phone/sip-wire.ts';
import { tone } from '../support/phone/voice.ts';

const QUICK_TIMERS = { t1: 100, t2: 800 };
const open: { close(): Promise<void> }[] = [];

async function answering(options: AnsweringOptions = {}): Promise<AnsweringPhone> {
  const phone = await AnsweringPhone.open({ timers: QUICK_TIMERS, ...options });
  open.push(phone);
  return phone;
}

async function calling(options: PhoneOptions = {}): Promise<Phone> {
  const phone = await Phone.open({ timers: QUICK_TIMERS, ...options });
  open.push(phone);
  return phone;
}

afterEach(async () => {
  for (const phone of open.splice(0).reverse()) await phone.close();
});

describe.each<SipTransport>(['udp', 'tcp'])('a whole call over %s', (transport) => {
  test('is answered, greeted, spoken on and hung up by the caller', async () => {
    const bot = await answering({
      transport,
      greeting: { pcm: tone(440, 400), afterMs: 40 },
      reply: { pcm: tone(660, 400), afterMs: 200 },
    });
    const phone = await calling({ transport });
    await phone.dial(bot.uri);
    await phone.waitForReply({ silenceMs: 300 });
    await phone.say(tone(300, 500));
    await phone.waitForReply({ silenceMs: 300 });
    await phone.hangup();

    expect(phone.ended).toMatchObject({ by: 'us', how: 'bye' });
    expect(bot.calls).toHaveLength(1);
    expect(bot.calls[0]?.end).toMatchObject({ by: 'far-end', how: 'bye' });
    const report = phone.report();
    expect(report.setupMs).toBeGreaterThan(0);
    expect(report.greetingMs).toBeGreaterThan(0);
    expect(report.turns).toHaveLength(1);
    expect(report.turns[0]?.missed).toBe(false);
    expect(report.pacing.sequenceGaps).toBe(0);
  });

  test('is hung up by the far end', async () => {
    const bot = await answering({ transport, reply: { pcm: tone(660, 200), afterMs: 100 }, hangupAfterReplies: 1 });
    const phone = await calling({ transport });
    await phone.dial(bot.uri);
    await phone.say(tone(300, 300));
    await phone.waitForHangup(5000);
    expect(phone.ended).toMatchObject({ by: 'far-end', how: 'bye' });
    await expect(phone.say(tone(300, 100))).rejects.toBeInstanceOf(HungUp);
  });

  test('is refused, and the refusal is acknowledged', async () => {
    const bot = await answering({
      transport,
      refuse: { status: 503, reason: 'Service Unavailable', headers: [{ name: 'Retry-After', value: '7' }] },
    });
    const phone = await calling({ transport });
    const refused = await phone.dial(bot.uri).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DialRefused);
    expect((refused as DialRefused).status).toBe(503);
    expect((refused as DialRefused).end.retryAfterSeconds).toBe(7);
    await expect
      .poll(() => bot.endpoint.trace.some((m) => m.direction === 'in' && m.text.startsWith('ACK')))
      .toBe(true);
  });

  test('is cancelled while it rings', async () => {
    const bot = await answering({ transport, ringMs: Number.POSITIVE_INFINITY });
    const phone = await calling({ transport });
    phone.startDialing(bot.uri);
    await expect.poll(() => bot.calls.length).toBe(1);
    phone.cancel();
    await expect(phone.waitForAnswer(3000)).rejects.toBeInstanceOf(DialRefused);
    expect(phone.ended).toMatchObject({ by: 'us', how: 'cancel', status: 487 });
    expect(bot.calls[0]?.end).toMatchObject({ how: 'cancel' });
  });

  test('is put on hold and taken back', async () => {
    const bot = await answering({ transport, greeting: { pcm: tone(440, 5000), afterMs: 0 } });
    const phone = await calling({ transport });
    await phone.dial(bot.uri);
    await phone.waitForSpeech();
    expect((await phone.hold()).status).toBe(200);
    expect(bot.calls[0]?.line.mouth.sending).toBe(false);
    const heardAtHold = phone.packets.length;
    await phone.pause(200);
    expect(phone.packets.length - heardAtHold).toBeLessThan(3);
    expect((await phone.resume()).status).toBe(200);
    await expect.poll(() => phone.packets.length).toBeGreaterThan(heardAtHold + 5);
  });

  test('answers what the far end asks inside the call', async () => {
    const bot = await answering({ transport });
    const phone = await calling({ transport });
    await phone.dial(bot.uri);
    const { signalling, line } = bot.calls[0]!;
    expect((await signalling.request('OPTIONS')).status).toBe(200);
    const reinvited = await signalling.reinvite(line.describe('offer'));
    expect(reinvited.status).toBe(200);
    expect(reinvited.body).toContain('m=audio');
    expect((await signalling.request('PUBLISH')).status).toBe(501);
    expect(phone.received.map((request) => request.method)).toEqual(['OPTIONS', 'INVITE', 'PUBLISH']);
  });
});

test('a reply exactly 300 ms after silence is measured as such', async () => {
  const bot = await answering({ reply: { pcm: tone(660, 250), afterMs: 300 } });
  const phone = await calling();
  await phone.dial(bot.uri);
  const measured: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    await phone.say(tone(300, 300 + 30 * turn));
    await phone.waitForReply({ silenceMs: 250 });
    measured.push(phone.report().turns[turn]?.replyMs ?? Number.NaN);
  }
  const median = [...measured].sort((a, b) => a - b)[2]!;
  expect(Math.abs(median - 300), `measured ${measured.map(Math.round)}`).toBeLessThanOrEqual(25);
});

test('an interrupted far end that stops after 150 ms is measured as such', async () => {
  const bot = await answering({
    greeting: { pcm: tone(440, 6000), afterMs: 0 },
    stopAfterMs: 150,
    reply: { pcm: tone(660, 300), afterMs: 300 },
  });
  const phone = await calling();
  await phone.dial(bot.uri);
  await phone.interrupt(tone(300, 900), { afterMs: 400 });
  await phone.waitForReply({ silenceMs: 300 });
  const turn = phone.report().turns[0];
  expect(turn).toMatchObject({ kind: 'interrupt', missed: false, falseCutOff: false });
  // Not a benchmark: wide enough for a busy machine, narrow enough to tell it from the 6 s it would have spoken on.
  expect(turn?.bargeInToSilenceMs).toBeGreaterThan(80);
  expect(turn?.bargeInToSilenceMs).toBeLessThan(500);
});

test('a reply that never comes is counted as missed', async () => {
  const bot = await answering();
  const phone = await calling();
  await phone.dial(bot.uri);
  await phone.say(tone(300, 200));
  await expect(phone.waitForSpeech(500)).rejects.toThrow('waited in vain for the bot to speak');
  expect(phone.report().turns[0]).toMatchObject({ missed: true, replyMs: undefined });
});

test('keys arrive once each, with and without their end packets and markers', async () => {
  const bot = await answering();
  const phone = await calling();
  await phone.dial(bot.uri);
  await phone.press('2580#');
  await phone.press('*11', { endPackets: 1, marker: false });
  await phone.press('9D', { endPackets: 0, keyMs: 60, gapMs: 40 });
  await expect.poll(() => bot.calls[0]?.digits).toBe('2580#*119D');
});

test('each key is sent as RFC 4733 wants it: one timestamp, growing durations, three end packets', async () => {
  const bot = await answering();
  const phone = await calling();
  await phone.dial(bot.uri);
  await phone.press('5');
  const events = bot.calls[0]!.line.ear.packets.filter((packet) => packet.payloadType === 101);
  expect(events).toHaveLength(7);
  expect(new Set(events.map((event) => event.timestamp)).size).toBe(1);
  expect(events.map((event) => event.marker)).toEqual([true, false, false, false, false, false, false]);
});

test('the same seed brings the same losses, duplicates and delays', async () => {
  const impairments = { seed: 7, lossPercent: 10, duplicatePercent: 10, reorderPercent: 10, strayPercent: 5 };
  const bot = await answering();
  const phone = await calling({ impairments });
  await phone.dial(bot.uri);
  await phone.say(tone(300, 2000), { expectReply: false });
  await phone.pause(100);
  await phone.hangup();
  const heard = bot.calls[0]!.line.ear.packets;
  const own = heard.filter((packet) => packet.ssrc !== 0xbadbad);
  const distinct = new Set(own.map((packet) => packet.sequence)).size;
  expect(distinct).toBeLessThan(phone.line.mouth.packetsSent);
  expect(own.length).toBeGreaterThan(distinct);
  expect(
    own.some((packet, i) => ((packet.sequence - (own[i - 1]?.sequence ?? packet.sequence)) & 0xffff) > 0x8000),
  ).toBe(true);
  expect(heard.some((packet) => packet.ssrc === 0xbadbad)).toBe(true);
});

test('a call without an offer is offered to in the 200 and answered in the ACK', async () => {
  const bot = await answering({ greeting: { pcm: tone(440, 300), afterMs: 0 } });
  const phone = await calling({ delayedOffer: true });
  await phone.dial(bot.uri);
  await phone.waitForSpeech(3000);
  await phone.say(tone(300, 200), { expectReply: false });
  await expect.poll(() => bot.calls[0]?.line.ear.spells.length).toBe(1);
});

test('A-law and a far end without telephone-event are taken as they are', async () => {
  const bot = await answering({ codecs: ['PCMA'], telephoneEvent: false, echo: true });
  const phone = await calling();
  await phone.dial(bot.uri);
  await phone.say(tone(300, 300));
  await expect.poll(() => phone.line.ear.spells.length).toBe(1);
  expect(phone.packets.every((packet) => packet.payloadType === 8)).toBe(true);
  await expect(phone.press('1')).rejects.toThrow('does not take telephone-event');
});

test('sequence and timestamp wrap without a gap being counted', async () => {
  const bot = await answering({ firstSequence: 65_530, firstTimestamp: 2 ** 32 - 800, echo: true });
  const phone = await calling({ firstSequence: 65_530 });
  await phone.dial(bot.uri);
  await phone.say(tone(300, 600));
  await phone.pause(300);
  expect(phone.report().pacing).toMatchObject({ sequenceGaps: 0, duplicates: 0, reordered: 0 });
  expect(phone.packets.some((packet) => packet.sequence < 100)).toBe(true);
});

test('the recording holds the caller on the left and the far end on the right, in step', async () => {
  const bot = await answering({ reply: { pcm: tone(660, 300), afterMs: 300 } });
  const phone = await calling({ record: true });
  await phone.dial(bot.uri);
  await phone.say(tone(300, 300));
  await phone.waitForReply({ silenceMs: 200 });
  const wav = phone.recording();
  expect(wav.readUInt16LE(22)).toBe(2);
  const loud = (channel: number) => {
    const at: number[] = [];
    for (let i = 0; 44 + 4 * i + 2 * channel + 1 < wav.length; i++) {
      if (Math.abs(wav.readInt16LE(44 + 4 * i + 2 * channel)) > 2000) at.push(i / 8);
    }
    return { from: at[0]!, to: at.at(-1)! };
  };
  const [left, right] = [loud(0), loud(1)];
  expect(Math.abs(left.to - left.from - 300)).toBeLessThan(20);
  expect(Math.abs(right.to - right.from - 300)).toBeLessThan(20);
  expect(right.from - left.to).toBeGreaterThan(200);
  expect(right.from - left.to).toBeLessThan(500);
});

test('ten phones in one process share one pacer and do not disturb each other', async () => {
  const bot = await answering({ reply: { pcm: tone(660, 250), afterMs: 200 } });
  const phones = await Promise.all(Array.from({ length: 10 }, () => calling()));
  await Promise.all(
    phones.map(async (phone) => {
      await phone.dial(bot.uri);
      await phone.say(tone(300, 300));
      await phone.waitForReply({ silenceMs: 250 });
      await phone.hangup();
    }),
  );
  expect(phones.map((phone) => phone.report().turns[0]?.missed)).toEqual(Array(10).fill(false));
  expect(phones.map((phone) => phone.report().pacing.sequenceGaps)).toEqual(Array(10).fill(0));
});
