import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { estimatedMos } from '../../src/media/rtp/call-quality.ts';
import { buildRtcp, isRtcp, parseRtcp, type RtcpContent } from '../../src/media/rtp/rtcp-packet.ts';
import { RtcpSession, type SentStream } from '../../src/media/rtp/rtcp-session.ts';
import { RtpReception } from '../../src/media/rtp/rtp-reception.ts';
import { RtpPeer } from './rtp-peer.ts';
import { packet } from './support.ts';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('RTCP packets', () => {
  test('are read as they were written', () => {
    const report = fc.record({
      ssrc: word,
      fractionLost: fc.integer({ min: 0, max: 255 }).map((n) => n / 256),
      cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
      extendedSequence: word,
      jitter: word,
      lastSenderReport: word,
      delaySinceLast: word,
    });
    const sender = fc.record({ ntpSeconds: word, ntpFraction: word, timestamp: word, packets: word, octets: word });
    fc.assert(
      fc.property(
        fc.record({
          ssrc: word,
          cname: fc.string({ maxLength: 40 }),
          sender: fc.option(sender, { nil: undefined }),
          report: fc.option(report, { nil: undefined }),
          goodbye: fc.boolean(),
        }),
        (sent) => {
          const bytes = buildRtcp(sent);
          expect(bytes.length % 4).toBe(0);
          expect(isRtcp(bytes)).toBe(true);
          expect(parseRtcp(bytes)).toEqual({
            ssrc: sent.ssrc,
            ...(sent.sender ? { sender: sent.sender } : {}),
            reports: sent.report ? [sent.report] : [],
            voipMetrics: [],
            goodbye: sent.goodbye,
          });
        },
      ),
    );
  });

  test('cut, lengthened or random bytes are refused or read within their bounds', () => {
    const whole = buildRtcp({ ssrc: 1, cname: 'x', goodbye: true });
    for (let length = 1; length < whole.length; length++) {
      const cut = parseRtcp(whole.subarray(0, length));
      if (length % 4 !== 0) expect(cut).toBeUndefined();
    }
    const header = fc.tuple(fc.constantFrom(0x80, 0x81, 0x9f), fc.integer({ min: 199, max: 208 }));
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 80 }), ([first, type], rest) => {
        parseRtcp(Uint8Array.of(first, type, ...rest));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('two sides of a call', () => {
  /** Both send a packet every 20 ms; reports travel `oneWayMs`; a share of what `a` sends is lost. */
  function talk(seconds: number, oneWayMs: number, lost: (i: number) => boolean) {
    const start = 1_000_000;
    const side = (ssrc: number, wallMs: number) => ({
      session: new RtcpSession({ cname: `c${ssrc}`, now: start, wallMs, random: () => 0.5 }),
      sent: { ssrc, packets: 0, octets: 0, timestamp: 0 } as SentStream,
      reception: new RtpReception(),
      reports: [] as number[],
    });
    // The clocks of the two differ by an hour: only one's own times are compared.
    const a = side(1, 1_700_000_000_000);
    const b = side(2, 1_700_003_600_000);
    const wire: { at: number; to: typeof a; bytes: Uint8Array }[] = [];
    for (let t = 0; t < seconds * 50; t++) {
      const now = start + t * 20;
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        from.sent.packets++;
        from.sent.octets += 160;
        const arrived = packet({ sequence: 65_000 + t, ssrc: from.sent.ssrc, timestamp: t * 160 });
        if (from !== a || !lost(t)) to.reception.update(arrived, now + oneWayMs);
        if (from.session.due(now)) {
          from.reports.push(now - start);
          wire.push({ at: now + oneWayMs, to, bytes: from.session.report(now, from.sent, from.reception, 8000) });
        }
      }
      while (wire[0] !== undefined && wire[0].at <= now + 20) {
        const { at, to, bytes } = wire.shift()!;
        to.session.receive(bytes, at, to.sent, 8000);
      }
    }
    return { a, b };
  }

  test('learn the way there and back, whatever their clocks say', () => {
    const { a, b } = talk(20, 35, () => false);
    expect(a.session.roundTripMs).toBeGreaterThan(69);
    expect(a.session.roundTripMs).toBeLessThan(71);
    expect(b.session.roundTripMs).toBeGreaterThan(69);
    expect(a.session.farEnd).toEqual({ loss: 0, jitterMs: 0 });
  });

  test('learn what was lost of theirs, over the wrap of the sequence', () => {
    const { a, b } = talk(30, 10, (i) => i % 20 === 7);
    expect(a.session.farEnd!.loss).toBeCloseTo(0.05, 2);
    expect(b.session.farEnd!.loss).toBe(0);
  });

  test('report about every four seconds, the first after half of that', () => {
    const { a } = talk(30, 10, () => false);
    expect(a.reports[0]).toBeGreaterThan(900);
    expect(a.reports[0]).toBeLessThan(2800);
    for (let i = 1; i < a.reports.length; i++) {
      expect(a.reports[i]! - a.reports[i - 1]!).toBeGreaterThan(1800);
      expect(a.reports[i]! - a.reports[i - 1]!).toBeLessThan(5700);
    }
  });

  test('a report with a time that never was gives no round trip', () => {
    const session = new RtcpSession({ cname: 'x', now: 0, wallMs: 1_700_000_000_000 });
    const sent = { ssrc: 7, packets: 10, octets: 0, timestamp: 0 };
    const forged = (lastSenderReport: number, delaySinceLast: number) =>
      buildRtcp({
        ssrc: 8,
        cname: 'y',
        report: {
          ...{ ssrc: 7, fractionLost: 0, cumulativeLost: 999, extendedSequence: 0, jitter: 0 },
          ...{ lastSenderReport, delaySinceLast },
        },
      });
    fc.assert(
      fc.property(word, word, (last, delay) => {
        expect(session.receive(forged(last, delay), 5000, sent, 8000)).toBe(true);
        expect(session.roundTripMs ?? 0).toBeLessThan(30_000);
        expect(session.farEnd!.loss).toBe(1);
      }),
    );
  });
});

describe('the estimated opinion score', () => {
  test('is that of G.107 for a clean line, and worse with loss and delay', () => {
    expect(estimatedMos({ codec: 'PCMU', loss: 0, delayMs: 0 })).toBeCloseTo(4.41, 2);
    expect(estimatedMos({ codec: 'PCMU', loss: 0, delayMs: 150 })).toBeGreaterThan(4.3);
    expect(estimatedMos({ codec: 'PCMU', loss: 0.03, delayMs: 60 })).toBeCloseTo(4.1, 0);
    expect(estimatedMos({ codec: 'PCMU', loss: 0, delayMs: 400 })).toBeLessThan(3.5);
    expect(estimatedMos({ codec: 'opus', loss: 1, delayMs: 1000 })).toBe(1);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.integer({ min: 0, max: 500 }), (loss, delayMs) => {
        const mos = estimatedMos({ codec: 'PCMA', loss, delayMs });
        expect(mos).toBeGreaterThanOrEqual(1);
        expect(mos).toBeLessThanOrEqual(4.42);
        expect(estimatedMos({ codec: 'PCMA', loss: loss + 0.01, delayMs: delayMs + 20 })).toBeLessThanOrEqual(mos);
      }),
    );
  });
});

