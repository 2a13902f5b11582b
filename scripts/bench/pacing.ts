import type { FarEnd } from './far-end.ts';
import type { PacketFigures } from './packet-figures.ts';
import { WireCapture } from './wire-capture.ts';

export interface Pacing extends PacketFigures {
  /** Whose stamps these are, and what else is to be known, in words. */
  readonly note: string;
}

/** Whoever is sent the packets, as far as that is looked at. */
type Receiver = Pick<FarEnd, 'name' | 'rtpPort' | 'stamped' | 'reset' | 'saw'>;

/**
 * Begins to watch what a far end is sent; the result ends it. By the kernel's stamps: of the far end's own socket, or of the
 * loopback (dumpcap); where there are neither by the far end's clock, which is late when the far end is.
 */
export async function watchPacing(farEnd: Receiver): Promise<() => Promise<Pacing | undefined>> {
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
    const measured = `${by} p50 ${saw.p50.toFixed(1)}, max ${saw.max.toFixed(1)} ms over ${saw.packets} packets`;
    return { ...saw, note: `${measured}; far end: ${farEnd.name}, ${own}` };
  };
}
