import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { monotonicNow } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { InboundAudio } from '../../src/media/inbound/inbound-audio.ts';
import { levelDb } from '../../src/media/level.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import type { ListenMessage, MediaEvent, MediaSession, RemoteAudio } from '../../src/media/ports.ts';
import { babble } from './echo-room.ts';
import { RtpPeer } from './rtp-peer.ts';
import { datagram, eventPacket, NO_HOOKS, tone } from './support.ts';

let engine: WorkerMediaEngine;
let peer: RtpPeer;
let session: MediaSession;
let events: MediaEvent[];

beforeAll(async () => {
  engine = await WorkerMediaEngine.start({ log: silentLogger });
});
afterAll(() => engine.close());

beforeEach(async () => {
  events = [];
  peer = await RtpPeer.open();
  session = await engine.open({
    call: 'call-1',
    bindAddress: '127.0.0.1',
    onEvent: (event) => events.push(event),
    rtpTimeoutMs: 600,
  });
  peer.callTo(session.localPort);
});
afterEach(async () => {
  await session.close();
  peer.close();
});

function remote(changes: Partial<RemoteAudio> = {}): RemoteAudio {
  return {
    address: '127.0.0.1',
    port: peer.port,
    codec: 'PCMU',
    payloadType: 0,
    telephoneEvents: [{ payloadType: 101, clockRate: 8000 }],
    ptimeMs: 20,
    send: true,
    receive: true,
    ...changes,
  };
}

const named = <T extends MediaEvent['type']>(type: T) =>
  events.filter((event): event is Extract<MediaEvent, { type: T }> => event.type === type);
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** As it comes out of the far end's codec. */
const throughCodec = (pcm: Int16Array) => pcm.map((s) => PCMU.toLinear[PCMU.fromLinear[s & 0xffff]!]!);
const silence = (ms: number) => new Int16Array(ms * 8);
const join8k = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

describe('what the bot says', () => {
  test('arrives whole, between silence, without a gap in sequence or time', async () => {
    session.connect(remote());
    await later(100);
    const pcm = tone(4000, 440);
    session.playout.begin(1);
    const words = [
      { text: 'Good', startMs: 0, endMs: 200 },
      { text: 'morning.', startMs: 200, endMs: 500 },
    ];
    expect(await session.playout.write(1, { pcm: pcm.slice(), words })).toBe(true);
    expect(await session.playout.finish(1)).toMatchObject({
      turn: 1,
      text: 'Good morning.',
      playedMs: 500,
      complete: true,
    });
    await later(100);
    const packets = peer.received.map(({ packet }) => packet);
    for (let i = 1; i < packets.length; i++) {
      expect((packets[i]!.sequence - packets[i - 1]!.sequence) & 0xffff).toBe(1);
      expect((packets[i]!.timestamp - packets[i - 1]!.timestamp) >>> 0).toBe(160);
    }
    const heard = peer.heard();
    const start = heard.findIndex((s) => s !== 0) - throughCodec(pcm).findIndex((s) => s !== 0);
    expect(start % 160).toBe(0);
    expect([...heard.subarray(start, start + pcm.length)]).toEqual([...throughCodec(pcm)]);
    expect(levelDb(heard, 0, start)).toBe(-100);
    expect(levelDb(heard, start + pcm.length)).toBe(-100);
    expect(named('playout-started')).toMatchObject([{ turn: 1 }]);
  });

  test('is packed as the peer asked: 30 ms, A-law', async () => {
    session.connect(remote({ ptimeMs: 30, codec: 'PCMA', payloadType: 8 }));
    await expect.poll(() => peer.received.length).toBeGreaterThan(3);
    const packets = peer.received.map(({ packet }) => packet);
    for (const packet of packets) expect(packet).toMatchObject({ payloadType: 8, payloadLength: 240 });
    expect(packets[0]!.data[packets[0]!.payloadOffset]).toBe(0xd5);
    expect((packets[2]!.timestamp - packets[1]!.timestamp) >>> 0).toBe(240);
  });

  test('waits while the peer holds the call, and then goes on where it stopped', async () => {
    session.connect(remote());
    session.playout.begin(1);
    await session.playout.write(1, { pcm: tone(8000, 440), words: [] });
    await later(200);
    session.connect(remote({ send: false }));
    // Its worker has read that when it answers this.
    await session.stats();
    await later(60);
    const before = peer.received.length;
    await later(200);
    expect(peer.received.length).toBe(before);
    session.connect(remote());
    expect((await session.playout.finish(1)).playedMs).toBe(1000);
    const packets = peer.received.map(({ packet }) => packet);
    expect(packets[before]!.marker).toBe(true);
    expect((packets[before]!.sequence - packets[before - 1]!.sequence) & 0xffff).toBe(1);
    expect((packets[before]!.timestamp - packets[before - 1]!.timestamp) >>> 0).toBeGreaterThan(200 * 8);
    await expect.poll(() => peer.loud().length).toBe(50);
  });

  test('a long answer makes its writer wait, and a cut lets the writer go', async () => {
    session.connect(remote());
    session.playout.begin(1);
    expect(await session.playout.write(1, { pcm: tone(80_000, 440), words: [] })).toBe(true);
    const waiting = session.playout.write(1, { pcm: tone(8000, 440), words: [] });
    expect(await Promise.race([waiting, later(100).then(() => 'waits')])).toBe('waits');
    const heard = await session.playout.cut(1);
    expect(await waiting).toBe(false);
    expect(heard.complete).toBe(false);
    expect(await session.playout.write(1, { pcm: tone(160, 440), words: [] })).toBe(false);
  });

  test('turns that come after cut those before; a finish of a cut turn is answered', async () => {
    session.connect(remote());
    session.playout.begin(1);
    await session.playout.write(1, { pcm: tone(16_000, 440), words: [] });
    const finished = session.playout.finish(1);
    await later(100);
    session.playout.begin(2);
    expect((await finished).complete).toBe(false);
    expect(await session.playout.write(1, { pcm: tone(160, 440), words: [] })).toBe(false);
  });
});

