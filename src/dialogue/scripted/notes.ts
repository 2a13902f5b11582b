import {
  BACK_TO_IT,
  type HistoryItem,
  MORE_TO_COME,
  SAID_IN_PASSING,
  SAID_UNCLEARLY,
} from '../models/language-model.ts';
import { lastIndexOf } from './past.ts';

/** What the conversation notes in the history, for any language model, around the caller's last words. */

/** Is something taken up after this answer that was put off when the caller spoke last? */
export function hasMoreToCome(history: readonly HistoryItem[]): boolean {
  const caller = lastIndexOf(history, 'caller');
  const isNote = (item: HistoryItem | undefined, text: string) => item?.role === 'system' && item.text === text;
  return isNote(history[caller - 1], MORE_TO_COME) && !history.slice(caller).some((item) => isNote(item, BACK_TO_IT));
}

/** A word or two over the bot: perhaps misheard. */
export function saidInPassing(history: readonly HistoryItem[]): boolean {
  return notesOnCaller(history).includes(SAID_IN_PASSING);
}

/** The recogniser hardly believed it. */
export function saidUnclearly(history: readonly HistoryItem[]): boolean {
  return notesOnCaller(history).includes(SAID_UNCLEARLY);
}

/** What stands in the history of how the caller's last words were said. */
function notesOnCaller(history: readonly HistoryItem[]): string[] {
  const caller = lastIndexOf(history, 'caller');
  const before = history.slice(0, Math.max(0, caller));
  const notes = before.slice(before.findLastIndex(({ role }) => role !== 'system') + 1);
  return notes.map((item) => ('text' in item ? item.text : ''));
}
