import { yesNo } from '../sentences/yes-no.ts';
import { UNINTELLIGIBLE } from './caller-line.ts';

/** The caller is told that the call is recorded, and may not want that. */
export interface RecordingConsent {
  /** Said before the greeting. */
  announcement: string;
  /** Said to who does not want it. */
  declined: string;
  /** Pressed by who does not want it. */
  declineKey: string;
  /** Called once: the caller has refused, or has gone on without refusing. */
  onSettled(recorded: boolean): void;
}

const REFUSAL = /\b(?:do not|don't|not|stop|no)\b.*\b(?:record|recorded|recording)\b/i;

/** Listens for the refusal until the caller has said or keyed something. */
export class ConsentWatch {
  readonly #consent: RecordingConsent | undefined;
  #open = false;

  constructor(consent: RecordingConsent | undefined) {
    this.#consent = consent;
  }

  /** What is to be said before the greeting. Nobody consents who was not told. */
  announce(): string[] {
    if (this.#consent === undefined) return [];
    this.#open = true;
    return [this.#consent.announcement];
  }

  get open(): boolean {
    return this.#open;
  }

  /** What to say to a caller who has just refused; undefined: this was none. What nobody understood settles nothing. */
  heard(text: string): string | undefined {
    if (!this.#open || text === '' || text === UNINTELLIGIBLE) return undefined;
    return this.#settle(yesNo(text) === 'no' || REFUSAL.test(text));
  }

  pressed(key: string): string | undefined {
    return this.#open ? this.#settle(key === this.#consent?.declineKey) : undefined;
  }

  #settle(refused: boolean): string | undefined {
    this.#open = false;
    this.#consent?.onSettled(!refused);
    return refused ? this.#consent?.declined : undefined;
  }
}