describe('what the caller says', () => {
  function listenAll(): ListenMessage[] {
    const { port1, port2 } = new MessageChannel();
    const messages: ListenMessage[] = [];
    port1.on('message', (message: ListenMessage) => messages.push(message));
    session.listen(port2);
    return messages;
  }

  const isAudioOf =
    (segment: number) =>
    (message: ListenMessage): message is Extract<ListenMessage, { type: 'audio' }> =>
      message.type === 'audio' && message.segment === segment;

  test('reaches the recogniser with pre-roll, through a pause, up to the end of the segment', async () => {
    const messages = listenAll();
    session.connect(remote());
    const started = monotonicNow();
    await peer.speak(join8k(silence(500), tone(3200, 300), silence(200), tone(3200, 300), silence(400)));
    expect(named('speech-start').map(({ segment }) => segment)).toEqual([1, 1]);
    const first = named('speech-start')[0]!;
    // To the millisecond in vad-gate.test.ts, where the time is passed in; here this machine says when packets leave and arrive.
    expect(Math.abs(first.at - (started + 500))).toBeLessThan(300);
    expect(Math.abs(named('speech-end')[1]!.at - (started + 1500))).toBeLessThan(300);
    expect(messages[0]).toMatchObject({ type: 'segment-start', segment: 1 });
    session.endSegment();
    await expect.poll(() => messages.at(-1)?.type).toBe('segment-end');
    const audio = messages.filter((message) => message.type === 'audio');
    const pcm = join8k(...audio.map((message) => message.pcm));
    const onset = pcm.findIndex((s) => Math.abs(s) > 1000);
    expect(onset).toBeGreaterThan(250 * 8);
    expect(onset).toBeLessThan(360 * 8);
    expect(audio[0]!.at).toBeLessThan(first.at - 250);
    expect(levelDb(pcm, onset, 3000)).toBeGreaterThan(-20);
    expect(levelDb(pcm, onset + 620 * 8, 300 * 8)).toBeGreaterThan(-20);
    const count = messages.length;
    await peer.speak(silence(100));
    expect(messages).toHaveLength(count);
  });

  test('speech that goes on behind the end of a segment opens the next one, without repeating audio', async () => {
    const messages = listenAll();
    session.connect(remote());
    // As long as it takes: on a busy machine the worker hears late.
    const goOnUntil = async (pcm: Int16Array, happened: () => boolean) => {
      for (let i = 0; i < 100 && !happened(); i++) await peer.speak(pcm);
    };
    const vowel = tone(800, 300);
    await peer.speak(silence(300));
    await goOnUntil(vowel, () => messages.some(({ type }) => type === 'audio'));
    await peer.speak(vowel);
    session.endSegment();
    await goOnUntil(vowel, () => named('speech-start').length > 1);
    await goOnUntil(silence(100), () => named('speech-end').length > 1);
    expect(messages.filter(({ type }) => type === 'segment-start').map(({ segment }) => segment)).toEqual([1, 2]);
    expect(events.map(({ type }) => type).filter((type) => /^speech-(start|end)$/.test(type))).toEqual([
      'speech-start',
      'speech-end',
      'speech-start',
      'speech-end',
    ]);
    const [last, next] = [messages.findLast(isAudioOf(1))!, messages.find(isAudioOf(2))!];
    // The pre-roll of the second is 300 ms, all of which the first has had. A busy machine corrects stamps by packets.
    expect(next.at).toBeGreaterThan(last.at + last.pcm.length / 8 - 150);
  });

  test('silence and faint noise are no speech', async () => {
    session.connect(remote());
    await peer.speak(Int16Array.from({ length: 8000 }, (_, i) => ((i * 7919) % 41) - 20));
    expect(named('speech-start')).toEqual([]);
  });

  test('keys are heard once each, though packets are doubled and ends lost', async () => {
    session.connect(remote());
    await peer.speak(silence(100));
    for (const [n, key] of [2, 5, 8, 0].entries()) {
      const timestamp = peer.timestamp + n * 1600;
      for (let i = 1; i <= 4; i++) {
        const fields = eventPacket({
          sequence: peer.sequence++,
          timestamp,
          event: key,
          duration: i * 160,
          end: i === 4 && n % 2 === 0,
        });
        peer.send(fields);
        peer.send(fields);
      }
    }
    await expect
      .poll(() =>
        named('dtmf')
          .map(({ digit }) => digit)
          .join(''),
      )
      .toBe('2580');
    expect((await session.stats()).packetsLost).toBe(0);
  });

  test('a recording that is paused before there is anything to record begins with silence', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'session-'));
    const path = join(folder, 'paused.wav');
    session.record(path);
    session.pauseRecording(true);
    session.connect(remote());
    await peer.speak(tone(3200, 300));
    await later(100);
    expect((await session.close()).recording).toMatchObject({ path });
    const wav = await readFile(path);
    const values = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
    expect(values.length).toBeGreaterThan(2 * 3200);
    expect(levelDb(values)).toBe(-100);
    await rm(folder, { recursive: true });
  });
});

