import { setTimeout as sleep } from 'node:timers/promises';
import { type Ms, monotonicNow } from '../../src/core/clock.ts';
import { amplitudeOf } from '../../tests/media/support.ts';
import type { BenchConnector } from './connector.ts';

/** What benches of supervisors share: the API, and an ear that tells the supervisor from the bot. */

/** A supervisor's voice, told from the bot's by its pitch. */
export const VOICE_HZ = 1300;

export interface Supervision {
  supervisionId: string;
  state: string;
}

export class Desk {
  readonly #connector: BenchConnector;

  constructor(connector: BenchConnector) {
    this.#connector = connector;
  }

  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#connector.api}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#connector.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  async sessions(): Promise<string[]> {
    const { calls } = await this.ask<{ calls: { sessionId: string }[] }>('GET', '/supervision');
    return calls.map(({ sessionId }) => sessionId);
  }

  async supervisors(): Promise<Supervision[]> {
    return (await this.ask<{ supervisors: Supervision[] }>('GET', '/supervision')).supervisors;
  }
}

/** What a phone hears, packet by packet: is there sound, and is it the supervisor's? */
export class Witness {
  readonly heard: { at: Ms; sound: boolean; supervisor: boolean }[] = [];
  readonly take = (pcm: Int16Array, { at, sound }: { at: Ms; sound: boolean }) => {
    this.heard.push({ at, sound, supervisor: amplitudeOf(pcm, VOICE_HZ) > 0.1 });
  };

  /** First of three packets in a row with the supervisor's voice behind `since`, ms after it. */
  async supervisorAfter(since: Ms, withinMs = 5000): Promise<Ms | undefined> {
    const begins = ({ at }: { at: Ms }, i: number) =>
      at > since && this.heard.slice(i, i + 3).filter(({ supervisor }) => supervisor).length === 3;
    for (const until = since + withinMs; monotonicNow() < until; await sleep(10)) {
      const first = this.heard.find(begins);
      if (first) return first.at - since;
    }
    return undefined;
  }

  /** Last packet with any sound behind `since`, ms after it; 0 where there was none. */
  silentAfter(since: Ms): Ms {
    const last = this.heard.findLast(({ at, sound }) => sound && at > since);
    return last === undefined ? 0 : last.at - since;
  }
}
