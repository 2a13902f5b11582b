import { afterEach, describe, expect, test } from 'vitest';
import { CallMetrics } from '../../src/call/metrics/metrics.ts';
import { mediaMetrics, type StoreFigures, storeMetrics } from '../../src/call/metrics/plant-metrics.ts';
import type { MediaEngineStats } from '../../src/media/ports.ts';
import { event, liveSession, startServer, type TestServer, utterance } from './fixtures.ts';

let it: TestServer | undefined;
afterEach(async () => {
  await it?.close();
  it = undefined;
});

const scrape = async () => (await fetch(`${it!.url}/metrics`)).text();
/** The value of one series, undefined while there is none. */
const value = (text: string, series: string) => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

describe('what calls leave in /metrics', () => {
  test('why turns ended, how they were interrupted, how long each step took', async () => {
    it = await startServer();
    const metrics = new CallMetrics(it.metrics, () => it!.registry.size);
    it.registry.listen((one) => metrics.count(one));
    const { sessionId } = liveSession();
    const timings = { endpointMs: 180, firstPacketMs: 240, endpointReason: 'complete' };
    it.registry.utterance(utterance(sessionId, 1, { speaker: 'assistant', endedAt: undefined, timings }));
    it.registry.utterance(utterance(sessionId, 1, { speaker: 'assistant', timings }));
    it.registry.utterance(
      utterance(sessionId, 2, { speaker: 'assistant', timings: { ...timings, endpointReason: 'incomplete' } }),
    );
    for (const type of ['backchannel', 'barge-in-ignored', 'barge-in-ignored', 'barge-in', 'dtmf'])
      it.registry.event(event(sessionId, type));
    await expect.poll(async () => value(await scrape(), 'voice_barge_ins_total{outcome="interrupted"}')).toBe(1);
    const text = await scrape();
    expect(value(text, 'voice_barge_ins_total{outcome="ignored"}')).toBe(2);
    expect(value(text, 'voice_backchannels_total')).toBe(1);
    expect(value(text, 'voice_endpoints_total{reason="complete"}')).toBe(1);
    expect(value(text, 'voice_endpoints_total{reason="incomplete"}')).toBe(1);
    expect(value(text, 'voice_turn_seconds_count{step="first_packet"}')).toBe(2);
    expect(value(text, 'voice_turn_seconds_bucket{le="0.2",step="endpoint"}')).toBe(2);
  });
});

describe('how good lines were, in /metrics', () => {
  test('is counted once per call, as far as it is known', async () => {
    it = await startServer();
    const metrics = new CallMetrics(it.metrics, () => it!.registry.size);
    it.registry.listen((one) => metrics.count(one));
    const { sessionId } = liveSession();
    const quality = { callerMos: 4.3, callerLoss: 0.004, botMos: 3.1, botLoss: 0.04, roundTripMs: 35 };
    const report = (data: Record<string, unknown>) => it!.registry.event({ ...event(sessionId, 'media-report'), data });
    report({ codec: 'opus', jitterMs: 7, packetsRefused: 12, quality });
    report({ codec: 'PCMU', jitterMs: 1, packetsRefused: 0, quality: { callerMos: 4.4 } });
    report({ jitterMs: 0, packetsRefused: 3 });
    await expect.poll(async () => value(await scrape(), 'voice_media_refused_packets_total')).toBe(15);
    const text = await scrape();
    expect(value(text, 'voice_call_codec_total{codec="opus"}')).toBe(1);
    expect(value(text, 'voice_call_mos_count{direction="caller"}')).toBe(2);
    expect(value(text, 'voice_call_mos_bucket{le="3.3",direction="bot"}')).toBe(1);
    expect(value(text, 'voice_call_loss_ratio_bucket{le="0.005",direction="caller"}')).toBe(1);
    expect(value(text, 'voice_call_loss_ratio_bucket{le="0.03",direction="bot"}')).toBe(0);
    expect(value(text, 'voice_call_round_trip_seconds_sum')).toBeCloseTo(0.035);
  });
});

describe('what the parts tell of themselves in /metrics', () => {
  test('is as fresh as the scrape: the store', async () => {
    it = await startServer();
    const figures: StoreFigures = {
      appended: 10,
      written: 7,
      spooled: 3,
      drained: 1,
      dead: 0,
      lost: 0,
      queued: 2,
      spoolBytes: 4096,
      spoolSegments: 1,
      away: 1,
    };
    storeMetrics(it.metrics, () => figures);
    const text = await scrape();
    expect(value(text, 'voice_store_appended_rows_total')).toBe(10);
    expect(text).toContain('# TYPE voice_store_written_rows_total counter');
    expect(value(text, 'voice_store_spool_bytes')).toBe(4096);
    expect(value(text, 'voice_store_away')).toBe(1);
    Object.assign(figures, { appended: 12, written: 12, away: 0, queued: 0 });
    const later = await scrape();
    expect(value(later, 'voice_store_appended_rows_total')).toBe(12);
    expect(value(later, 'voice_store_away')).toBe(0);
    expect(value(later, 'voice_store_queued_rows')).toBe(0);
  });

  test('the media plane, asked once for all; when it does not answer, the rest is still told', async () => {
    it = await startServer();
    let asked = 0;
    let stats: () => Promise<MediaEngineStats> = async () => ({
      ...({} as MediaEngineStats),
      sessions: 4,
      portsFree: 96,
      pacerLatenessMs: [1.5, 22],
      workerRestarts: 2,
      vadRestarts: [0, Number.NaN],
    });
    mediaMetrics(it.metrics, () => {
      asked++;
      return stats();
    });
    const text = await scrape();
    expect(value(text, 'voice_media_sessions')).toBe(4);
    expect(value(text, 'voice_media_ports_free')).toBe(96);
    expect(value(text, 'voice_media_pacer_lateness_seconds{worker="1"}')).toBe(0.022);
    expect(text).toContain('# TYPE voice_media_worker_restarts_total counter');
    expect(value(text, 'voice_media_worker_restarts_total')).toBe(2);
    expect(value(text, 'voice_media_vad_restarts_total{worker="0"}')).toBe(0);
    expect(text).not.toContain('voice_media_vad_restarts_total{worker="1"}');
    expect(asked).toBe(1);
    stats = () => Promise.reject(new Error('the worker died'));
    const without = await scrape();
    expect(without).toContain('http_event_streams');
    expect(value(without, 'voice_media_sessions')).toBeUndefined();
    // A counter that fell would have begun anew.
    expect(value(without, 'voice_media_worker_restarts_total')).toBe(2);
    expect(value(without, 'voice_media_pacer_lateness_seconds{worker="1"}')).toBeUndefined();
  });
});
