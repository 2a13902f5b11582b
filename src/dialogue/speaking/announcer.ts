import type { Assistant } from '../assistant.ts';
import type { HistoryItem } from '../models/language-model.ts';
import type { Errands } from '../questions/errands.ts';
import type { Turn } from '../turn.ts';
import { type Announcement, Announcements } from './announcements.ts';
import type { Scribe } from './voice.ts';

export interface AnnouncerOptions {
  assistant: Assistant;
  errands: Errands;
  history: HistoryItem[];
  scribe: Scribe;
  /** A result was not told: it is to be reported later. */
  onUntold(): void;
}

/** What a caller says during a protected announcement or notice is taken up after it; beyond this the oldest goes. */
const HELD_LIMIT = 8;

/**
 * Says announcements at their moment, and sees to it that the dialogue loses nothing by them: a request whose answer
 * was not heard yet is answered afterwards, an open question is put again, what the caller said during a protected
 * announcement is taken up when it is over.
 */
export class Announcer {
  readonly #o: AnnouncerOptions;
  readonly #waiting = new Announcements();
  /** The caller's request that was being answered. */
  #owed = '';
  /** A turn of the dialogue was cut, so the open question may not have been heard. */
  #cutDialogue = false;
  #held: (() => void)[] = [];

  constructor(options: AnnouncerOptions) {
    this.#o = options;
  }

  /** False when too many wait already. */
  offer(announcement: Announcement): boolean {
    if (!this.#waiting.offer(announcement)) return false;
    const { id: utteranceId, priority, mode, interruptible } = announcement;
    this.#o.scribe.event('say-requested', { utteranceId, priority, mode, interruptible });
    return true;
  }

  /**
   * To be called while the caller does not speak. Begins an announcement that replaces what is being said, or may
   * replace it. A read-back is never cut: a confirmation must not follow half of it.
   */
  replace(): void {
    const { turn } = this.#o.assistant;
    if (turn?.mustBeHeard && !turn.announcement) return;
    // One of which nothing was heard yet is cut for a higher one only, or two equals would cut each other for ever.
    const over = turn?.announcement ? turn.announcement.priority + (turn.audible ? 0 : 1) : 0;
    const next = this.#waiting.replacing(over);
    if (next) this.#begin(next, turn);
  }

  /** To be called while nobody speaks and nothing is being prepared. False when nothing waits. */
  next(): boolean {
    const next = this.#waiting.next();
    if (next) this.#begin(next, undefined);
    return next !== undefined;
  }

  /** The request that still wants an answer, taken back; '' when there is none. */
  takeOwed(): string {
    const owed = this.#owed;
    this.#owed = '';
    return owed;
  }

  /** Is something being said that the caller's voice must not cut, and that is no question to be answered? */
  get protecting(): boolean {
    const { turn } = this.#o.assistant;
    return turn?.mustBeHeard === true && (turn.announcement !== undefined || !this.#o.errands.open);
  }

  /** Keeps `work`, something the caller said or keyed, until the protected announcement is over. */
  hold(work: () => void): void {
    this.#held.push(work);
    if (this.#held.length > HELD_LIMIT) this.#held.shift();
  }

  /** A turn was cut. An announcement of which nothing was heard is said later. */
  onCut(turn: Turn): void {
    if (turn.announcement && !turn.audible) this.#waiting.giveBack(turn.announcement);
  }

  /** A turn was said to its end. `reported`: no action has news that will be told anyway. */
  onTurnOver(turn: Turn, reported: boolean): void {
    for (const work of this.#held.splice(0)) work();
    if (!turn.announcement) return;
    const { assistant, errands } = this.#o;
    const inFull = this.#cutDialogue;
    this.#cutDialogue = false;
    const question = errands.open?.question;
    if (question && reported && !assistant.turn) assistant.ask(question, inFull ? question.prompt : question.reprompt);
  }

  /** The call is over: tells of what will not be said any more. */
  close(): void {
    for (const { id } of this.#waiting.drain()) this.#o.scribe.event('say-unspoken', { utteranceId: id });
  }

  #begin(announcement: Announcement, cut: Turn | undefined): void {
    if (cut && !cut.announcement) {
      this.#cutDialogue = true;
      this.#oweAnswer(cut);
    }
    this.#o.assistant.announce(announcement);
  }

  /** The caller waits for an answer of which they have heard nothing: takes their request back from the history. */
  #oweAnswer(cut: Turn): void {
    const { errands, history } = this.#o;
    const last = history.at(-1);
    // An action under way reports by itself, and must not be asked for twice.
    if (cut.audible || errands.running) return;
    if (last?.role === 'action') this.#o.onUntold();
    if (last?.role !== 'caller') return;
    history.pop();
    this.#owed = [this.#owed, last.text].filter(Boolean).join(' ');
  }
}