describe('a bad network', () => {
  test('lost, doubled and swapped packets are counted, and the recording keeps its time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'session-'));
    const path = join(folder, 'call.wav');
    session.connect(remote());
    session.record(path);
    const pcm = tone(16_000, 300);
    await peer.speak(pcm, (i) => {
      if (i % 20 === 7) return [];
      if (i % 20 === 11) return [i, i];
      if (i % 20 === 14) return [];
      if (i % 20 === 15) return [i, i - 1];
      return [i];
    });
    await later(100);
    const report = await session.close();
    expect(report).toMatchObject({ packetsLost: 5, packetsDuplicated: 5 });
    expect(report.packetsReceived).toBe(95);
    expect(report.concealedFrames).toBeGreaterThanOrEqual(5);
    expect(report.recording).toMatchObject({ path });
    const wav = await readFile(path);
    const values = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
    const left = values.filter((_, i) => i % 2 === 0);
    const loudFrames = Array.from({ length: Math.floor(left.length / 160) }, (_, i) =>
      levelDb(left, i * 160, 160),
    ).filter((db) => db > -25).length;
    expect(loudFrames).toBeGreaterThanOrEqual(92);
    expect(loudFrames).toBeLessThanOrEqual(106);
    await rm(folder, { recursive: true });
  });

  test('the first source is locked on to; others are refused and counted', async () => {
    const stranger = await RtpPeer.open();
    stranger.callTo(session.localPort);
    stranger.ssrc = 0xbad;
    // The peer named another port than the one its packets come from: a NAT.
    session.connect(remote({ port: 9 }));
    await peer.speak(silence(100));
    await stranger.speak(tone(800, 300));
    await peer.speak(silence(60));
    expect(named('rtp-started')).toMatchObject([{ from: `127.0.0.1:${peer.port}` }]);
    await expect.poll(async () => (await session.stats()).packetsRefused).toBe(5);
    expect(peer.received.length).toBeGreaterThan(5);
    expect(stranger.received).toHaveLength(0);
    stranger.close();
  });

  test('a flood of garbage and of foreign streams changes nothing for the caller, and is counted', async () => {
    session.connect(remote());
    await peer.speak(silence(100));
    const stranger = await RtpPeer.open();
    stranger.callTo(session.localPort);
    const before = (await session.stats()).packetsReceived;
    let sent = 0;
    let taken = true;
    // Behind each packet of the caller, so that the caller's stream is the freshest however late this process is; and only
    // when what came before has been read: what the kernel drops of a full socket says nothing of us.
    const flood = (i: number) => {
      if (!taken) return;
      taken = false;
      for (let k = 0; k < 20; k++) {
        stranger.send({ sequence: i * 20 + k, ssrc: k, payload: new Uint8Array(k * 65) });
        // From the caller's own address: another stream, unknown formats, nothing at all.
        peer.send({ sequence: i * 20 + k, ssrc: 0xbad });
        peer.send({ sequence: i, payloadType: 77 });
        sent += 3;
      }
      void session.stats().then(() => {
        taken = true;
      });
    };
    const from = peer.received.length;
    await peer.speak(tone(8000, 300), (i) => {
      queueMicrotask(() => flood(i));
      return [i];
    });
    await expect.poll(async () => (await session.stats()).packetsReceived - before).toBeGreaterThanOrEqual(50);
    await expect.poll(async () => (await session.stats()).packetsRefused).toBeGreaterThan(sent / 2);
    stranger.close();
    expect(sent).toBeGreaterThan(600);
    expect(named('speech-start')).toHaveLength(1);
    const heard = peer.received.slice(from).map(({ packet }) => packet.sequence);
    for (let i = 1; i < heard.length; i++) expect((heard[i]! - heard[i - 1]!) & 0xffff).toBe(1);
  });

  test('a full disk ends the recording, once, and never the call', async () => {
    session.connect(remote());
    session.record('/dev/full', { delaySeconds: 0 });
    session.playout.begin(1);
    await session.playout.write(1, { pcm: tone(16_000, 440), words: [] });
    await peer.speak(tone(12_000, 300));
    await expect.poll(() => named('recording-failed')).toMatchObject([{ message: expect.stringMatching(/ENOSPC/) }]);
    expect((await session.playout.finish(1)).complete).toBe(true);
    expect(named('media-failed')).toEqual([]);
    const report = await session.close();
    expect(report.recording).toBeUndefined();
    expect(report.packetsReceived).toBe(75);
  });

  test('what is no RTP is refused, before the answer everything', async () => {
    await peer.speak(silence(60));
    await expect.poll(async () => (await session.stats()).packetsRefused).toBe(3);
    session.connect(remote());
    peer.send({ sequence: 1, payloadType: 34 });
    await expect.poll(async () => (await session.stats()).packetsRefused).toBe(4);
    expect(named('rtp-started')).toEqual([]);
  });

  test('silence on the wire is reported once, and again after packets came', async () => {
    session.connect(remote());
    await peer.speak(silence(100));
    await expect.poll(() => named('rtp-timeout').length).toBe(1);
    expect(named('rtp-timeout')[0]!.silentMs).toBeGreaterThanOrEqual(600);
    await later(700);
    expect(named('rtp-timeout')).toHaveLength(1);
    await peer.speak(silence(40));
    await expect.poll(() => named('rtp-timeout').length).toBe(2);
  });

  test('who holds and says that music comes is not missed when none does, but again once the call goes on', async () => {
    session.connect(remote());
    await peer.speak(silence(40));
    session.connect(remote({ send: false }));
    await later(1200);
    expect(named('rtp-timeout')).toEqual([]);
    session.connect(remote());
    await expect.poll(() => named('rtp-timeout').length).toBe(1);
  });
});

