/** Received packets in a row that end a burst (RFC 3611 section 4.7.2 recommends 16). */
export const GMIN = 16;

/** How losses lie in time: a share of them scattered is heard quite otherwise than the same share in one place. */
export interface LossPattern {
  /** Share of packets lost within bursts, and between them; 0 to 1. */
  burstDensity: number;
  gapDensity: number;
  /** Mean length of a burst, and of a gap; in packets. */
  burstLength: number;
  gapLength: number;
  /** How much longer runs of losses are than chance makes them, at least 1 (ITU-T G.107 section 7.3.1). */
  burstRatio: number;
}

/**
 * Bursts and gaps of a received stream (RFC 3611 section 4.7.2). A burst begins and ends with a loss and has fewer than
 * GMIN received packets in a row in it; all else is gap, single losses included. Fed packet by packet in the order of
 * their sequence numbers, a packet that came too late to be played as a loss.
 */
export class LossBursts {
  #bursts = 0;
  #burstPackets = 0;
  #burstLost = 0;
  #gapPackets = 0;
  #gapLost = 0;
  /** Losses that lie together so far, perhaps one alone; and from the first of them to the last. */
  #together = 0;
  #span = 0;
  /** Received since the last loss. */
  #since = 0;
  #runs = 0;
  #afterLoss = false;

  received(): void {
    this.#since++;
    this.#afterLoss = false;
  }

  lost(packets = 1): void {
    if (packets < 1) return;
    if (!this.#afterLoss) this.#runs++;
    this.#afterLoss = true;
    if (this.#together > 0 && this.#since < GMIN) {
      this.#together += packets;
      this.#span += this.#since + packets;
    } else {
      this.#close();
      this.#gapPackets += this.#since;
      this.#together = packets;
      this.#span = packets;
    }
    this.#since = 0;
  }

  /** As of now: what has begun counts as if it ended here. */
  get pattern(): LossPattern {
    const open = this.#together > 1 ? 1 : 0;
    const single = this.#together === 1 ? 1 : 0;
    const bursts = this.#bursts + open;
    const burstPackets = this.#burstPackets + open * this.#span;
    const burstLost = this.#burstLost + open * this.#together;
    const gapPackets = this.#gapPackets + single + this.#since;
    const gapLost = this.#gapLost + single;
    const lost = burstLost + gapLost;
    const received = burstPackets + gapPackets - lost;
    const meanRun = this.#runs > 0 ? lost / this.#runs : 1;
    return {
      burstDensity: burstPackets > 0 ? burstLost / burstPackets : 0,
      gapDensity: gapPackets > 0 ? gapLost / gapPackets : 0,
      burstLength: bursts > 0 ? burstPackets / bursts : 0,
      gapLength: gapPackets / (bursts + 1),
      // By chance a run goes on with the probability of a loss.
      burstRatio: lost > 0 ? Math.max(1, (meanRun * received) / (received + lost)) : 1,
    };
  }

  #close(): void {
    if (this.#together > 1) {
      this.#bursts++;
      this.#burstPackets += this.#span;
      this.#burstLost += this.#together;
    } else {
      this.#gapPackets += this.#together;
      this.#gapLost += this.#together;
    }
    this.#together = 0;
    this.#span = 0;
  }
}
