import type { Ms } from '../../core/clock.ts';
import type { TurnId } from '../../core/ids.ts';
import { type Pcm, SAMPLE_RATE } from '../audio.ts';
import type { Heard, SpokenChunk } from '../ports.ts';

/** A writer is asked to wait while more than this is queued, ms. */
export const PLAYOUT_AHEAD_MS = 10_000;
/** A writer that does not wait is refused from here on. */
const HARD_LIMIT_MS = 120_000;
/** Turns whose account is kept for a late cut() or finish(). */
const REMEMBERED_TURNS = 4;
/** A frame whose peak is above this (-42 dBFS) carries sound. */
const SOUND_PEAK = 260;

interface LedgerWord {
  text: string;
  /** Sample of the turn at which half of the word has been sent. */
  heardAt: number;
}

interface Turn {
  id: TurnId;
  chunks: Pcm[];
  words: LedgerWord[];
  written: number;
  sent: number;
  finished: boolean;
  firstSentAt: Ms | undefined;
  lastSentAt: Ms | undefined;
  lastSoundAt: Ms | undefined;
}

/** A turn in the middle: `sent` samples of it are with the caller, `chunks` follow. */
export interface RestoredTurn {
  id: TurnId;
  sent: number;
  chunks: Pcm[];
  words: { text: string; heardAt: number }[];
  finished: boolean;
  paused: boolean;
  firstSentAt: Ms | undefined;
  lastSentAt: Ms | undefined;
}

/**
 * The bot's audio waiting to be sent, with the ledger of what was heard. Moves of a turn: begin -> (write, pause,
 * resume)* -> finish -> drained, or cut at any moment. Only the current turn, the one begun last, has audio.
 */
export class PlayoutQueue {
  #turn: Turn | undefined;
  #offset = 0;
  #paused = false;
  readonly #past: Heard[] = [];

