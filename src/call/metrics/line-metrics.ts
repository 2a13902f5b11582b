import { Counter, Histogram, type Registry } from 'prom-client';

const MOS_BUCKETS = [1.5, 2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.2, 4.4];
const LOSS_BUCKETS = [0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
const TIME_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5, 1];

/** How good the lines of calls were, counted as each ends, out of its media report. */
export class LineMetrics {
  readonly #codecs: Counter<'codec'>;
  readonly #mos: Histogram<'direction'>;
  readonly #loss: Histogram<'direction'>;
  readonly #jitter: Histogram<'direction'>;
  readonly #roundTrip: Histogram;
  readonly #refused: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ['direction'] as const;
    this.#codecs = new Counter({
      name: 'voice_call_codec_total',
      help: 'Calls by the codec they ended with',
      labelNames: ['codec'],
      registers,
    });
    this.#mos = new Histogram({
      name: 'voice_call_mos',
      help: 'Estimated mean opinion score per call; caller: as we heard it, bot: as the far end reports by RTCP',
      labelNames,
      buckets: MOS_BUCKETS,
      registers,
    });
    this.#loss = new Histogram({
      name: 'voice_call_loss_ratio',
      help: 'Share of packets lost or too late per call',
      labelNames,
      buckets: LOSS_BUCKETS,
      registers,
    });
    this.#jitter = new Histogram({
      name: 'voice_call_jitter_seconds',
      help: 'Interarrival jitter (RFC 3550) at the end of the call',
      labelNames,
      buckets: TIME_BUCKETS,
      registers,
    });
    this.#roundTrip = new Histogram({
      name: 'voice_call_round_trip_seconds',
      help: 'Network round trip by RTCP at the end of the call',
      buckets: TIME_BUCKETS,
      registers,
    });
    this.#refused = new Counter({
      name: 'voice_media_refused_packets_total',
      help: 'Datagrams to media ports that came from elsewhere than the caller, or were none of the call’s',
      registers,
    });
  }

  /** `report`: the data of a media-report event. */
  observe(report: Record<string, unknown>): void {
    const quality = (report.quality ?? {}) as Record<string, unknown>;
    if (typeof report.codec === 'string') this.#codecs.inc({ codec: report.codec });
    if (typeof report.packetsRefused === 'number') this.#refused.inc(report.packetsRefused);
    const each: [unknown, (value: number) => void][] = [
      [quality.callerMos, (value) => this.#mos.observe({ direction: 'caller' }, value)],
      [quality.botMos, (value) => this.#mos.observe({ direction: 'bot' }, value)],
      [quality.callerLoss, (value) => this.#loss.observe({ direction: 'caller' }, value)],
      [quality.botLoss, (value) => this.#loss.observe({ direction: 'bot' }, value)],
      [report.jitterMs, (value) => this.#jitter.observe({ direction: 'caller' }, value / 1000)],
      [quality.botJitterMs, (value) => this.#jitter.observe({ direction: 'bot' }, value / 1000)],
      [quality.roundTripMs, (value) => this.#roundTrip.observe(value / 1000)],
    ];
    for (const [value, observe] of each) if (typeof value === 'number') observe(value);
  }
}