describe('the caller interrupts', () => {
  async function interrupt(armed: boolean): Promise<void> {
    session.connect(remote());
    session.armBargeIn(armed);
    session.playout.begin(1);
    const words = Array.from({ length: 25 }, (_, i) => ({ text: `w${i}`, startMs: i * 200, endMs: i * 200 + 200 }));
    await session.playout.write(1, { pcm: tone(40_000, 440), words });
    await peer.speak(join8k(silence(400), tone(2400, 300), silence(300)));
  }

  test('armed: the bot is silent from that very frame, goes on at the same sample or is cut', async () => {
    await interrupt(true);
    const [event] = named('barge-in');
    expect(named('barge-in')).toHaveLength(1);
    // Behind what counts as heard only 5 ms that sink away.
    const frames = event!.heard.playedMs / 20;
    expect(peer.loud()).toHaveLength(frames + 1);
    const said = throughCodec(tone(40_000, 440));
    const before = peer.heard();
    const start = before.findIndex((s) => s !== 0) - said.findIndex((s) => s !== 0);
    const pausedAt = start + frames * 160;
    expect([...before.subarray(start, pausedAt)]).toEqual([...said.subarray(0, frames * 160)]);
    expect(Math.abs(before[pausedAt + 39]!)).toBeLessThan(60);
    expect(levelDb(before, pausedAt + 40)).toBe(-100);
    expect(event!.heard.text).toBe(
      Array.from({ length: Math.floor((event!.heard.playedMs + 100) / 200) }, (_, i) => `w${i}`).join(' '),
    );
    const spoke = named('speech-start')[0]!;
    expect(event!.at).toBe(spoke.at);
    session.playout.resume(1);
    await expect.poll(() => peer.loud().length).toBeGreaterThan(frames + 6);
    const heard = peer.heard();
    const resumedAt = pausedAt + 160 + heard.subarray(pausedAt + 160).findIndex((s) => s !== 0);
    const goesOn = resumedAt - ((resumedAt - start) % 160);
    // It rises for 5 ms; then the same samples follow as if nothing had been.
    expect(Math.abs(heard[goesOn + 1]!)).toBeLessThan(60);
    expect([...heard.subarray(goesOn + 40, goesOn + 800)]).toEqual([
      ...said.subarray(frames * 160 + 40, frames * 160 + 800),
    ]);
    const cut = await session.playout.cut(1);
    await expect.poll(() => peer.loud().length).toBe(cut.playedMs / 20 + 1);
    expect((await session.stats()).falseDucks).toBe(0);
  });

  test('disarmed: the bot speaks on; armed while the caller still speaks: it stops', async () => {
    await interrupt(false);
    expect(named('barge-in')).toEqual([]);
    expect(named('speech-start')).toHaveLength(1);
    const speaking = peer.speak(join8k(tone(4000, 300), silence(200)));
    await later(250);
    session.armBargeIn(true);
    await speaking;
    expect(named('barge-in')).toHaveLength(1);
  });

  test('a click makes the bot hold its breath for a moment; nobody is told, and no sample is lost', async () => {
    session.connect(remote());
    session.armBargeIn(true);
    session.playout.begin(1);
    const said = tone(16_000, 440);
    await session.playout.write(1, { pcm: said.slice(), words: [{ text: 'long', startMs: 0, endMs: 2000 }] });
    const finished = session.playout.finish(1);
    await peer.speak(join8k(silence(400), tone(200, 300), silence(700)));
    expect(await finished).toMatchObject({ text: 'long', playedMs: 2000, complete: true });
    expect(named('barge-in')).toEqual([]);
    expect(named('speech-start')).toEqual([]);
    expect((await session.stats()).falseDucks).toBe(1);
    // Every frame, and the 5 ms that sank away.
    await expect.poll(() => peer.loud().length).toBe(101);
    const numbers = peer.loud().map(({ packet }) => packet.sequence);
    const spanned = ((numbers.at(-1)! - numbers[0]!) & 0xffff) + 1;
    expect(spanned - 101).toBeLessThanOrEqual(6);
  });

  // That the bot does not interrupt itself is shown in caller-speech.test.ts, where the time is passed in.
  test('on a loudspeaker the echo of the bot is known, and the caller is heard over it', async () => {
    session.connect(remote());
    session.playout.begin(1);
    await session.playout.write(1, { pcm: babble(9000, 11, 180, -18), words: [] });
    const room = peer.echo(110, 12);
    await expect.poll(async () => (await session.stats()).echoFrames).toBeGreaterThan(50);
    session.armBargeIn(true);
    room.say(babble(1500, 12, 110, -20));
    await expect.poll(() => named('barge-in').length).toBeGreaterThan(0);
    room.leave();
  });

  test('the caller who is still speaking when the answer begins does not interrupt it', async () => {
    session.connect(remote());
    session.armBargeIn(true);
    const speaking = peer.speak(join8k(tone(3200, 300), silence(300)));
    await later(200);
    session.playout.begin(1);
    await session.playout.write(1, { pcm: tone(4000, 440), words: [] });
    await speaking;
    expect(named('speech-start')).toHaveLength(1);
    expect(named('barge-in')).toEqual([]);
  });
});

