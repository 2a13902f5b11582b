import { cardinalWords } from '../../sentences/number-words.ts';
import type { Prompts } from '../speaking/prompts.ts';
import { type Action, AGENT_ACTION } from './action-desk.ts';

/** Nobody is understood the first time always; who is not the second time will hardly be the third. */
const MISSES_BEFORE_MENU = 2;
/** 0 is for a person, always. */
const MOST = 9;

/**
 * What can be had is had by keys, where it is so noisy that words are not understood: the last resort. The menu is open
 * from when it is said until something is understood, and words count beside it. Pure.
 */
export class KeyMenu {
  readonly #prompts: Pick<Prompts, 'menu' | 'menuChoice'>;
  readonly #byKey = new Map<string, Action>();
  #misses = 0;
  #noisy = false;

  /** `actions`: those with a name for the menu are in it, in their order; of more than nine, the first. */
  constructor(actions: readonly Action[], prompts: Pick<Prompts, 'menu' | 'menuChoice'>) {
    this.#prompts = prompts;
    const named = actions.filter(({ menu, name }) => menu !== undefined && name !== AGENT_ACTION);
    for (const [at, action] of named.slice(0, MOST).entries()) this.#byKey.set(String(at + 1), action);
    const person = actions.find(({ name }) => name === AGENT_ACTION);
    if (person?.menu !== undefined && this.#byKey.size > 0) this.#byKey.set('0', person);
  }

  /** Keys choose. */
  get open(): boolean {
    return this.#byKey.size > 0 && this.#noisy && this.#misses >= MISSES_BEFORE_MENU;
  }

  /** What there is, to be said; undefined while the menu is not open. */
  get sentences(): string[] | undefined {
    if (!this.open) return undefined;
    const { menu, menuChoice } = this.#prompts;
    const choices = [...this.#byKey].map(([key, { menu: what = '' }]) =>
      asSentence(menuChoice.replaceAll('{what}', what).replaceAll('{key}', cardinalWords(Number(key)))),
    );
    return [menu, ...choices];
  }

  /**
   * Nothing was understood of what was said; on a quiet line asking again helps more. Among other people it is not noisy
   * all the time (half of the utterances in a crowd of 15 dB): once is enough.
   */
  missed(noisy: boolean): void {
    this.#misses++;
    this.#noisy ||= noisy;
  }

  /** Something was: the menu closes. */
  understood(): void {
    this.#misses = 0;
    this.#noisy = false;
  }

  /** What the key stands for, when the menu is open; that closes it. */
  choose(key: string): Action | undefined {
    const chosen = this.open ? this.#byKey.get(key) : undefined;
    if (chosen !== undefined) this.understood();
    return chosen;
  }
}

function asSentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
