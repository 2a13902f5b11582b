import type { Ms } from '../../core/clock.ts';
import type { SrtpCarried } from '../srtp/srtp-line.ts';

const FIELDS = [
  'at',
  'ssrc',
  'sequence',
  'timestamp',
  'turn',
  'sent',
  'firstSentAt',
  'lastSentAt',
  'segment',
  'digitTimestamp',
  'rollover',
  'securedSequence',
  'rtcpIndex',
  'receivedSsrc',
  'receivedHighest',
  'receivedRtcp',
] as const;

type Field = (typeof FIELDS)[number];

const INDEX = Object.fromEntries(FIELDS.map((name, i) => [name, i])) as Record<Field, number>;
const COUNTERS = [
  'packetsReceived',
  'packetsLost',
  'packetsLate',
  'packetsDuplicated',
  'packetsRefused',
  'packetsSent',
  'concealedFrames',
] as const;

export type CarriedCounters = Record<(typeof COUNTERS)[number], number>;

/** Packets of SRTP that may have left after the last tick: their indexes are not used again. */
export const SRTP_MARGIN = 8;

/** Where an outgoing RTP stream stands: what its next packet carries. */
export interface RtpPosition {
  ssrc: number;
  sequence: number;
  timestamp: number;
}

/**
 * What of a session outlives the worker thread that carries it: numbers in shared memory. The worker writes them at
 * every tick, a few stores per call; the main thread reads them when the thread is dead, so that another worker goes
 * on where this one stopped, and the far end sees a gap in one stream, not a new one (RFC 3550 section 5.1).
 */
export class Continuity {
  readonly shared: SharedArrayBuffer;
  readonly #fields: Float64Array;
  /** What workers before this one counted. */
  readonly #before: CarriedCounters;

  /** Without `shared`: of a session that begins. */
  constructor(shared = new SharedArrayBuffer(8 * (FIELDS.length + COUNTERS.length))) {
    this.shared = shared;
    this.#fields = new Float64Array(shared);
    this.#before = this.counters();
  }

  /** When the last tick was; 0 before the first. */
  get at(): Ms {
    return this.#get('at');
  }

  get rtp(): RtpPosition {
    return { ssrc: this.#get('ssrc'), sequence: this.#get('sequence'), timestamp: this.#get('timestamp') };
  }

  get segment(): number {
    return this.#get('segment');
  }

  /** A later segment is known to have begun. */
  atLeastSegment(segment: number): void {
    if (segment > this.segment) this.#fields[INDEX.segment] = segment;
  }

  /** RTP timestamp of the last key press; -1 before the first. */
  get digitTimestamp(): number {
    return this.#get('digitTimestamp') - 1;
  }

  /** Samples sent of this turn, and when its first and last frame were. */
  sentOf(turn: number): { sent: number; firstSentAt: Ms | undefined; lastSentAt: Ms | undefined } {
    // Turns count from 1; 0 is what fresh memory holds.
    if (this.#get('turn') !== turn) return { sent: 0, firstSentAt: undefined, lastSentAt: undefined };
    const at = (field: Field) => this.#get(field) || undefined;
    return { sent: this.#get('sent'), firstSentAt: at('firstSentAt'), lastSentAt: at('lastSentAt') };
  }

  tick(at: Ms, stream: RtpPosition, segment: number, digitTimestamp: number): void {
    const fields = this.#fields;
    fields[INDEX.ssrc] = stream.ssrc;
    fields[INDEX.sequence] = stream.sequence;
    fields[INDEX.timestamp] = stream.timestamp;
    fields[INDEX.segment] = segment;
    fields[INDEX.digitTimestamp] = digitTimestamp + 1;
    fields[INDEX.at] = at;
  }

  turn(turn: number, sent: number, firstSentAt: Ms | undefined, lastSentAt: Ms | undefined): void {
    const fields = this.#fields;
    fields[INDEX.sent] = sent;
    fields[INDEX.firstSentAt] = firstSentAt ?? 0;
    fields[INDEX.lastSentAt] = lastSentAt ?? 0;
    fields[INDEX.turn] = turn;
  }

  /** An encrypted call's indexes, at every tick. */
  secured({ sent, received }: SrtpCarried): void {
    const fields = this.#fields;
    fields[INDEX.rollover] = sent.rollover;
    fields[INDEX.securedSequence] = sent.sequence + 1;
    fields[INDEX.rtcpIndex] = sent.rtcpIndex;
    if (received === undefined) return;
    fields[INDEX.receivedSsrc] = received.ssrc;
    fields[INDEX.receivedHighest] = received.highest + 1;
    fields[INDEX.receivedRtcp] = received.rtcpHighest + 1;
  }

  /** Where another worker stood with the keys of the call. Fresh memory stands at the beginning. */
  get srtp(): SrtpCarried {
    const highest = this.#get('receivedHighest') - 1;
    return {
      sent: {
        rollover: this.#get('rollover'),
        sequence: this.#get('securedSequence') - 1,
        rtcpIndex: this.at > 0 ? this.#get('rtcpIndex') + SRTP_MARGIN : 0,
      },
      received:
        highest < 0
          ? undefined
          : { ssrc: this.#get('receivedSsrc'), highest, rtcpHighest: this.#get('receivedRtcp') - 1 },
    };
  }

  counters(): CarriedCounters {
    const counted = (i: number) => this.#fields[FIELDS.length + i]!;
    // In the order of COUNTERS.
    return {
      packetsReceived: counted(0),
      packetsLost: counted(1),
      packetsLate: counted(2),
      packetsDuplicated: counted(3),
      packetsRefused: counted(4),
      packetsSent: counted(5),
      concealedFrames: counted(6),
    };
  }

  /** Adds what workers before this one counted. */
  total<T extends CarriedCounters>(stats: T): T {
    for (const name of COUNTERS) stats[name] += this.#before[name];
    return stats;
  }

  /** `total` as of now. */
  count(total: CarriedCounters): void {
    for (let i = 0; i < COUNTERS.length; i++) this.#fields[FIELDS.length + i] = total[COUNTERS[i]!];
  }

  #get(field: Field): number {
    return this.#fields[INDEX[field]]!;
  }
}