describe('a caller who floods', () => {
  test('with keys fills no record: as many are told as a machine can key, and a finger is understood afterwards', async () => {
    session.connect(remote());
    for (let key = 0; key < 400; key++) {
      peer.send(eventPacket({ sequence: key, timestamp: key * 800, event: key % 10, duration: 400, end: true }));
    }
    await expect.poll(() => named('dtmf').length).toBeGreaterThan(30);
    await later(300);
    expect(named('dtmf').length).toBeLessThan(60);
    expect(named('dtmf-end').length).toBeLessThanOrEqual(named('dtmf').length);
    await later(700);
    const before = named('dtmf').length;
    peer.send(eventPacket({ sequence: 401, timestamp: 400_000, event: 11, duration: 400, end: true }));
    await expect.poll(() => named('dtmf').length).toBeGreaterThan(before);
    expect(
      named('dtmf')
        .slice(before)
        .map(({ digit }) => digit),
    ).toEqual(['#']);
  });

  test('with audio costs no more than it may, and is heard again when it keeps to the pace', () => {
    const inbound = new InboundAudio(10_000, NO_HOOKS);
    inbound.connect(remote(), 0);
    const say = (sequence: number, now: number) =>
      inbound.datagram(datagram({ sequence, timestamp: sequence * 160 }), '127.0.0.1', 4000, now);
    for (let i = 0; i < 5_000; i++) say(i, 0);
    expect(inbound.stats(0).packetsReceived).toBe(150);
    expect(inbound.refused).toBe(4_850);
    for (let i = 0; i < 100; i++) say(5_000 + i, 1_000 + i * 20);
    expect(inbound.refused).toBeLessThan(4_860);
    // What the network sends twice, and what it held up for a while, is no flood.
    const patient = new InboundAudio(10_000, NO_HOOKS);
    patient.connect(remote(), 0);
    for (let i = 0; i < 500; i++) {
      const now = i < 100 ? 2_000 : i * 20;
      for (let copy = 0; copy < 2; copy++) {
        patient.datagram(datagram({ sequence: i, timestamp: i * 160 }), '127.0.0.1', 4000, now);
      }
    }
    expect(patient.refused).toBeLessThan(60);
  });
});