describe('a call on the wire', () => {
  let engine: WorkerMediaEngine;
  beforeAll(async () => {
    engine = await WorkerMediaEngine.start({ log: silentLogger });
  });
  afterAll(() => engine.close());

  async function rtcpSocket(): Promise<{ socket: Socket; heard: RtcpContent[] }> {
    const socket = createSocket('udp4');
    const heard: RtcpContent[] = [];
    socket.on('message', (data) => {
      const content = isRtcp(data) ? parseRtcp(data) : undefined;
      if (content) heard.push(content);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { socket, heard };
  }

  test('a caller who says nothing for long but reports is not given up', async () => {
    const { socket } = await rtcpSocket();
    const timeouts: number[] = [];
    const session = await engine.open({
      ...{ call: 'call', bindAddress: '127.0.0.1', rtpTimeoutMs: 1000 },
      onEvent: (event) => event.type === 'rtp-timeout' && timeouts.push(event.at),
    });
    const place = { address: '127.0.0.1', port: socket.address().port };
    session.connect({
      ...{ ...place, codec: 'PCMU', payloadType: 0, ptimeMs: 20, send: true, receive: true },
      rtcp: { ...place, mux: true },
    });
    for (let i = 0; i < 20; i++) {
      socket.send(buildRtcp({ ssrc: 1, cname: 'quiet' }), session.localPort, '127.0.0.1');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(timeouts).toEqual([]);
    await expect.poll(() => timeouts.length).toBe(1);
    await session.close();
    socket.close();
  });

  /** A report on what we got, as a far end makes it. */
  const answerTo = (content: RtcpContent, cumulativeLost: number) =>
    buildRtcp({
      ssrc: 0xbeef,
      cname: 'phone',
      report: {
        ...{ ssrc: content.ssrc, fractionLost: 0, cumulativeLost, extendedSequence: 1, jitter: 40 },
        lastSenderReport: ((content.sender!.ntpSeconds << 16) | (content.sender!.ntpFraction >>> 16)) >>> 0,
        delaySinceLast: 0,
      },
    });

  test.each([
    ['on the port above', false],
    ['on one port with RTP', true],
  ])('reports %s, hears the far end, not a stranger, and says goodbye', async (_where, mux) => {
    const peer = await RtpPeer.open();
    const { socket, heard } = await rtcpSocket();
    const stranger = createSocket('udp4');
    stranger.bind(0, '127.0.0.2');
    await once(stranger, 'listening');
    const session = await engine.open({ call: 'call', bindAddress: '127.0.0.1', onEvent: () => undefined });
    peer.callTo(session.localPort);
    const ownPort = session.localPort + (mux ? 0 : 1);
    session.connect({
      ...{ address: '127.0.0.1', codec: 'PCMU', payloadType: 0, ptimeMs: 20, send: true, receive: true },
      // Of the muxed peer only RTCP is looked at: it says that its audio comes here too.
      port: mux ? socket.address().port : peer.port,
      rtcp: { address: '127.0.0.1', port: socket.address().port, mux },
    });
    if (!mux) await peer.speak(new Int16Array(1600));
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    expect(heard[0]!.sender!.packets).toBeGreaterThan(20);
    expect(heard[0]!.sender!.octets).toBe(heard[0]!.sender!.packets * 160);
    if (!mux) expect(heard[0]!.reports[0]).toMatchObject({ ssrc: peer.ssrc, cumulativeLost: 0 });
    const before = (await session.stats()).packetsRefused;
    stranger.send(answerTo(heard[0]!, 9999), ownPort, '127.0.0.1');
    await expect.poll(async () => (await session.stats()).packetsRefused).toBe(before + 1);
    expect((await session.stats()).quality!.botLoss).toBeUndefined();
    socket.send(answerTo(heard[0]!, 0), ownPort, '127.0.0.1');
    await expect.poll(async () => (await session.stats()).quality?.reportsReceived).toBe(1);
    const report = await session.close();
    expect(report.quality).toMatchObject({ botLoss: 0, botJitterMs: 5 });
    expect(report.quality!.roundTripMs).toBeLessThan(10_000);
    expect(report.quality!.botMos).toBeGreaterThan(1);
    await expect.poll(() => heard.at(-1)!.goodbye).toBe(true);
    peer.close();
    socket.close();
    stranger.close();
  });
});
