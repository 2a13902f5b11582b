import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { summarize } from '../../tests/support/phone/measures.ts';
import type { PacketFigures } from './packet-figures.ts';

/** Ethernet, IPv4 without options, UDP and the fixed header of RTP: all that is looked at. */
const SNAP_BYTES = 14 + 20 + 8 + 12;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
/** The whole run's packets fit, should the disk stand still: 64 MiB. */
const BUFFER_MIB = 64;
/** Of what comes back, each packet whose sequence number is a multiple of this. A power of two. */
const SAMPLED = 16;

/** Stamped by the kernel as they pass the loopback. */
export interface WirePacing extends PacketFigures {
  /** Calls that sent. */
  readonly streams: number;
  /** Packets the other way, from that port to ours: estimated from a sample. */
  readonly back: number;
}

/**
 * Hears on the loopback what goes to one port, and how much comes back. Unlike a far end's own clock it does not depend on when a busy process
 * comes to look: what is late here was sent late.
 */
export class WireCapture {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #port: number;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.#port = port;
  }

  /** Undefined where dumpcap is not there or may not capture. */
  static async start(port: number): Promise<WireCapture | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'wire-'));
    const options = ['-q', '-i', 'lo', '-s', String(SNAP_BYTES), '-B', String(BUFFER_MIB), '-P'];
    const args = [...options, '-f', filterFor(port), '-w', join(folder, 'wire.pcap')];
    const child = spawn('dumpcap', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const started = new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('exit', () => resolve(false));
      child.stderr.on('data', (text) => String(text).includes('File:') && resolve(true));
    });
    if (await Promise.race([started, sleep(5000).then(() => false)])) return new WireCapture(child, folder, port);
    child.kill();
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }

  /** Ends it. The first packet of each call opens its first interval. */
  async stop(): Promise<WirePacing> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGINT');
      await gone;
    }
    try {
      return pacingOf(await readFile(join(this.#folder, 'wire.pcap')), this.#port);
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}

/** All that goes there, and a sample of what comes from there: the lower octet of RTP's sequence number is udp[11]. */
function filterFor(port: number): string {
  return `udp dst port ${port} or (udp src port ${port} and udp[11] & ${SAMPLED - 1} = 0)`;
}

function pacingOf(pcap: Buffer, farPort: number): WirePacing {
  const nanoseconds = pcap.readUInt32LE(0) === 0xa1b23c4d;
  const last = new Map<number, { at: number; sequence: number }>();
  const intervals: number[] = [];
  let [gaps, packets, sampled, first, end] = [0, 0, 0, 0, 0];
  for (let at = FILE_HEADER_BYTES; at + PACKET_HEADER_BYTES <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8);
    const frame = at + PACKET_HEADER_BYTES;
    const ms = pcap.readUInt32LE(at) * 1000 + pcap.readUInt32LE(at + 4) / (nanoseconds ? 1e6 : 1e3);
    at = frame + length;
    if (length < SNAP_BYTES || at > pcap.length) continue;
    if (pcap.readUInt16BE(frame + 36) !== farPort) {
      sampled++;
      continue;
    }
    if (packets++ === 0) first = ms;
    end = ms;
    const port = pcap.readUInt16BE(frame + 34);
    const sequence = pcap.readUInt16BE(frame + 44);
    const before = last.get(port);
    if (before) {
      intervals.push(ms - before.at);
      if (((before.sequence + 1) & 0xffff) !== sequence) gaps++;
    }
    last.set(port, { at: ms, sequence });
  }
  const { p50, p99, max } = summarize(intervals) ?? { p50: Number.NaN, p99: Number.NaN, max: Number.NaN };
  const seconds = (end - first) / 1000;
  return { p50, p99, max, gaps, packets, seconds, streams: last.size, back: sampled * SAMPLED };
}
