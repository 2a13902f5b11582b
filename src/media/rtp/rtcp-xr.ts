import type { Ms } from '../../core/clock.ts';

/** The packet type of extended reports, and the block type of VoIP metrics (RFC 3611 sections 2 and 4.7). */
export const EXTENDED_REPORT = 207;
const VOIP_METRICS = 7;
const BLOCK_HEADER_BYTES = 4;
const VOIP_BYTES = 36;
/** One extended report with one block of VoIP metrics. */
export const VOIP_REPORT_BYTES = 8 + VOIP_BYTES;
const UNAVAILABLE = 127;
/** Packet loss concealment "enhanced", jitter buffer "adaptive", at a rate that is not known (section 4.7.6). */
const RX_CONFIG = 0b10_11_0000;

/** What one side measured of the voice it receives (RFC 3611 section 4.7). What is not known is left out. */
export interface VoipMetrics {
  /** Of the stream's sender. */
  ssrc: number;
  /** Shares, 0 to 1 in steps of 1/256: of all packets since the beginning; within bursts, and between them. */
  lossRate: number;
  discardRate: number;
  burstDensity: number;
  gapDensity: number;
  /** Means. */
  burstMs: Ms;
  gapMs: Ms;
  roundTripMs: Ms;
  /** From the network to the ear, and from the mouth to the network. */
  endSystemMs: Ms;
  /** E-model rating, 0 to 100. */
  rating?: number;
  /** 1 to 5 in steps of 0.1: of listening, and of conversation, which delay makes worse. */
  mosLq?: number;
  mosCq?: number;
  gmin: number;
  bufferMs: Ms;
  bufferMaxMs: Ms;
  bufferAbsoluteMaxMs: Ms;
}

/** Writes an extended report of `ssrc` with one block, VOIP_REPORT_BYTES long, but for the packet's header. */
export function writeVoipMetrics(view: DataView, at: number, metrics: VoipMetrics): void {
  const byte = (offset: number, value: number) => view.setUint8(at + offset, clamp(value, 255));
  const word = (offset: number, value: number) => view.setUint16(at + offset, clamp(Math.round(value), 65_535));
  const share = (offset: number, value: number) => byte(offset, Math.floor(value * 256));
  byte(0, VOIP_METRICS);
  word(2, (VOIP_BYTES - BLOCK_HEADER_BYTES) / 4);
  view.setUint32(at + 4, metrics.ssrc);
  share(8, metrics.lossRate);
  share(9, metrics.discardRate);
  share(10, metrics.burstDensity);
  share(11, metrics.gapDensity);
  word(12, metrics.burstMs);
  word(14, metrics.gapMs);
  word(16, metrics.roundTripMs);
  word(18, metrics.endSystemMs);
  // Levels of signal and noise, and the loss on the way of the echo: not measured so that they could be told.
  for (const offset of [20, 21, 22, 25]) byte(offset, UNAVAILABLE);
  byte(23, metrics.gmin);
  byte(24, metrics.rating === undefined ? UNAVAILABLE : Math.round(metrics.rating));
  byte(26, metrics.mosLq === undefined ? UNAVAILABLE : Math.round(metrics.mosLq * 10));
  byte(27, metrics.mosCq === undefined ? UNAVAILABLE : Math.round(metrics.mosCq * 10));
  byte(28, RX_CONFIG);
  word(30, metrics.bufferMs);
  word(32, metrics.bufferMaxMs);
  word(34, metrics.bufferAbsoluteMaxMs);
}

/**
 * The VoIP metrics among the blocks of an extended report that lie in [at, end); other kinds are passed over (section 3).
 * Undefined when a block is longer than what is there.
 */
export function readVoipMetrics(view: DataView, at: number, end: number): VoipMetrics[] | undefined {
  const found: VoipMetrics[] = [];
  while (at < end) {
    if (end - at < BLOCK_HEADER_BYTES) return undefined;
    const next = at + BLOCK_HEADER_BYTES + view.getUint16(at + 2) * 4;
    if (next > end) return undefined;
    if (view.getUint8(at) === VOIP_METRICS && next - at === VOIP_BYTES) found.push(metricsAt(view, at));
    at = next;
  }
  return found;
}

function metricsAt(view: DataView, at: number): VoipMetrics {
  const share = (offset: number) => view.getUint8(at + offset) / 256;
  const word = (offset: number) => view.getUint16(at + offset);
  const rating = view.getUint8(at + 24);
  const [mosLq, mosCq] = [view.getUint8(at + 26), view.getUint8(at + 27)];
  return {
    ssrc: view.getUint32(at + 4),
    lossRate: share(8),
    discardRate: share(9),
    burstDensity: share(10),
    gapDensity: share(11),
    burstMs: word(12),
    gapMs: word(14),
    roundTripMs: word(16),
    endSystemMs: word(18),
    gmin: view.getUint8(at + 23),
    // 127 is "unavailable"; what else lies outside the scale is no figure either.
    ...(rating <= 100 && { rating }),
    ...(mosLq >= 10 && mosLq <= 50 && { mosLq: mosLq / 10 }),
    ...(mosCq >= 10 && mosCq <= 50 && { mosCq: mosCq / 10 }),
    bufferMs: word(30),
    bufferMaxMs: word(32),
    bufferAbsoluteMaxMs: word(34),
  };
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
