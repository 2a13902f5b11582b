import { monotonicNow } from '../../src/core/clock.ts';
import { BatchedSocket } from './batched-socket.ts';
import type { PacketFigures } from './packet-figures.ts';
import { DgramPackets, type PacketSocket } from './packet-socket.ts';

const FRAME_MS = 20;
const FRAME_BYTES = 160;
/** The calls' packets are spread over the 20 ms, as those of real callers are. */
const SLICES = 4;
const BUCKET_MS = 0.1;
const BUCKETS = 5000;

interface Stream {
  port: number;
  packet: Uint8Array;
  sequence: number;
  timestamp: number;
  phase: number;
  lastAt: number;
  lastSequence: number;
}

/** Since the last reset. */
export interface CrowdFigures extends PacketFigures {
  /** How late the crowd's own sending was at worst. */
  readonly ownLatenessMs: number;
}

/** RTP both ways for many calls over one socket, as cheaply as can be; measures what comes. */
export class CrowdMedia {
  readonly #socket: PacketSocket;
  readonly #speech: Uint8Array;
  readonly #echo: boolean;
  readonly #streams: Stream[][] = Array.from({ length: SLICES }, () => []);
  readonly #byPort = new Map<number, Stream>();
  readonly #intervals = new Uint32Array(BUCKETS);
  #maxMs = 0;
  #gaps = 0;
  #packets = 0;
  #firstAt = 0;
  #lastAt = 0;
  #lateMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #slice = 0;
  #due = 0;

  private constructor(socket: PacketSocket, speech: Uint8Array, echo: boolean) {
    this.#socket = socket;
    this.#speech = speech;
    this.#echo = echo;
  }

  /**
   * `speech`: mu-law octets that every caller says over and over; empty: silence. `echo`: nobody says anything, what comes is
   * sent back.
   */
  static async open(speech: Uint8Array, echo = false): Promise<CrowdMedia> {
    const media = new CrowdMedia(BatchedSocket.open() ?? (await DgramPackets.open()), speech, echo);
    media.#due = monotonicNow();
    media.#tick();
    return media;
  }

  get port(): number {
    return this.#socket.port;
  }

  /** Its figures are by the kernel's stamps. */
  get stamped(): boolean {
    return this.#socket.stamped;
  }

  add(port: number): void {
    const packet = new Uint8Array(12 + FRAME_BYTES).fill(0xff);
    packet[0] = 0x80;
    packet[1] = 0;
    new DataView(packet.buffer).setUint32(8, port * 7919);
    const frames = Math.max(1, Math.floor(this.#speech.length / FRAME_BYTES));
    const stream: Stream = {
      port,
      packet,
      sequence: 0,
      timestamp: 0,
      phase: (port * 31) % frames,
      lastAt: 0,
      lastSequence: -1,
    };
    this.#byPort.set(port, stream);
    this.#streams.reduce((a, b) => (b.length < a.length ? b : a)).push(stream);
  }

  remove(port: number): void {
    const stream = this.#byPort.get(port);
    if (stream === undefined) return;
    this.#byPort.delete(port);
    for (const slice of this.#streams) {
      const at = slice.indexOf(stream);
      if (at >= 0) slice.splice(at, 1);
    }
  }

  /** Begins to measure anew. */
  reset(): void {
    this.#socket.receive(this.#onPacket);
    this.#intervals.fill(0);
    this.#maxMs = this.#gaps = this.#packets = this.#lateMs = this.#firstAt = 0;
    for (const stream of this.#byPort.values()) stream.lastAt = 0;
  }

  figures(): CrowdFigures {
    this.#socket.receive(this.#onPacket);
    const at = (share: number) => {
      const total = this.#intervals.reduce((a, b) => a + b, 0);
      let seen = 0;
      for (let i = 0; i < BUCKETS; i++) {
        seen += this.#intervals[i]!;
        if (seen >= total * share) return (i + 1) * BUCKET_MS;
      }
      return Number.NaN;
    };
    return {
      p50: at(0.5),
      p99: at(0.99),
      max: this.#maxMs,
      gaps: this.#gaps,
      packets: this.#packets,
      seconds: (this.#lastAt - this.#firstAt) / 1000,
      ownLatenessMs: this.#lateMs,
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  readonly #tick = (): void => {
    const now = monotonicNow();
    this.#lateMs = Math.max(this.#lateMs, now - this.#due);
    this.#socket.receive(this.#onPacket);
    while (this.#due <= now) {
      if (!this.#echo) for (const stream of this.#streams[this.#slice]!) this.#send(stream);
      this.#slice = (this.#slice + 1) % SLICES;
      this.#due += FRAME_MS / SLICES;
    }
    this.#socket.flush();
    this.#timer = setTimeout(this.#tick, Math.max(1, this.#due - monotonicNow()));
  };

  #send(stream: Stream): void {
    const { packet } = stream;
    packet[2] = stream.sequence >>> 8;
    packet[3] = stream.sequence;
    packet[4] = stream.timestamp >>> 24;
    packet[5] = stream.timestamp >>> 16;
    packet[6] = stream.timestamp >>> 8;
    packet[7] = stream.timestamp;
    if (this.#speech.length >= FRAME_BYTES) {
      const frames = Math.floor(this.#speech.length / FRAME_BYTES);
      const at = ((stream.sequence + stream.phase) % frames) * FRAME_BYTES;
      packet.set(this.#speech.subarray(at, at + FRAME_BYTES), 12);
    }
    stream.sequence = (stream.sequence + 1) & 0xffff;
    stream.timestamp = (stream.timestamp + FRAME_BYTES) >>> 0;
    this.#socket.put(packet, stream.port);
  }

  readonly #onPacket = (data: Uint8Array, port: number, at: number): void => {
    const stream = this.#byPort.get(port);
    if (stream === undefined) return;
    if (this.#echo) this.#socket.put(data, port);
    this.#packets++;
    if (this.#firstAt === 0) this.#firstAt = at;
    this.#lastAt = at;
    const sequence = (data[2]! << 8) | data[3]!;
    if (stream.lastSequence >= 0 && ((stream.lastSequence + 1) & 0xffff) !== sequence) this.#gaps++;
    stream.lastSequence = sequence;
    if (stream.lastAt > 0) {
      const interval = Math.max(0, at - stream.lastAt);
      this.#maxMs = Math.max(this.#maxMs, interval);
      this.#intervals[Math.min(BUCKETS - 1, Math.floor(interval / BUCKET_MS))]!++;
    }
    stream.lastAt = at;
  };
}
