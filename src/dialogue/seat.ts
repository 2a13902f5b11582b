import type { Ms } from '../core/clock.ts';
import type { Assistant } from './assistant.ts';
import type { Hearing } from './hearing.ts';
import type { Initiative } from './initiative.ts';
import type { LeaveTaking } from './leave-taking.ts';
import type { HistoryItem } from './models/language-model.ts';
import type { Errands } from './questions/errands.ts';
import type { Keying } from './questions/keying.ts';
import type { Matters } from './questions/matters.ts';
import { sentencesOf } from './speaking/sentence-splitter.ts';

/** Lines of what was said in the bot's absence that its history keeps; then the oldest goes. The transcript keeps all. */
const MOST_LINES = 40;

/** Notes in the history, for the language model. */
export const LEFT_SEAT =
  'From here on a person speaks with the caller in your place. What follows was said between them, not to you.';
export const BACK_IN_SEAT = 'You speak with the caller again.';

export interface SeatOptions {
  assistant: Assistant;
  errands: Errands;
  hearing: Hearing;
  initiative: Initiative;
  keying: Keying;
  leaveTaking: LeaveTaking;
  matters: Matters;
  history: HistoryItem[];
  now(): Ms;
}

/**
 * The bot's seat beside the caller. Moves: taken -> left (a person speaks in its place) -> taken. What is said
 * meanwhile it knows when it is back.
 */
export class Seat {
  readonly #o: SeatOptions;
  #left = false;
  #lines: HistoryItem[] = [];

  constructor(options: SeatOptions) {
    this.#o = options;
  }

  get left(): boolean {
    return this.#left;
  }

  /**
   * The bot falls silent at once, in the middle of a word, and nothing of it is said later. What it was asking, a PIN
   * perhaps, is asked no more; what is under way at the bank goes on. False when the seat is left already.
   */
  leave(): boolean {
    if (this.#left) return false;
    const { assistant, errands, hearing, history, keying, leaveTaking, matters } = this.#o;
    hearing.forget();
    leaveTaking.goOn();
    this.#silence();
    assistant.forget();
    matters.leaveAll(errands.open);
    assistant.listenFor(undefined);
    keying.drop();
    this.#left = true;
    history.push({ role: 'system', text: LEFT_SEAT });
    return true;
  }

  /** The bot speaks with the caller again. False when it did anyway. */
  take(): boolean {
    if (!this.#left) return false;
    this.#left = false;
    this.#lines = [];
    this.#o.history.push({ role: 'system', text: BACK_IN_SEAT });
    this.#o.initiative.callerSpoke();
    return true;
  }

  /** Said from beside the seat, to a caller who waits for a person. It cuts what is being said so. */
  tell(words: string): boolean {
    if (!this.#left) return false;
    this.#silence();
    this.#o.assistant.speak(sentencesOf(words));
    return true;
  }

  /** What `tell` is saying is cut: somebody else speaks now. */
  hush(): void {
    if (this.#left) this.#silence();
  }

  /** Said while the seat is left; `who` as the language model is to read it. */
  overhear(who: string, text: string): void {
    if (!this.#left) return;
    const { history } = this.#o;
    const line: HistoryItem = { role: 'system', text: `${who}: ${text}` };
    this.#lines.push(line);
    history.push(line);
    const oldest = this.#lines.length > MOST_LINES ? this.#lines.shift() : undefined;
    if (oldest) history.splice(history.indexOf(oldest), 1);
  }

  #silence(): void {
    this.#o.assistant.interrupt(this.#o.now(), undefined, 'system');
  }
}
