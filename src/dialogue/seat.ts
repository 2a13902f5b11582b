import type { HistoryItem } from './language-model.ts';

/** Lines of what was said in the bot's absence that its history keeps; then the oldest goes. The transcript keeps all. */
const MOST_LINES = 40;

/** Notes in the history, for the language model. */
export const LEFT_SEAT =
  'From here on a person speaks with the caller in your place. What follows was said between them, not to you.';
export const BACK_IN_SEAT = 'You speak with the caller again.';

/**
 * The bot's seat beside the caller. Moves: taken -> left (a person speaks in its place) -> taken. What is said
 * meanwhile it knows when it is back.
 */
export class Seat {
  readonly #history: HistoryItem[];
  #left = false;
  #lines: HistoryItem[] = [];

  constructor(history: HistoryItem[]) {
    this.#history = history;
  }

  get left(): boolean {
    return this.#left;
  }

  leave(): void {
    this.#left = true;
    this.#history.push({ role: 'system', text: LEFT_SEAT });
  }

  take(): void {
    this.#left = false;
    this.#lines = [];
    this.#history.push({ role: 'system', text: BACK_IN_SEAT });
  }

  /** Said while the seat was left; `who` as the language model is to read it. */
  overhear(who: string, text: string): void {
    const line: HistoryItem = { role: 'system', text: `${who}: ${text}` };
    this.#lines.push(line);
    this.#history.push(line);
    const oldest = this.#lines.length > MOST_LINES ? this.#lines.shift() : undefined;
    if (oldest) this.#history.splice(this.#history.indexOf(oldest), 1);
  }
}
