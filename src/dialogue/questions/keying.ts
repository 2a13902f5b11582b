import type { Ms } from '../../core/clock.ts';
import type { Assistant } from '../assistant.ts';
import type { Intake } from '../intake.ts';
import type { Announcer } from '../speaking/announcer.ts';
import type { Scribe } from '../speaking/voice.ts';
import type { Utterance } from '../turn-taking/listener.ts';
import { type ActionDesk, AGENT_ACTION } from './action-desk.ts';
import type { Answering } from './answering.ts';
import type { Errands } from './errands.ts';
import type { KeyMenu } from './key-menu.ts';
import { Keypad } from './keypad.ts';
import { holdsNumber } from './spoken-secrets.ts';

/** Who says a number while keying it is done with the last digit, or soon behind it. */
const BESIDE_MS: Ms = 1500;

export interface KeyingOptions {
  desk: ActionDesk;
  assistant: Assistant;
  errands: Errands;
  answering: Answering;
  announcer: Announcer;
  scribe: Scribe;
  intake: Intake;
  menu: KeyMenu;
}

/** What the caller's keys lead to: an answer to the open question, what the menu has, or a lone 0 for a person. */
export class Keying {
  readonly #o: KeyingOptions;
  readonly #keypad = new Keypad();
  /** When keys answered a question last, monotonic ms. */
  #answeredAt: Ms = Number.NEGATIVE_INFINITY;

  constructor(options: KeyingOptions) {
    this.#o = options;
  }

  /** No entry is being keyed. */
  get idle(): boolean {
    return this.#keypad.empty;
  }

  /**
   * "My number is", said before or while it was keyed, asks and answers nothing. What goes on long behind the last key is
   * something else, which a room among whose voices the keys were pressed began; unless there is a number in it, which may be
   * what was keyed, said aloud.
   */
  accompaniedBy({ startedAt, endedAt, text }: Pick<Utterance, 'startedAt' | 'endedAt' | 'text'>): boolean {
    return startedAt < this.#answeredAt && (endedAt < this.#answeredAt + BESIDE_MS || holdsNumber(text));
  }

  /** What has been keyed so far counts for nothing. */
  drop(): void {
    this.#keypad.take();
  }

  /** When an entry ends for lack of keys, monotonic ms. */
  deadline(): Ms | undefined {
    return this.#keypad.deadline();
  }

  due(now: Ms): void {
    const deadline = this.#keypad.deadline();
    if (deadline !== undefined && now >= deadline) this.#entered(this.#keypad.take(), now);
  }

  press(key: string, at: Ms): void {
    const { assistant, errands, menu, scribe } = this.#o;
    const { open } = errands;
    scribe.event('dtmf', { digit: open?.question.secret ? 'hidden' : key });
    if (!assistant.turn?.mustBeHeard) assistant.interrupt(at);
    const expects = open?.question.expects;
    // Outside a question and a menu a key is one of perhaps several: only a lone 0 means something, and only time tells.
    const one = open || menu.open ? 1 : undefined;
    const length = expects?.kind === 'digits' ? expects.length - open!.digits.length : one;
    const entry = this.#keypad.press(key, at, length);
    if (entry !== undefined) this.#entered(entry, at);
  }

  #entered(entry: string, at: Ms): void {
    const { announcer, answering, errands } = this.#o;
    if (entry === '') return;
    if (announcer.protecting) {
      announcer.hold(() => this.#entered(entry, at));
    } else if (errands.open) {
      this.#answeredAt = at;
      answering.answered(errands.open, entry, 'dtmf');
    } else {
      this.#chosen(entry);
    }
  }

  #chosen(entry: string): void {
    const { assistant, desk, intake, menu } = this.#o;
    const offered = menu.sentences;
    const person = entry === '0' ? desk.actions.find(({ name }) => name === AGENT_ACTION) : undefined;
    const action = menu.choose(entry) ?? person;
    if (action === undefined) {
      if (offered !== undefined) assistant.speak(offered);
      return;
    }
    intake.note(`[key ${entry}]`, 'dtmf', undefined);
    assistant.act({ id: crypto.randomUUID(), name: action.name, arguments: {} });
  }
}
