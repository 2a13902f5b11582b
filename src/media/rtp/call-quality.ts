import type { Ms } from '../../core/clock.ts';
import type { CodecName } from '../codecs/codec.ts';
import type { JitterBuffer } from '../inbound/jitter-buffer.ts';
import type { LineQuality, MediaStats } from '../ports.ts';
import { GMIN, type LossPattern } from './loss-bursts.ts';
import type { RtcpSession } from './rtcp-session.ts';
import type { VoipMetrics } from './rtcp-xr.ts';

/**
 * Equipment impairment and robustness to loss. G.711 with the concealment of its appendix I is in ITU-T G.113 appendix
 * I. Not tabulated for a telephone's band, so estimates of ours: G.722 by G.711 with a decoder that loses its state,
 * Opus by AMR at 12.2 kbit/s.
 */
const EQUIPMENT: Readonly<Record<CodecName, { impairment: number; robustness: number }>> = {
  PCMU: { impairment: 0, robustness: 25.1 },
  PCMA: { impairment: 0, robustness: 25.1 },
  G722: { impairment: 0, robustness: 10 },
  opus: { impairment: 5, robustness: 10 },
};

export interface PathFacts {
  codec: CodecName;
  /** Share of packets that could not be played, 0 to 1. */
  loss: number;
  /** How much longer runs of losses are than chance makes them; default 1, which is chance. */
  burstRatio?: number;
  /** Mouth to ear, one way. */
  delayMs: Ms;
}

/**
 * Transmission rating, 0 to 93.2, by the E-model (ITU-T G.107) with its default values and the delay term in the
 * simplified form of Cole and Rosenbluth. What it cannot know: noise, echo, the voice itself.
 */
function transmissionRating({ codec, loss, burstRatio = 1, delayMs }: PathFacts): number {
  const { impairment, robustness } = EQUIPMENT[codec];
  const percent = Math.max(0, Math.min(1, loss)) * 100;
  const equipment = impairment + (95 - impairment) * (percent / (percent / burstRatio + robustness));
  const delay = 0.024 * delayMs + (delayMs > 177.3 ? 0.11 * (delayMs - 177.3) : 0);
  return Math.max(0, Math.min(93.2, 93.2 - delay - equipment));
}

/** Estimated mean opinion score, 1 to 4.4. */
export function estimatedMos(facts: PathFacts): number {
  const rating = transmissionRating(facts);
  // G.107 annex B; the cubic dips below 1 for very low ratings.
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}

/**
 * A far end of which only its jitter is known delays by about this much of it, besides one packet. Adaptive buffers
 * cover two to four times the mean deviation.
 */
const JITTER_COVER = 3;

/** Both directions of a call, from what was counted here and what the far end reported by RTCP. `pattern`: of the losses. */
export function lineQuality(
  stats: MediaStats,
  ptimeMs: Ms,
  rtcp: RtcpSession,
  { burstDensity, burstLength, gapDensity, gapLength, burstRatio }: LossPattern,
): LineQuality {
  const codec = stats.codec ?? 'PCMU';
  const { farEnd, farEndMetrics, roundTripMs } = rtcp;
  const oneWay = (roundTripMs ?? 0) / 2;
  const unplayed = stats.packetsLost + stats.packetsLate;
  const expected = stats.packetsReceived + stats.packetsLost;
  const loss = expected > 0 ? Math.min(1, unplayed / expected) : 0;
  const quality: LineQuality = { reportsSent: rtcp.sent, reportsReceived: rtcp.received };
  if (roundTripMs !== undefined) quality.roundTripMs = roundTripMs;
  if (expected > 0) {
    quality.callerLoss = loss;
    quality.callerMos = estimatedMos({ codec, loss, burstRatio, delayMs: oneWay + ptimeMs + stats.jitterBufferMs });
    const [burstMs, gapMs] = [burstLength * ptimeMs, gapLength * ptimeMs];
    if (burstLength > 0) quality.callerBursts = { burstDensity, burstMs, gapDensity, gapMs };
  }
  if (farEnd) {
    quality.botLoss = farEnd.loss;
    quality.botJitterMs = farEnd.jitterMs;
    const delayMs = oneWay + 2 * ptimeMs + JITTER_COVER * farEnd.jitterMs;
    quality.botMos = estimatedMos({ codec, loss: farEnd.loss, delayMs });
  }
  if (farEndMetrics) {
    const { ssrc: _, gmin: __, ...measured } = farEndMetrics;
    quality.botMeasured = measured;
  }
  return quality;
}

/** What we measured of the stream `ssrc`, to be told to its sender (RFC 3611). `ptimeMs`: of our own packets. */
export function voipMetrics(
  jitter: JitterBuffer,
  codec: CodecName,
  ptimeMs: Ms,
  roundTripMs: Ms | undefined,
): VoipMetrics {
  const { reception, bursts, packetMs, delayMs } = jitter;
  const { burstDensity, gapDensity, burstLength, gapLength, burstRatio } = bursts.pattern;
  const expected = Math.max(1, reception.received + reception.lost);
  const [lossRate, discardRate] = [reception.lost / expected, (jitter.late + jitter.discarded) / expected];
  const path = { codec, loss: Math.min(1, lossRate + discardRate), burstRatio };
  // Both ways: what waits here before it is heard, and a packet of ours before it is whole.
  const endSystemMs = delayMs + packetMs + ptimeMs;
  const spoken = { ...path, delayMs: (roundTripMs ?? 0) / 2 + delayMs + packetMs };
  return {
    ssrc: reception.ssrc,
    lossRate,
    discardRate,
    burstDensity,
    gapDensity,
    burstMs: burstLength * packetMs,
    gapMs: gapLength * packetMs,
    roundTripMs: roundTripMs ?? 0,
    endSystemMs,
    rating: transmissionRating(spoken),
    mosLq: estimatedMos({ ...path, delayMs: 0 }),
    mosCq: estimatedMos(spoken),
    gmin: GMIN,
    bufferMs: jitter.targetMs,
    bufferMaxMs: jitter.maxTargetMs,
    bufferAbsoluteMaxMs: jitter.maxHeldMs,
  };
}
