import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startChild } from './child.ts';

export interface CrowdSettings {
  readonly sipPort: number;
  /** Mu-law, base64: what every caller says over and over. Silence when left out. */
  readonly speech?: string;
  /** What callers hear, they send back, instead of saying anything. */
  readonly echo?: boolean;
}

export type CrowdOrder =
  | { do: 'bring up'; calls: number; perSecond: number }
  | { do: 'short calls'; calls: number; perSecond: number; holdMs: number }
  | { do: 'reset' }
  | { do: 'figures' }
  | { do: 'hang up' };

export interface CrowdAnswer {
  /** Between packets of one call, ms, since the last reset. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly gaps: number;
  readonly received: number;
  /** How late the crowd's own sending was at worst. */
  readonly ownLatenessMs: number;
  /** Calls answered, over and failed, since the start. */
  readonly up: number;
  readonly over: number;
  readonly failed: number;
  readonly setupMs: readonly number[];
}

/** Hundreds of callers in a process of their own, with RTP both ways: cheap, so that the connector is what is measured. */
export class Crowd {
  /** Where it hears RTP of all its calls. */
  readonly rtpPort: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, rtpPort: number) {
    this.#child = child;
    this.rtpPort = rtpPort;
  }

  static async start(settings: CrowdSettings): Promise<Crowd> {
    const { child, said } = await startChild<{ rtpPort: number }>('crowd-process.ts', JSON.stringify(settings));
    return new Crowd(child, said.rtpPort);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when the order is carried out, with all figures so far. One order at a time. */
  async order(order: CrowdOrder): Promise<CrowdAnswer> {
    const answer = once(this.#child, 'message') as Promise<[CrowdAnswer]>;
    const gone = once(this.#child, 'exit').then(() => Promise.reject(new Error('the crowd has died')));
    this.#child.send(order);
    return (await Promise.race([answer, gone]))[0]!;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}