  get current(): TurnId | undefined {
    return this.#turn?.id;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Is the bot speaking, or in a gap between two sentences of a turn that is not finished? */
  get playing(): boolean {
    const turn = this.#turn;
    if (turn === undefined || this.#paused) return false;
    return turn.written > turn.sent || (turn.sent > 0 && !turn.finished);
  }

  get queuedMs(): Ms {
    return this.#turn ? ((this.#turn.written - this.#turn.sent) * 1000) / SAMPLE_RATE : 0;
  }

  /** Finished by the writer and sent to the last sample. */
  get drained(): boolean {
    const turn = this.#turn;
    return turn?.finished === true && turn.sent >= turn.written;
  }

  /** False when `turn` is older than the current one. Beginning the current turn again changes nothing. */
  begin(turn: TurnId): boolean {
    const current = this.#turn?.id ?? this.#past.at(-1)?.turn ?? Number.NEGATIVE_INFINITY;
    if (turn === this.#turn?.id) return true;
    if (turn <= current) return false;
    if (this.#turn) this.cut(this.#turn.id);
    this.#turn = {
      id: turn,
      chunks: [],
      words: [],
      written: 0,
      sent: 0,
      finished: false,
      firstSentAt: undefined,
      lastSentAt: undefined,
      lastSoundAt: undefined,
    };
    this.#offset = 0;
    this.#paused = false;
    return true;
  }

  /** Goes on with a turn that another queue began. */
  restore({ paused, ...turn }: RestoredTurn): void {
    const written = turn.sent + turn.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#turn = { ...turn, written, lastSoundAt: turn.sent > 0 ? turn.lastSentAt : undefined };
    this.#offset = 0;
    this.#paused = paused;
  }

  /** What the ledger says of the current turn; undefined when there is none. */
  get account(): { id: TurnId; sent: number; firstSentAt: Ms | undefined; lastSentAt: Ms | undefined } | undefined {
    return this.#turn;
  }

  /** 'wait': taken, but ask the writer to hold back. 'full': refused, the writer has not held back at all. */
  write(turn: TurnId, chunk: SpokenChunk): 'room' | 'wait' | 'stale' | 'full' {
    const current = this.#turn;
    if (current === undefined || current.id !== turn || current.finished) return 'stale';
    if (this.queuedMs > HARD_LIMIT_MS) return 'full';
    const perMs = SAMPLE_RATE / 1000;
    for (const word of chunk.words) {
      const half = ((word.startMs + word.endMs) / 2) * perMs;
      // A word that claims to end behind its chunk must still be countable.
      current.words.push({ text: word.text, heardAt: current.written + Math.min(half, chunk.pcm.length) });
    }
    if (chunk.pcm.length > 0) {
      current.chunks.push(chunk.pcm);
      current.written += chunk.pcm.length;
    }
    return this.queuedMs > PLAYOUT_AHEAD_MS ? 'wait' : 'room';
  }

  /** No more will be written. False when the turn is not current. */
  finish(turn: TurnId): boolean {
    if (this.#turn?.id !== turn) return false;
    this.#turn.finished = true;
    return true;
  }

  pause(): void {
    if (this.#turn) this.#paused = true;
  }

  resume(turn: TurnId): void {
    if (this.#turn?.id === turn) this.#paused = false;
  }

  /** Drops the rest of `turn` if it is current; what was heard of it either way. */
  cut(turn: TurnId): Heard {
    if (this.#turn?.id !== turn) return this.heard(turn);
    const heard = this.heard(turn);
    this.#past.push(heard);
    if (this.#past.length > REMEMBERED_TURNS) this.#past.shift();
    this.#turn = undefined;
    this.#paused = false;
    return heard;
  }

  /**
   * Fills `out` with the next samples, zeros behind them. Returns how many belong to the turn: 0 means silence.
   * `sound` is set when this is the turn's first frame with sound.
   */
  pull(out: Pcm, now: Ms): { samples: number; sound: boolean } {
    pulled.samples = 0;
    pulled.sound = false;
    const turn = this.#turn;
    if (turn === undefined || this.#paused || turn.sent >= turn.written) {
      return pulled;
    }
    let filled = 0;
    while (filled < out.length) {
      const chunk = turn.chunks[0];
      if (chunk === undefined) break;
      const take = Math.min(out.length - filled, chunk.length - this.#offset);
      for (let i = 0; i < take; i++) out[filled + i] = chunk[this.#offset + i]!;
      filled += take;
      this.#offset += take;
      if (this.#offset >= chunk.length) {
        turn.chunks.shift();
        this.#offset = 0;
      }
    }
    if (filled < out.length) out.fill(0, filled);
    turn.sent += filled;
    turn.firstSentAt ??= now;
    turn.lastSentAt = now;
    pulled.samples = filled;
    if (hasSound(out, filled)) {
      pulled.sound = turn.lastSoundAt === undefined;
      turn.lastSoundAt = now;
    }
    return pulled;
  }

  /** The end of a sound that was paused is sent at `now`. It does not count as sent: it is said again. */
  faded(now: Ms): void {
    if (this.#turn) this.#turn.lastSoundAt = now;
  }

  /** Copies the next samples into `out`, up to `length`, without sending them. Returns how many there are. */
  peek(out: Pcm, length: number): number {
    const chunks = this.#turn?.chunks ?? [];
    let filled = 0;
    let offset = this.#offset;
    for (let i = 0; i < chunks.length && filled < length; i++) {
      const chunk = chunks[i]!;
      while (filled < length && offset < chunk.length) out[filled++] = chunk[offset++]!;
      offset = 0;
    }
    return filled;
  }

  /** What was sent of `turn` so far; nothing for a turn that is unknown or long gone. */
  heard(turn: TurnId): Heard {
    const current = this.#turn;
    if (current?.id !== turn) {
      return this.#past.find((past) => past.turn === turn) ?? { turn, text: '', playedMs: 0, complete: false };
    }
    let text = '';
    for (const word of current.words) {
      if (word.heardAt > current.sent) continue;
      text += text === '' ? word.text : ` ${word.text}`;
    }
    return {
      turn,
      text: current.sent === 0 ? '' : text,
      playedMs: (current.sent * 1000) / SAMPLE_RATE,
      complete: current.finished && current.sent >= current.written,
      firstSentAt: current.firstSentAt,
      lastSentAt: current.lastSentAt,
      lastSoundAt: current.lastSoundAt,
    };
  }
}

/** Reused: pull runs for every call fifty times a second. */
const pulled = { samples: 0, sound: false };

function hasSound(pcm: Pcm, length: number): boolean {
  for (let i = 0; i < length; i++) if (pcm[i]! > SOUND_PEAK || pcm[i]! < -SOUND_PEAK) return true;
  return false;
}
