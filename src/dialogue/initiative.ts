import type { Ms } from '../core/clock.ts';
import type { Assistant } from './assistant.ts';
import type { Errands } from './questions/errands.ts';
import type { Matters } from './questions/matters.ts';
import type { Announcer } from './speaking/announcer.ts';
import type { Prompts } from './speaking/prompts.ts';
import { Idle, type IdleOptions } from './turn-taking/idle.ts';

export interface InitiativeOptions {
  assistant: Assistant;
  announcer: Announcer;
  errands: Errands;
  matters: Matters;
  prompts: Prompts;
  idle: IdleOptions;
  /** Takes up what the caller asked for before. */
  request(text: string): void;
}

/**
 * What the bot does by itself while nobody speaks, the first of these that there is: the request it still owes an
 * answer, an announcement, news of an action that went on while nobody waited for it, what the caller had put off;
 * then, after a silence, "are you still there", and in the end the farewell.
 */
export class Initiative {
  readonly #o: InitiativeOptions;
  readonly #idle: Idle;
  /** An action settled, or has a question, after its turn was interrupted. */
  #news = false;
  #farewell = false;

  constructor(options: InitiativeOptions) {
    this.#o = options;
    this.#idle = new Idle(options.idle);
  }

  /** The silence was too long, and the last words are the farewell. */
  get farewell(): boolean {
    return this.#farewell;
  }

  /** An action has come to something that nobody was told. */
  get news(): boolean {
    return this.#news;
  }

  hasNews(): void {
    this.#news = true;
  }

  /** What is said next tells the news. */
  told(): void {
    this.#news = false;
  }

  /** The caller speaks or keys. */
  callerActive(): void {
    this.#idle.callerActive();
  }

  /** The caller said something: nobody is gone. */
  callerSpoke(): void {
    this.#idle.callerActive();
    this.#farewell = false;
  }

  /** Somebody speaks, or is about to. */
  busy(): void {
    this.#idle.busy();
  }

  deadline(): Ms | undefined {
    return this.#idle.deadline();
  }

  /** To be called whenever time has passed while nobody speaks and nothing is being prepared. */
  take(now: Ms): void {
    const { announcer, assistant, errands, matters, request } = this.#o;
    const owed = announcer.takeOwed();
    if (owed !== '') {
      request(owed);
      return;
    }
    if (!this.#news && announcer.next()) return;
    if (errands.running) {
      this.#idle.busy();
      return;
    }
    const { open } = errands;
    if (this.#news) {
      // The action went on while nobody waited for it: put its question, or report its result.
      this.#news = false;
      if (open) assistant.ask(open.question, open.question.prompt);
      else assistant.think();
      return;
    }
    if (!open && matters.comeBack()) return;
    this.#idle.quiet(now);
    this.#breakSilence(now);
  }

  #breakSilence(now: Ms): void {
    const { assistant, errands, prompts } = this.#o;
    const step = this.#idle.due(now);
    if (step === 'still-there') {
      const prompt = prompts.stillThere[assistant.turns % prompts.stillThere.length]!;
      assistant.speak(errands.open ? [prompt, errands.open.question.reprompt] : [prompt]);
    } else if (step === 'farewell') {
      this.#farewell = true;
      assistant.speak([prompts.farewell], undefined, true);
    }
  }
}
