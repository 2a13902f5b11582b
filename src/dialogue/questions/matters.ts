import type { Scope } from '../../core/scope.ts';
import type { Assistant } from '../assistant.ts';
import { BACK_TO_IT, type HistoryItem } from '../models/language-model.ts';
import { Agenda, type AgendaItem } from './agenda.ts';
import type { Errands, OpenQuestion } from './errands.ts';

export interface MattersOptions {
  assistant: Assistant;
  errands: Errands;
  history: HistoryItem[];
  scope: Scope;
  /** Takes up what the caller asked for while they answered something else. */
  request(text: string): void;
}

/** What the caller has going: questions left for good, questions and requests put off until something else is done. */
export class Matters {
  readonly #o: MattersOptions;
  readonly #agenda = new Agenda();

  constructor(options: MattersOptions) {
    this.#o = options;
  }

  /** Nothing was put off. */
  get none(): boolean {
    return this.#agenda.empty;
  }

  /** The question is put again when the caller has been served with something else. */
  putOff(open: OpenQuestion): void {
    this.#o.errands.putOff(open);
    this.#o.assistant.listenFor(undefined);
    this.#add({ kind: 'question', open });
  }

  /** What was said besides an answer is served after it. */
  postpone(text: string): void {
    this.#add({ kind: 'request', text });
  }

  /** Comes back to what was put off. False when there is nothing. */
  comeBack(): boolean {
    const item = this.#agenda.next();
    if (!item) return false;
    const { assistant, errands, history } = this.#o;
    if (item.kind === 'question' && this.none) history.push({ role: 'system', text: BACK_TO_IT });
    if (item.kind === 'request') this.#o.request(item.text);
    else assistant.proceed(errands.resume(item.open), item.open);
    return true;
  }

  /** The caller wants nothing of all that any more, or cannot be understood. */
  leaveAll(open: OpenQuestion | undefined): void {
    if (open) this.leave(open);
    for (let item = this.#agenda.next(); item; item = this.#agenda.next()) {
      if (item.kind === 'question') this.#withdraw(item.open);
    }
  }

  /** The question stays unanswered, and the action undone. */
  leave(open: OpenQuestion): void {
    this.#o.assistant.listenFor(undefined);
    this.#withdraw(open);
  }

  #add(item: AgendaItem): void {
    const gone = this.#agenda.putOff(item);
    if (gone?.kind === 'question') this.#withdraw(gone.open);
  }

  #withdraw(open: OpenQuestion): void {
    void this.#o.scope.run('withdraw', () => this.#o.errands.withdraw(open));
  }
}
