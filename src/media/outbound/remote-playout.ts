import type { TurnId } from '../../core/ids.ts';
import type { Heard, Playout, SpokenChunk } from '../ports.ts';
import type { Continuity } from '../workers/continuity.ts';
import { GONE, type SessionLine } from '../workers/session-line.ts';
import { KeptTurn } from './kept-turn.ts';

/** The playout of a session as the control plane holds it. Keeps what is not said yet, for another worker to say. */
export class RemotePlayout implements Playout {
  readonly #line: SessionLine;
  readonly #continuity: Continuity;
  #kept: KeptTurn | undefined;

  constructor(line: SessionLine, continuity: Continuity) {
    this.#line = line;
    this.#continuity = continuity;
  }

  begin(turn: TurnId): void {
    if (this.#kept === undefined || turn > this.#kept.id) this.#kept = new KeptTurn(turn);
    this.#line.tell({ type: 'begin', turn });
  }

  async write(turn: TurnId, chunk: SpokenChunk): Promise<boolean> {
    // A view of a larger buffer is copied, so that only what belongs to the chunk is kept and sent.
    const whole = chunk.pcm.byteLength === chunk.pcm.buffer.byteLength && chunk.pcm.buffer instanceof ArrayBuffer;
    const pcm = whole ? chunk.pcm : chunk.pcm.slice();
    const kept = this.#kept;
    const current = kept?.id === turn && !kept.finished;
    if (current) kept.add({ pcm, words: chunk.words }, this.#continuity);
    const answer = await this.#line.ask({ type: 'write', turn, chunk: { pcm, words: chunk.words } });
    if (answer !== GONE) return answer === true;
    // Its worker is gone: the next one is given what is kept, this chunk with it.
    await this.#line.settled;
    return this.#line.state === 'up' && current && this.#kept === kept;
  }

  async finish(turn: TurnId): Promise<Heard> {
    const kept = this.#kept;
    if (kept?.id === turn) kept.finished = true;
    const answer = (await this.#line.askUntilAnswered({ type: 'finish', turn })) as Heard | undefined;
    if (kept?.id !== turn) return answer ?? nothingOf(turn);
    if (this.#kept === kept) this.#kept = undefined;
    return answer ?? kept.heard(this.#continuity);
  }

  resume(turn: TurnId): void {
    if (this.#kept?.id === turn) this.#kept.paused = false;
    this.#line.tell({ type: 'resume', turn });
  }

  async cut(turn: TurnId): Promise<Heard> {
    const kept = this.#kept?.id === turn ? this.#kept : undefined;
    if (kept) this.#kept = undefined;
    const answer = await this.#line.ask({ type: 'cut', turn });
    if (answer !== GONE && answer !== undefined) return answer as Heard;
    return kept?.heard(this.#continuity) ?? nothingOf(turn);
  }

  /** The worker has fallen silent for the caller; what now is the control plane's decision. */
  paused(turn: TurnId): void {
    if (this.#kept?.id === turn) this.#kept.paused = true;
  }

  /** Tells the worker that now carries the session what was being said. */
  restore(): void {
    if (this.#kept) this.#line.tell({ type: 'restore', turn: this.#kept.restored(this.#continuity) });
  }
}

function nothingOf(turn: TurnId): Heard {
  return { turn, text: '', playedMs: 0, complete: false };
}
