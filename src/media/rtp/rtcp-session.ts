import type { Ms } from '../../core/clock.ts';
import { buildRtcp, parseRtcp, type ReceptionReport, type SenderInfo } from './rtcp-packet.ts';
import type { VoipMetrics } from './rtcp-xr.ts';
import type { RtpReception } from './rtp-reception.ts';

/** Reduced minimum (RFC 3550 section 6.2): 360 s over the session's bandwidth, 80 kbit/s with headers. */
const INTERVAL_MS = 4500;
/** Makes up for randomising and reconsidering (section 6.3.1): e - 3/2. */
const COMPENSATION = Math.E - 1.5;
const NTP_EPOCH_S = 2_208_988_800;
const MAX_ROUND_TRIP_MS = 30_000;

/** What we have sent, for the sender report. */
export interface SentStream {
  ssrc: number;
  packets: number;
  /** Payload only. */
  octets: number;
  /** RTP timestamp of now. */
  timestamp: number;
}

/** What the far end says of the stream it gets from us. */
export interface FarEnd {
  /** Share of our packets that never arrived, over the whole call, 0 to 1. */
  loss: number;
  jitterMs: Ms;
}

export interface RtcpSessionOptions {
  /** RFC 7022: the same for the call, unlike any other. */
  cname: string;
  now: Ms;
  /** Wall time at `now`, ms since 1970. */
  wallMs: number;
  /** 0 to 1. */
  random?: () => number;
}

/** The control protocol of one RTP stream each way (RFC 3550 section 6). Pure: packets and time are passed in. */
export class RtcpSession {
  sent = 0;
  received = 0;
  roundTripMs: Ms | undefined;
  farEnd: FarEnd | undefined;
  /** What the far end measured itself, if it tells. */
  farEndMetrics: VoipMetrics | undefined;
  /** The far end has said goodbye. */
  goodbye = false;

  readonly #cname: string;
  readonly #random: () => number;
  /** Wall time less monotonic time when the call began: stamps do not jump when the wall clock is set. */
  readonly #wallOffset: number;
  #nextAt: Ms;
  #sentBefore = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #epoch = 0;
  #senderReport: { ssrc: number; middle: number; at: Ms } | undefined;

  constructor(options: RtcpSessionOptions) {
    this.#cname = options.cname;
    this.#random = options.random ?? Math.random;
    this.#wallOffset = options.wallMs - options.now;
    this.#nextAt = options.now + this.#interval() / 2;
  }

  due(now: Ms): boolean {
    return now >= this.#nextAt;
  }

  /** The compound packet that is due, or the last one of the call. `clockRate`: of both streams. */
  report(
    now: Ms,
    sent: SentStream,
    reception: RtpReception,
    clockRate: number,
    { goodbye = false, voipMetrics }: { goodbye?: boolean; voipMetrics?: VoipMetrics | undefined } = {},
  ): Uint8Array {
    this.#nextAt = now + this.#interval();
    const sending = sent.packets > 0 && (sent.packets > this.#sentBefore || goodbye);
    this.#sentBefore = sent.packets;
    this.sent++;
    const { ssrc, timestamp, packets, octets } = sent;
    return buildRtcp({
      ssrc,
      cname: this.#cname,
      sender: sending ? { ...this.#ntp(now), timestamp, packets, octets } : undefined,
      report: this.#receptionReport(now, reception, clockRate),
      voipMetrics,
      goodbye,
    });
  }

  /** Takes a compound packet of the far end; false when it is none. */
  receive(data: Uint8Array, now: Ms, sent: SentStream, clockRate: number): boolean {
    const content = parseRtcp(data);
    if (content === undefined) return false;
    this.received++;
    this.goodbye ||= content.goodbye;
    if (content.sender) {
      const { ntpSeconds, ntpFraction } = content.sender;
      const middle = ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0;
      this.#senderReport = { ssrc: content.ssrc, middle, at: now };
    }
    for (const report of content.reports) {
      if (report.ssrc === sent.ssrc) this.#take(report, now, sent.packets, clockRate);
    }
    this.farEndMetrics = content.voipMetrics.find(({ ssrc }) => ssrc === sent.ssrc) ?? this.farEndMetrics;
    return true;
  }

  #take(report: ReceptionReport, now: Ms, packetsSent: number, clockRate: number): void {
    const loss = packetsSent > 0 ? Math.max(0, Math.min(1, report.cumulativeLost / packetsSent)) : 0;
    this.farEnd = { loss, jitterMs: (report.jitter * 1000) / clockRate };
    if (report.lastSenderReport === 0) return;
    const { ntpSeconds, ntpFraction } = this.#ntp(now);
    const middle = ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0;
    const roundTrip = (middle - report.lastSenderReport - report.delaySinceLast) | 0;
    const ms = (roundTrip * 1000) / 65_536;
    // Two clocks of 15 microseconds may make a tiny negative of a very short way.
    if (ms > -2 && ms < MAX_ROUND_TRIP_MS) this.roundTripMs = Math.max(0, ms);
  }

  /** RFC 3550 appendix A.3. */
  #receptionReport(now: Ms, reception: RtpReception, clockRate: number): ReceptionReport | undefined {
    if (reception.received === 0) return undefined;
    if (reception.epoch !== this.#epoch) {
      this.#epoch = reception.epoch;
      this.#expectedBefore = 0;
      this.#receivedBefore = 0;
    }
    const { expected, arrived } = reception.stream;
    const expectedNow = expected - this.#expectedBefore;
    const lostNow = expectedNow - (arrived - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = arrived;
    const last = this.#senderReport?.ssrc === reception.ssrc ? this.#senderReport : undefined;
    return {
      ssrc: reception.ssrc,
      fractionLost: expectedNow > 0 && lostNow > 0 ? lostNow / expectedNow : 0,
      cumulativeLost: expected - arrived,
      extendedSequence: reception.stream.highest,
      jitter: Math.round((reception.jitterMs * clockRate) / 1000),
      lastSenderReport: last?.middle ?? 0,
      delaySinceLast: last ? Math.round((now - last.at) * 65.536) : 0,
    };
  }

  #ntp(now: Ms): Pick<SenderInfo, 'ntpSeconds' | 'ntpFraction'> {
    const ms = now + this.#wallOffset;
    const seconds = Math.floor(ms / 1000);
    return {
      ntpSeconds: (seconds + NTP_EPOCH_S) >>> 0,
      ntpFraction: Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32) >>> 0,
    };
  }

  #interval(): Ms {
    return (INTERVAL_MS * (0.5 + this.#random())) / COMPENSATION;
  }
}
