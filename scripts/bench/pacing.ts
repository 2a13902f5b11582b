import type { FarEnd } from './far-end.ts';
import { WireCapture } from './wire-capture.ts';

/** What a far end is sent over a while: packets of all its calls, and how far those of one call lie apart, ms. */
export interface Pacing {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly gaps: number;
  readonly packets: number;
  /** From the first packet to the last one, s. */
  readonly seconds: number;
  /** Whose stamps these are, and what else is to be known, in words. */
  readonly note: string;
}

/**
 * Begins to watch what a far end is sent; the result ends it. By the kernel's stamps: of the far end's own socket, or of the
 * loopback (dumpcap); where there are neither by the far end's clock, which is late when the far end is.
 */
export async function watchPacing(farEnd: FarEnd): Promise<() => Promise<Pacing | undefined>> {
  await farEnd.reset();
  const capture = farEnd.stamped ? undefined : await WireCapture.start(farEnd.rtpPort);
  return async () => {
    const wire = await capture?.stop();
    const saw = await farEnd.saw();
    const own = saw && `itself late by up to ${saw.ownLatenessMs.toFixed(1)} ms`;
    if (wire) {
      const { p50, max, packets, streams, back } = wire;
      const itSaw = saw ? [`it saw p99 ${saw.p99.toFixed(1)} ms, ${own}`] : [];
      const onWire = `on the wire p50 ${p50.toFixed(1)}, max ${max.toFixed(1)} ms over ${packets} packets of ${streams} calls, about ${back} back`;
      return { ...wire, note: [onWire, `far end: ${farEnd.name}`, ...itSaw].join('; ') };
    }
    if (saw === undefined) return undefined;
    const by = farEnd.stamped
      ? "by the kernel's stamps at the far end's socket"
      : "no dumpcap here: by the far end's clock";
    const measured = `${by} p50 ${saw.p50.toFixed(1)}, max ${saw.max.toFixed(1)} ms over ${saw.received} packets`;
    return { ...saw, packets: saw.received, note: `${measured}; far end: ${farEnd.name}, ${own}` };
  };
}

const PACKETS_PER_SECOND = 50;

/** Packets that came, of those that so many calls of 20 ms owe in that time. */
export function percentOfDue(calls: number, packets: number, seconds: number): number {
  // A whole number of frames lies between the first and the last: one more may have come.
  return Math.min(100, (packets / (calls * PACKETS_PER_SECOND * seconds)) * 100);
}
