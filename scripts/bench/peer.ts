import { isIP } from 'node:net';
import { cpuSecondsOf, residentBytesOf } from './process-stats.ts';

/** Another SIP server on this machine, started by whoever runs the bench, to be put beside ours. */
export interface BenchPeer {
  readonly port: number;
  /** Its processes. */
  readonly pids: readonly number[];
}

/**
 * `--peer 127.0.0.1:5090 --peer-pids 123,456`. Load goes to the loopback only.
 * @throws Error whose message names the option
 */
export function peerIn(place: string | undefined, pids: string | undefined): BenchPeer | undefined {
  if (place === undefined) {
    if (pids !== undefined) throw new Error('--peer-pids: needs --peer');
    return undefined;
  }
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(place);
  const [host, port] = [match?.[1] ?? '127.0.0.1', Number(match?.[2])];
  if (match === null || isIP(host) === 0 || !host.startsWith('127.') || port < 1 || port > 65_535) {
    throw new Error('--peer: a UDP port of this machine, as 127.0.0.1:5090');
  }
  const numbers = (pids ?? '').split(',').filter(Boolean).map(Number);
  if (numbers.some((pid) => !Number.isInteger(pid) || pid < 1)) throw new Error('--peer-pids: process ids, as 123,456');
  return { port, pids: numbers };
}

/** CPU seconds of each process so far. */
export function cpuSecondsOfEach(pids: readonly number[]): Promise<number[]> {
  return Promise.all(pids.map(cpuSecondsOf));
}

/** Resident bytes of all together. */
export async function residentBytesOfAll(pids: readonly number[]): Promise<number> {
  return (await Promise.all(pids.map(residentBytesOf))).reduce((sum, one) => sum + one, 0);
}
