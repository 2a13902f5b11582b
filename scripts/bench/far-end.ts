import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Crowd, type CrowdAnswer } from './crowd.ts';
import { EchoCrowd } from './echo-crowd.ts';
import { cpuSecondsOf } from './process-stats.ts';

/**
 * Who stands at the other end of the calls: sipp, which echoes and costs next to nothing, but waits for each packet, so
 * that every send of ours wakes it up; callers in Node that echo, who are still at work when the next one comes; callers in
 * Node that speak by a clock of their own, who cost as much as we do.
 */
export const FAR_ENDS = ['sipp', 'echo', 'node'] as const;
export type FarEndKind = (typeof FAR_ENDS)[number];

/** Hundreds of callers with RTP both ways, in a process of their own. */
export interface FarEnd {
  /** For people. */
  readonly name: string;
  /** Where RTP of all its calls goes to. */
  readonly rtpPort: number;
  bringUp(calls: number, perSecond: number): Promise<{ up: number; failed: number }>;
  /** Begins to measure anew. */
  reset(): Promise<void>;
  /** What it saw of our packets, with its own eyes; undefined: it does not look. */
  saw(): Promise<CrowdAnswer | undefined>;
  /** Calls that did not come about or that we ended, since the start. */
  lost(): Promise<number>;
  cpuSeconds(): Promise<number>;
  hangUp(): Promise<void>;
  stop(): Promise<void>;
}

/** `kind`: what was asked for; undefined: sipp where it is there, with dumpcap, which looks in its place. */
export async function startFarEnd(kind: FarEndKind | undefined, sipPort: number): Promise<FarEnd> {
  const chosen = kind ?? (isInstalled('sipp') && isInstalled('dumpcap') ? 'sipp' : 'node');
  return chosen === 'sipp' ? EchoCrowd.start(sipPort) : NodeFarEnd.start(sipPort, chosen === 'echo');
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The crowd as a far end. */
class NodeFarEnd implements FarEnd {
  readonly name: string;
  readonly rtpPort: number;
  readonly #crowd: Crowd;

  private constructor(crowd: Crowd, name: string) {
    this.#crowd = crowd;
    this.name = name;
    this.rtpPort = crowd.rtpPort;
  }

  static async start(sipPort: number, echo: boolean): Promise<NodeFarEnd> {
    return new NodeFarEnd(await Crowd.start({ sipPort, echo }), echo ? 'callers in Node that echo' : 'callers in Node');
  }

  bringUp(calls: number, perSecond: number): Promise<CrowdAnswer> {
    return this.#crowd.order({ do: 'bring up', calls, perSecond });
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
