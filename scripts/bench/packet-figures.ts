/** What is sent over a while: packets of all calls, and how far those of one call lie apart, ms. */
export interface PacketFigures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly gaps: number;
  readonly packets: number;
  /** From the first packet to the last one, s. */
  readonly seconds: number;
}

const PACKETS_PER_SECOND = 50;

/** Packets that came, of those that so many calls of 20 ms owe in that time. */
export function percentOfDue(calls: number, packets: number, seconds: number): number {
  // A whole number of frames lies between the first and the last: one more may have come.
  return Math.min(100, (packets / (calls * PACKETS_PER_SECOND * seconds)) * 100);
}
