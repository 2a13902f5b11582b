import type { TurnId } from '../../core/ids.ts';
import { type Pcm, SAMPLE_RATE } from '../audio.ts';
import type { Heard, SpokenChunk } from '../ports.ts';
import type { Continuity } from '../workers/continuity.ts';
import { PlayoutQueue, type RestoredTurn } from './playout-queue.ts';

/** A word that was cut in two is said again from its beginning, unless that is further back than this. */
const MOST_REPEATED = SAMPLE_RATE;

interface KeptWord {
  text: string;
  /** Samples from the turn's beginning. */
  from: number;
  half: number;
}

/**
 * The main thread's copy of the turn that is being said, as far as it is not sent: what the next worker goes on with
 * when the one that says it dies. Bounded by the playout queue's own room, some 10 s of audio.
 */
export class KeptTurn {
  readonly id: TurnId;
  finished = false;
  /** The control plane has been told that the caller interrupts, and has not decided yet. */
  paused = false;
  #chunks: { from: number; pcm: Pcm }[] = [];
  readonly #words: KeptWord[] = [];
  #written = 0;

  constructor(id: TurnId) {
    this.id = id;
  }

  add({ pcm, words }: SpokenChunk, continuity: Continuity): void {
    const perMs = SAMPLE_RATE / 1000;
    for (const { text, startMs, endMs } of words) {
      const half = this.#written + Math.min(((startMs + endMs) / 2) * perMs, pcm.length);
      this.#words.push({ text, from: this.#written + Math.floor(startMs * perMs), half });
    }
    const { sent } = continuity.sentOf(this.id);
    this.#chunks = this.#chunks.filter((chunk) => chunk.from + chunk.pcm.length > sent);
    this.#chunks.push({ from: this.#written, pcm });
    this.#written += pcm.length;
  }

  /** The turn as another worker is to go on with it: from the beginning of the word that was being said. */
  restored(continuity: Continuity): RestoredTurn {
    const { sent } = continuity.sentOf(this.id);
    const word = this.#words.findLast(({ from }) => from <= sent);
    const within = word !== undefined && sent < 2 * word.half - word.from && sent - word.from < MOST_REPEATED;
    return this.#from(within ? word.from : sent, sent, continuity);
  }

  /** What the caller heard of it. */
  heard(continuity: Continuity): Heard {
    const { sent } = continuity.sentOf(this.id);
    const queue = new PlayoutQueue();
    queue.restore(this.#from(sent, sent, continuity));
    return queue.heard(this.id);
  }

  #from(wanted: number, sent: number, continuity: Continuity): RestoredTurn {
    const { firstSentAt, lastSentAt } = continuity.sentOf(this.id);
    const kept = this.#chunks.filter((chunk) => chunk.from + chunk.pcm.length > wanted);
    const at = Math.max(wanted, kept[0]?.from ?? wanted);
    return {
      id: this.id,
      sent: at,
      chunks: kept.map(({ from, pcm }) => (from < at ? pcm.slice(at - from) : pcm)),
      // A word that was heard stays heard, also when it is said again.
      words: this.#words.map(({ text, half }) => ({ text, heardAt: half <= sent ? Math.min(half, at) : half })),
      finished: this.finished,
      paused: this.paused,
      firstSentAt,
      lastSentAt,
    };
  }
}
