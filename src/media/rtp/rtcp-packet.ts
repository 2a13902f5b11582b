import { EXTENDED_REPORT, readVoipMetrics, VOIP_REPORT_BYTES, type VoipMetrics, writeVoipMetrics } from './rtcp-xr.ts';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const GOODBYE = 203;
const CNAME = 1;
const HEADER_BYTES = 4;
const BLOCK_BYTES = 24;

/** What one side says of a stream it receives (RFC 3550 section 6.4.1). */
export interface ReceptionReport {
  /** Of the stream's sender. */
  ssrc: number;
  /** Share lost since the report before, 0 to 1 in steps of 1/256. */
  fractionLost: number;
  /** Since the beginning; duplicates can make it negative. 24 bit. */
  cumulativeLost: number;
  extendedSequence: number;
  /** In units of the stream's clock. */
  jitter: number;
  /** Middle 32 bits of the NTP time in the last sender report that came; 0: none. */
  lastSenderReport: number;
  /** Since then, in 1/65536 s. */
  delaySinceLast: number;
}

export interface SenderInfo {
  /** Seconds since 1900 in 32.32 bits, as two words. */
  ntpSeconds: number;
  ntpFraction: number;
  timestamp: number;
  packets: number;
  octets: number;
}

export interface RtcpContent {
  /** Of who sent the packet, and what it says of itself as a sender. */
  ssrc: number;
  sender?: SenderInfo;
  reports: ReceptionReport[];
  /** Of extended reports. */
  voipMetrics: VoipMetrics[];
  goodbye: boolean;
}

/** Is it RTCP rather than RTP, when both share a port (RFC 5761 section 4)? */
export function isRtcp(data: Uint8Array): boolean {
  return data.length >= 2 && data[0]! >> 6 === 2 && data[1]! >= 192 && data[1]! <= 223;
}

/**
 * Reads a compound packet; kinds of packets that are not known are passed over (RFC 3550 section 6.1). Undefined when
 * it is none (appendix A.2): a wrong version, lengths that do not add up, reports shorter than they say.
 */
export function parseRtcp(data: Uint8Array): RtcpContent | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const content: RtcpContent = { ssrc: -1, reports: [], voipMetrics: [], goodbye: false };
  let at = 0;
  while (at < data.length) {
    if (data.length - at < HEADER_BYTES || data[at]! >> 6 !== 2) return undefined;
    const type = data[at + 1]!;
    const end = at + HEADER_BYTES + view.getUint16(at + 2) * 4;
    if (end > data.length) return undefined;
    const count = data[at]! & 0x1f;
    if (type === SENDER_REPORT || type === RECEIVER_REPORT) {
      const blocks = at + (type === SENDER_REPORT ? 28 : 8);
      if (blocks + count * BLOCK_BYTES > end) return undefined;
      content.ssrc = view.getUint32(at + 4);
      if (type === SENDER_REPORT) content.sender = senderInfo(view, at + 8);
      for (let i = 0; i < count; i++) content.reports.push(receptionReport(view, blocks + i * BLOCK_BYTES));
    } else if (type === EXTENDED_REPORT) {
      // Some send it by itself (RFC 5506).
      const blocks = end - at < 8 ? undefined : readVoipMetrics(view, at + 8, end);
      if (blocks === undefined) return undefined;
      if (content.ssrc < 0) content.ssrc = view.getUint32(at + 4);
      content.voipMetrics.push(...blocks);
    } else if (type === GOODBYE) content.goodbye = true;
    at = end;
  }
  return content.ssrc < 0 && !content.goodbye ? undefined : content;
}

function senderInfo(view: DataView, at: number): SenderInfo {
  return {
    ntpSeconds: view.getUint32(at),
    ntpFraction: view.getUint32(at + 4),
    timestamp: view.getUint32(at + 8),
    packets: view.getUint32(at + 12),
    octets: view.getUint32(at + 16),
  };
}

function receptionReport(view: DataView, at: number): ReceptionReport {
  return {
    ssrc: view.getUint32(at),
    fractionLost: view.getUint8(at + 4) / 256,
    cumulativeLost: (view.getUint32(at + 4) << 8) >> 8,
    extendedSequence: view.getUint32(at + 8),
    jitter: view.getUint32(at + 12),
    lastSenderReport: view.getUint32(at + 16),
    delaySinceLast: view.getUint32(at + 20),
  };
}

export interface RtcpToSend {
  ssrc: number;
  cname: string;
  /** With it a sender report, without a receiver report. */
  sender?: SenderInfo | undefined;
  report?: ReceptionReport | undefined;
  voipMetrics?: VoipMetrics | undefined;
  goodbye?: boolean;
}

/** A compound packet: report, source description, perhaps an extended report and goodbye (RFC 3550 section 6.1). */
export function buildRtcp({ ssrc, cname, sender, report, voipMetrics, goodbye = false }: RtcpToSend): Uint8Array {
  const name = new TextEncoder().encode(cname).subarray(0, 255);
  const reportBytes = 8 + (sender ? 20 : 0) + (report ? BLOCK_BYTES : 0);
  // The items end with a zero octet and are padded to a whole word (section 6.5).
  const sdesBytes = 8 + 4 * Math.ceil((2 + name.length + 1) / 4);
  const extendedBytes = voipMetrics ? VOIP_REPORT_BYTES : 0;
  const packet = new Uint8Array(reportBytes + sdesBytes + extendedBytes + (goodbye ? 8 : 0));
  const view = new DataView(packet.buffer);
  const header = (at: number, count: number, type: number, bytes: number) => {
    packet[at] = 0x80 | count;
    packet[at + 1] = type;
    view.setUint16(at + 2, bytes / 4 - 1);
    view.setUint32(at + 4, ssrc);
  };
  header(0, report ? 1 : 0, sender ? SENDER_REPORT : RECEIVER_REPORT, reportBytes);
  if (sender) {
    const { ntpSeconds, ntpFraction, timestamp, packets, octets } = sender;
    [ntpSeconds, ntpFraction, timestamp, packets, octets].forEach((word, i) => {
      view.setUint32(8 + i * 4, word);
    });
  }
  if (report) writeReport(view, reportBytes - BLOCK_BYTES, report);
  header(reportBytes, 1, SOURCE_DESCRIPTION, sdesBytes);
  packet[reportBytes + 8] = CNAME;
  packet[reportBytes + 9] = name.length;
  packet.set(name, reportBytes + 10);
  if (voipMetrics) {
    header(reportBytes + sdesBytes, 0, EXTENDED_REPORT, VOIP_REPORT_BYTES);
    writeVoipMetrics(view, reportBytes + sdesBytes + 8, voipMetrics);
  }
  if (goodbye) header(reportBytes + sdesBytes + extendedBytes, 1, GOODBYE, 8);
  return packet;
}

function writeReport(view: DataView, at: number, report: ReceptionReport): void {
  view.setUint32(at, report.ssrc);
  const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, report.cumulativeLost));
  view.setUint32(at + 4, (Math.min(255, Math.floor(report.fractionLost * 256)) << 24) | (lost & 0xff_ffff));
  view.setUint32(at + 8, report.extendedSequence);
  view.setUint32(at + 12, report.jitter);
  view.setUint32(at + 16, report.lastSenderReport);
  view.setUint32(at + 20, report.delaySinceLast);
}
