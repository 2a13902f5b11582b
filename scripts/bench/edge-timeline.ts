import { setTimeout as sleep } from 'node:timers/promises';
import type { AdmissionStatus } from '../../src/call/admission.ts';
import { monotonicNow } from '../../src/core/clock.ts';
import { table } from '../call/table.ts';
import type { BenchConnector } from './connector.ts';
import { cpuSecondsOfTree, machineSeconds } from './process-stats.ts';
import type { SippSecond } from './sipp-caller.ts';

const EVERY_MS = 1000;

export interface Watched {
  /** Undefined: there is none at the moment, or a pid that is to become one. */
  readonly connectors: () => readonly (BenchConnector | number | undefined)[];
  /** Of a process that does not change. */
  readonly edgePid: number;
  /** Prometheus of the edge. */
  readonly edgeMetrics: string;
}

type Cells = Record<string, string>;

/**
 * What happened in each second of a run behind the edge: calls as the caller counted them, what each connector took and
 * refused and why, how busy it said it was (processor, loop delay, set-up, time until requests are read), its line with
 * the bounds on new calls, and who used the processors. Looking costs each connector a request a second.
 */
export class EdgeTimeline {
  readonly #watched: Watched;
  readonly #rows: Cells[] = [];
  readonly #stop = new AbortController();
  readonly #before = new Map<string, number>();
  readonly #running: Promise<void>;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#running = this.#run();
  }

  /** As a table, one line a second; `calls` from the same beginning. */
  async end(calls: readonly SippSecond[]): Promise<string> {
    this.#stop.abort();
    await this.#running;
    const rows = this.#rows.map((cells, i) => ({ ...sippCells(calls[i]), ...cells }));
    const heads = ['s', ...new Set(rows.flatMap((row) => Object.keys(row)))];
    return table(
      heads,
      rows.map((row, i) => heads.map((head) => (head === 's' ? String(i + 1) : (row[head] ?? '')))),
    );
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const begun = monotonicNow();
    await this.#second();
    for (let n = 1; !signal.aborted; n++) {
      await sleep(Math.max(0, begun + n * EVERY_MS - monotonicNow()), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) this.#rows.push(await this.#second());
    }
  }

  async #second(): Promise<Cells> {
    const { connectors, edgePid, edgeMetrics } = this.#watched;
    const parts = await Promise.all([
      this.#edge(edgeMetrics),
      ...connectors().map((connector, i) => this.#connector(`c${i + 1}`, connector)),
      this.#cpu('edge cpu', edgePid),
      machineSeconds().then((seconds) => ({ machine: String(Math.round(this.#since('machine', seconds * 100))) })),
    ]);
    return Object.assign({}, ...parts) as Cells;
  }

  async #connector(name: string, connector: BenchConnector | number | undefined): Promise<Cells> {
    if (connector === undefined) return { [name]: 'away' };
    if (typeof connector === 'number') return { [name]: 'starts', ...(await this.#cpu(`${name} cpu`, connector)) };
    const [status, cpu] = await Promise.all([admissionOf(connector), this.#cpu(`${name} cpu`, connector.pid)]);
    if (status === undefined) return { [name]: 'silent', ...cpu };
    const { state, share, load, bounds, calls, waiting, accepted, refused } = status;
    const key = `${name} ${connector.pid}`;
    const why = Object.entries(refused)
      .map(([reason, count]) => [reason, this.#since(`${key} ${reason}`, count)] as const)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${count} ${reason}`);
    return {
      [name]: `${state}${share < 1 ? ` ${share.toFixed(2)}` : ''}`,
      [`${name} load`]: `${Math.round(load.cpu * 100)}% ${Math.round(load.loopDelayMs)} ${Math.round(load.setupMs)} ${Math.round(load.receiveMs)}`,
      [`${name} line`]: `${waiting}${bounded(bounds)}`,
      [`${name} calls`]: String(calls),
      [`${name} took`]: String(this.#since(`${key} accepted`, accepted)),
      [`${name} refused`]: why.join(', '),
      ...cpu,
    };
  }

  /** In percent of a core, with its children. */
  async #cpu(name: string, pid: number): Promise<Cells> {
    const seconds = await cpuSecondsOfTree(pid).catch(() => undefined);
    if (seconds === undefined) return {};
    return { [name]: String(Math.round(this.#since(`${name} ${pid}`, seconds * 100))) };
  }

  async #edge(url: string): Promise<Cells> {
    const text = await fetch(url).then(
      (response) => response.text(),
      () => '',
    );
    const named = [...text.matchAll(/^opensips_(?:script_)?edge_(\S+) (\d+)/gm)];
    const active = named.find(([, name]) => name === 'connectors{state="active"}')?.[2];
    const waiting = named.find(([, name]) => name === 'calls_waiting')?.[2];
    const counted = named
      .filter(([, name]) => /^(failovers|connector_silent|refused|calls_held)/.test(name!))
      .map(([, name, count]) => [shortOf(name!), this.#since(`edge ${name}`, Number(count))] as const)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`);
    return { active: active ?? '?', waiting: waiting ?? '', edge: counted.join(', ') };
  }

  #since(key: string, value: number): number {
    const gained = value - (this.#before.get(key) ?? 0);
    this.#before.set(key, value);
    return gained;
  }
}

/** Calls a second, and being set up at once. */
function bounded({ perSecond, atOnce }: AdmissionStatus['bounds']): string {
  const rate = typeof perSecond === 'number' ? ` ${Math.round(perSecond)}/s` : '';
  return rate + (typeof atOnce === 'number' ? ` ${Math.round(atOnce)}` : '');
}

/** `refused{reason="all_connectors"}` -> `refused all_connectors`. */
function shortOf(name: string): string {
  return name.replace(/\{[^"]*"([^"]*)"\}.*/, ' $1');
}

function sippCells(second: SippSecond | undefined): Cells {
  if (second === undefined) return {};
  const { offered, successful, failed, current } = second;
  return { offered: String(offered), ended: String(successful), failed: String(failed), up: String(current) };
}

async function admissionOf({ api, token }: BenchConnector): Promise<AdmissionStatus | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(EVERY_MS * 0.9);
  return fetch(`${api}/api/v1/admission`, { headers, signal }).then(
    async (response) => (response.ok ? ((await response.json()) as AdmissionStatus) : undefined),
    () => undefined,
  );
}
