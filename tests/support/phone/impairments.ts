/** What goes wrong between the phone and the network, on what the phone sends. Percentages are 0..100. */
export interface Impairments {
  /** Same seed, same misfortunes. */
  readonly seed?: number;
  readonly lossPercent?: number;
  /** Losses come in runs of this many packets on average. 1: independent. */
  readonly lossBurst?: number;
  readonly delayMs?: number;
  /** Each packet is held up to this much longer; more than 20 also reorders. */
  readonly jitterMs?: number;
  readonly duplicatePercent?: number;
  /** These packets are overtaken by the one behind them. */
  readonly reorderPercent?: number;
  /** Beside this share of packets a loud stray one is sent from another port with another SSRC. */
  readonly strayPercent?: number;
}

/** Seeded generator (mulberry32): 0 <= x < 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** What becomes of one packet: a delay for each copy that is sent, none when it is lost. */
export interface PacketFate {
  readonly delaysMs: readonly number[];
  readonly stray: boolean;
}

const OVERTAKEN_MS = 25;

/** Decides the fate of each packet in turn; pure but for its own random state. */
export function createImpairer(impairments: Impairments): () => PacketFate {
  const random = seededRandom(impairments.seed ?? 1);
  const chance = (percent: number | undefined) => percent !== undefined && random() * 100 < percent;
  let losing = 0;
  return () => {
    const burst = Math.max(1, impairments.lossBurst ?? 1);
    if (losing === 0 && chance((impairments.lossPercent ?? 0) / burst)) {
      // Geometric run length with the wanted mean.
      losing = burst === 1 ? 1 : 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - 1 / burst));
    }
    const stray = chance(impairments.strayPercent);
    if (losing > 0) {
      losing--;
      return { delaysMs: [], stray };
    }
    let delay = (impairments.delayMs ?? 0) + (impairments.jitterMs ?? 0) * random();
    if (chance(impairments.reorderPercent)) delay += OVERTAKEN_MS;
    const delaysMs = chance(impairments.duplicatePercent) ? [delay, delay] : [delay];
    return { delaysMs, stray };
  };
}
