import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startChild } from './child.ts';
import type { CrowdFigures } from './crowd-media.ts';

export interface CrowdSettings {
  readonly sipPort: number;
  /** Mu-law, base64: what every caller says over and over. Silence when left out. */
  readonly speech?: string;
  /** What callers hear, they send back, instead of saying anything. */
  readonly echo?: boolean;
}

/** What its process says first. */
export interface CrowdReady {
  readonly rtpPort: number;
  readonly stamped: boolean;
}

export type CrowdOrder =
  | { do: 'bring up'; calls: number; perSecond: number; number?: string }
  | { do: 'short calls'; calls: number; perSecond: number; holdMs: number }
  | { do: 'reset' }
  | { do: 'figures' }
  | { do: 'hang up' };

export interface CrowdAnswer extends CrowdFigures {
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
  /** Its figures of packets are by the kernel's stamps. */
  readonly stamped: boolean;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, { rtpPort, stamped }: CrowdReady) {
    this.#child = child;
    this.rtpPort = rtpPort;
    this.stamped = stamped;
  }

  static async start(settings: CrowdSettings): Promise<Crowd> {
    const { child, said } = await startChild<CrowdReady>('crowd-process.ts', JSON.stringify(settings));
    return new Crowd(child, said);
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
