import { Crowd, type CrowdAnswer } from './crowd.ts';
import type { CrowdFigures } from './crowd-media.ts';
import { EchoCrowd } from './echo-crowd.ts';
import { cpuSecondsOf } from './process-stats.ts';

/**
 * Who stands at the other end of the calls: callers in Node that speak by a clock of their own and read and send hundreds of
 * packets by one call of the system (node, the default); the same, sending back what they hear (echo); sipp, which echoes in
 * one thread that waits for each packet, so that every send of ours wakes it up.
 */
export const FAR_ENDS = ['node', 'echo', 'sipp'] as const;
export type FarEndKind = (typeof FAR_ENDS)[number];

/** Hundreds of callers with RTP both ways, in a process of their own. */
export interface FarEnd {
  /** For people. */
  readonly name: string;
  /** Where RTP of all its calls goes to. */
  readonly rtpPort: number;
  /** What it saw is by the kernel's stamps. */
  readonly stamped: boolean;
  /** Once. `number`: whom all of them call. */
  bringUp(calls: number, perSecond: number, number?: string): Promise<{ up: number; failed: number }>;
  /** Begins to measure anew. */
  reset(): Promise<void>;
  /** What it saw of our packets, with its own eyes; undefined: it does not look. */
  saw(): Promise<CrowdFigures | undefined>;
  /** Calls that did not come about or that we ended, since the start. */
  lost(): Promise<number>;
  cpuSeconds(): Promise<number>;
  hangUp(): Promise<void>;
  stop(): Promise<void>;
}

export function startFarEnd(kind: FarEndKind, sipPort: number): Promise<FarEnd> {
  return kind === 'sipp' ? EchoCrowd.start(sipPort) : NodeFarEnd.start(sipPort, kind === 'echo');
}

/** The crowd as a far end. */
class NodeFarEnd implements FarEnd {
  readonly name: string;
  readonly rtpPort: number;
  readonly stamped: boolean;
  readonly #crowd: Crowd;

  private constructor(crowd: Crowd, name: string) {
    this.#crowd = crowd;
    this.name = name;
    this.rtpPort = crowd.rtpPort;
    this.stamped = crowd.stamped;
  }

  static async start(sipPort: number, echo: boolean): Promise<NodeFarEnd> {
    return new NodeFarEnd(await Crowd.start({ sipPort, echo }), echo ? 'callers in Node that echo' : 'callers in Node');
  }

  bringUp(calls: number, perSecond: number, number = 'bank'): Promise<CrowdAnswer> {
    return this.#crowd.order({ do: 'bring up', calls, perSecond, number });
  }

  async reset(): Promise<void> {
    await this.#crowd.order({ do: 'reset' });
  }

  saw(): Promise<CrowdAnswer> {
    return this.#crowd.order({ do: 'figures' });
  }

  async lost(): Promise<number> {
    return (await this.saw()).failed;
  }

  cpuSeconds(): Promise<number> {
    return cpuSecondsOf(this.#crowd.pid);
  }

  async hangUp(): Promise<void> {
    await this.#crowd.order({ do: 'hang up' });
  }

  stop(): Promise<void> {
    return this.#crowd.stop();
  }
}
