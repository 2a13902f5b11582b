import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { JitterBuffer } from '../../src/media/inbound/jitter-buffer.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { GMIN, LossBursts } from '../../src/media/rtp/loss-bursts.ts';
import { buildRtcp, isRtcp, parseRtcp, type RtcpContent } from '../../src/media/rtp/rtcp-packet.ts';
import type { VoipMetrics } from '../../src/media/rtp/rtcp-xr.ts';
import { acceptAnswer, answerOffer, makeOffer } from '../../src/media/sdp/sdp.ts';
import { RtpPeer } from './rtp-peer.ts';
import { packet } from './support.ts';

const METRICS: VoipMetrics = {
  ssrc: 0xbeef,
  lossRate: 13 / 256,
  discardRate: 3 / 256,
  burstDensity: 128 / 256,
  gapDensity: 2 / 256,
  burstMs: 240,
  gapMs: 4200,
  roundTripMs: 75,
  endSystemMs: 90,
  rating: 81,
  mosLq: 4.1,
  mosCq: 3.9,
  gmin: GMIN,
  bufferMs: 40,
  bufferMaxMs: 60,
  bufferAbsoluteMaxMs: 200,
};

describe('an extended report', () => {
  test('is read as it was written, with what is unknown left out', () => {
    const share = fc.integer({ min: 0, max: 255 }).map((n) => n / 256);
    const word = fc.integer({ min: 0, max: 65_535 });
    const mos = fc.integer({ min: 10, max: 50 }).map((n) => n / 10);
    const shares = { lossRate: share, discardRate: share, burstDensity: share, gapDensity: share };
    const times = { burstMs: word, gapMs: word, roundTripMs: word, endSystemMs: word };
    const buffer = { bufferMs: word, bufferMaxMs: word, bufferAbsoluteMaxMs: word };
    const ssrc = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const known = { ...shares, ...times, ...buffer, ssrc, gmin: fc.integer({ min: 1, max: 255 }) };
    const opinion = { rating: fc.integer({ min: 0, max: 100 }), mosLq: mos, mosCq: mos };
    const metrics = fc.record({ ...known, ...opinion }, { requiredKeys: Object.keys(known) as (keyof typeof known)[] });
    fc.assert(
      fc.property(metrics, fc.boolean(), (voipMetrics, goodbye) => {
        const read = parseRtcp(buildRtcp({ ssrc: 5, cname: 'x', voipMetrics, goodbye }))!;
        expect(read).toEqual({ ssrc: 5, reports: [], voipMetrics: [voipMetrics], goodbye });
      }),
    );
  });

  test('may come alone, among other blocks; blocks longer than the packet are refused', () => {
    const [whole] = [buildRtcp({ ssrc: 5, cname: 'x', voipMetrics: METRICS })];
    const alone = whole.slice(-44);
    expect(parseRtcp(alone)).toMatchObject({ ssrc: 5, voipMetrics: [METRICS] });
    // A receiver reference time (block type 4) goes before.
    const more = Uint8Array.of(...alone.subarray(0, 8), 4, 0, 0, 2, ...new Uint8Array(8), ...alone.subarray(8));
    more[3] = more.length / 4 - 1;
    expect(parseRtcp(more)).toMatchObject({ voipMetrics: [METRICS] });
    const torn = alone.slice();
    torn[11] = 9;
    expect(parseRtcp(torn)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (blocks) => {
        const bytes = Uint8Array.of(0x80, 207, 0, Math.floor((blocks.length + 8) / 4) - 1, 0, 0, 0, 1, ...blocks);
        parseRtcp(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('is what tshark takes it for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'xr-'));
    try {
      const bytes = buildRtcp({ ssrc: 5, cname: 'bank', voipMetrics: METRICS });
      const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      await writeFile(join(folder, 'packet.txt'), `0000 ${hex}\n`);
      const run = promisify(execFile);
      await run('text2pcap', ['-q', '-u', '5005,5005', join(folder, 'packet.txt'), join(folder, 'packet.pcap')]);
      const fields = {
        'rtcp.xr.voipmetrics.gmin': '16',
        'rtcp.ssrc.fraction': '13',
        'rtcp.ssrc.discarded': '3',
        'rtcp.xr.voipmetrics.burstdensity': '128',
        'rtcp.xr.voipmetrics.gapdensity': '2',
        'rtcp.xr.voipmetrics.burstduration': '240',
        'rtcp.xr.voipmetrics.gapduration': '4200',
        'rtcp.xr.voipmetrics.rtdelay': '75',
        'rtcp.xr.voipmetrics.esdelay': '90',
        'rtcp.xr.voipmetrics.rfactor': '81',
        'rtcp.xr.voipmetrics.moslq': '4.1',
        'rtcp.xr.voipmetrics.moscq': '3.9',
        'rtcp.xr.voipmetrics.jbnominal': '40',
        'rtcp.xr.voipmetrics.jba': '3',
        'rtcp.xr.voipmetrics.plc': '2',
        '_ws.malformed': '',
      };
      const asked = Object.keys(fields).flatMap((field) => ['-e', field]);
      const args = ['-r', join(folder, 'packet.pcap'), '-d', 'udp.port==5005,rtcp', '-T', 'fields', ...asked];
      const { stdout } = await run('tshark', args);
      const shown = stdout.replace(/\n$/, '').split('\t');
      expect(Object.fromEntries(Object.keys(fields).map((field, i) => [field, shown[i]]))).toEqual(fields);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('bursts of loss', () => {
  /** By the words of RFC 3611 section 4.7.2: losses less than GMIN received packets apart lie in one burst. */
  function byDefinition(lost: readonly boolean[]) {
    const places = lost.flatMap((isLost, i) => (isLost ? [i] : []));
    const groups: number[][] = [];
    for (const place of places) {
      const last = groups.at(-1);
      if (last && place - last.at(-1)! - 1 < GMIN) last.push(place);
      else groups.push([place]);
    }
    const bursts = groups.filter((group) => group.length > 1);
    const burstPackets = bursts.reduce((sum, group) => sum + group.at(-1)! - group[0]! + 1, 0);
    const burstLost = bursts.reduce((sum, group) => sum + group.length, 0);
    const gapPackets = lost.length - burstPackets;
    return {
      burstDensity: burstPackets > 0 ? burstLost / burstPackets : 0,
      gapDensity: gapPackets > 0 ? (places.length - burstLost) / gapPackets : 0,
      burstLength: bursts.length > 0 ? burstPackets / bursts.length : 0,
      gapLength: gapPackets / (bursts.length + 1),
    };
  }

  test('are found as the RFC defines them', () => {
    const stretch = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 30 }), (stretches) => {
        const lost = stretches.flatMap(([isLost, length]) => new Array<boolean>(length).fill(isLost));
        const bursts = new LossBursts();
        for (const isLost of lost) isLost ? bursts.lost() : bursts.received();
        expect(bursts.pattern).toMatchObject(byDefinition(lost));
        expect(bursts.pattern.burstRatio).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('the jitter buffer tells them of lost and late packets, not of what was only reordered', () => {
    const buffer = new JitterBuffer();
    const missing = new Set([50, 51, 52, 53, 54, 56, 58, 120]);
    for (let tick = 0; tick < 240; tick++) {
      const now = tick * 20;
      const swapped = tick === 200 || tick === 201 ? 401 - tick : tick;
      if (tick < 220 && !missing.has(swapped)) buffer.push(packet({ sequence: 100 + swapped }), now);
      if (tick === 130) buffer.push(packet({ sequence: 100 + 120 }), now);
      buffer.pull(now + 5);
    }
    expect(buffer.late).toBe(1);
    const { burstDensity, burstLength, gapDensity } = buffer.bursts.pattern;
    expect(burstLength).toBe(9);
    // The restart behind the burst comes with too much delay, of which one packet is left out.
    expect(burstDensity).toBeCloseTo((7 + buffer.discarded) / 9);
    expect(gapDensity).toBeCloseTo(1 / (220 - 9));
  });
});

describe('between two sides', () => {
  const offered = (xr: string) =>
    ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 6000 RTP/AVP 0', xr, ''].join(
      '\r\n',
    );
  const local = { address: '127.0.0.1', port: 40_000, sessionId: '1' };

  test('who offers VoIP metrics gets them, who does not is not asked', () => {
    const linphone = 'a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics';
    const { answer, remote } = answerOffer(offered(linphone), local);
    expect(answer).toContain('\r\na=rtcp-xr:voip-metrics\r\n');
    expect(remote.rtcp).toMatchObject({ port: 6001, voipMetrics: true });
    for (const other of ['a=rtcp-xr:rcvr-rtt=all', 'a=rtcp-xr:not-voip-metrics', 'a=ptime:20']) {
      const without = answerOffer(offered(other), local);
      expect(without.answer).not.toContain('rtcp-xr');
      expect(without.remote.rtcp?.voipMetrics).toBeUndefined();
    }
    const back = answerOffer(makeOffer(local), { ...local, port: 41_000 }).answer;
    expect(acceptAnswer(back).rtcp?.voipMetrics).toBe(true);
  });

  test('a peer hears how its voice arrived, and what it measured stands in the report of the call', async () => {
    const engine = await WorkerMediaEngine.start({ log: silentLogger });
    const peer = await RtpPeer.open();
    const rtcp = createSocket('udp4');
    const heard: RtcpContent[] = [];
    rtcp.on('message', (data) => {
      const content = isRtcp(data) ? parseRtcp(data) : undefined;
      if (content) heard.push(content);
    });
    rtcp.bind(0, '127.0.0.1');
    await once(rtcp, 'listening');
    try {
      const session = await engine.open({ call: 'xr', bindAddress: '127.0.0.1', onEvent: () => undefined });
      peer.callTo(session.localPort);
      const place = { address: '127.0.0.1', codec: 'PCMU', payloadType: 0, ptimeMs: 20, send: true, receive: true };
      session.connect({
        ...{ ...place, codec: 'PCMU', port: peer.port },
        rtcp: { address: '127.0.0.1', port: rtcp.address().port, mux: false, voipMetrics: true },
      });
      // Every second packet of ten is lost, once.
      await peer.speak(new Int16Array(160 * 100), (i) => (i >= 40 && i < 50 && i % 2 === 0 ? [] : [i]));
      await expect.poll(() => heard.length).toBeGreaterThan(0);
      const [ours] = heard;
      rtcp.send(
        buildRtcp({ ssrc: 9, cname: 'phone', voipMetrics: { ...METRICS, ssrc: ours!.ssrc } }),
        session.localPort + 1,
        '127.0.0.1',
      );
      await expect.poll(async () => (await session.stats()).quality?.botMeasured).toBeDefined();
      const report = await session.close();
      const { ssrc: _, gmin: __, ...measured } = METRICS;
      expect(report.quality!.botMeasured).toEqual(measured);
      // A starved machine loses more than the five: how bursts are counted is tried above, with the time passed in.
      const { burstMs, burstDensity } = report.quality!.callerBursts!;
      expect(burstMs).toBeGreaterThan(20);
      expect(burstDensity).toBeGreaterThan(0.1);
      await expect.poll(() => heard.at(-1)!.goodbye).toBe(true);
      const last = heard.at(-1)!.voipMetrics[0]!;
      expect(last).toMatchObject({ ssrc: peer.ssrc, gmin: 16, burstMs: Math.round(burstMs) });
      expect(last.lossRate).toBeCloseTo(0.05, 1);
      expect(last.mosLq).toBeLessThan(4.3);
      expect(last.endSystemMs).toBeGreaterThanOrEqual(40);
    } finally {
      peer.close();
      rtcp.close();
      await engine.close();
    }
  });
});
