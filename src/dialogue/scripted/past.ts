import { wordsOf } from '../../sentences/words.ts';
import type { HistoryItem } from '../models/language-model.ts';
import type { Action } from '../questions/action-desk.ts';
import { MISHEARD } from '../questions/meaning.ts';
import type { RequestReader } from '../requests/request-reader.ts';

/** What the history tells. Everything the scripted dialogue knows is read from it anew each time. */

export type DoneAction = Extract<HistoryItem, { role: 'action' }>;

/** Share of a result's telling words that must have been heard, in whatever phrasing, for it to be told. */
const TOLD_SHARE = 0.35;
/** An interrupted report of a change of which so many words were heard has told enough. */
const ENOUGH_HEARD_WORDS = 8;
/** What is left, or was never asked for, needs no telling. */
const WANTED_BY_NOBODY: ReadonlySet<string> = new Set(['cancelled', MISHEARD]);
/** Older results are stale news. */
const MAX_UNTOLD = 3;

export function lastIndexOf(
  history: readonly HistoryItem[],
  role: HistoryItem['role'],
  before = history.length,
): number {
  return history.slice(0, before).findLastIndex((item) => item.role === role);
}

/** The last thing we said of which anything was heard. */
export function lastSaid(history: readonly HistoryItem[]): { text: string; interrupted: boolean } | undefined {
  const found = history.findLast((item) => item.role === 'assistant' && item.text.trim() !== '');
  return found?.role === 'assistant' ? found : undefined;
}

/** Results since the caller last spoke. */
export function resultsSinceCaller(history: readonly HistoryItem[]): DoneAction[] {
  return history.slice(lastIndexOf(history, 'caller') + 1).filter((item) => item.role === 'action');
}

/** Did any of what we said from `from` on tell what `say` tells? */
export function wasTold(history: readonly HistoryItem[], from: number, say: string): boolean {
  const telling = tellingWords(say);
  if (telling.size === 0) return true;
  return history.slice(from).some((item) => {
    if (item.role !== 'assistant') return false;
    const heard = tellingWords(item.text);
    return [...telling].filter((word) => heard.has(word)).length >= TOLD_SHARE * telling.size;
  });
}

/**
 * Results from before the caller's last words that the caller has not heard of, because they were interrupted or came
 * in while nobody waited for them. A result counts as told when what followed it tells it, or was said in full, or was
 * mostly heard. What the caller cancelled needs no telling, and whoever interrupts a piece of information has heard as
 * much of it as they want.
 */
export function untoldResults(history: readonly HistoryItem[], actions: readonly Action[]): DoneAction[] {
  const untold: DoneAction[] = [];
  const now = lastIndexOf(history, 'caller');
  for (let at = 0; at < now; at++) {
    const item = history[at]!;
    if (item.role !== 'action' || WANTED_BY_NOBODY.has(item.result.code)) continue;
    const changed = actions.some(({ name, effect }) => name === item.name && effect === 'change');
    if (!answered(history, at, changed ? ENOUGH_HEARD_WORDS : 1) && !wasTold(history, at + 1, item.result.say))
      untold.push(item);
  }
  return untold.slice(-MAX_UNTOLD);
}

/** How often in a row, before now, the caller was not understood. A result, or anything understood, ends the row. */
export function missesBefore(history: readonly HistoryItem[], reader: RequestReader): number {
  let misses = 0;
  for (let at = lastIndexOf(history, 'caller') - 1; at >= 0; at--) {
    const item = history[at]!;
    if (item.role === 'action') {
      if (item.result.code !== MISHEARD) break;
      misses++;
      // behind the words that were misheard
      at = lastIndexOf(history, 'caller', at);
    }
    if (item.role !== 'caller') continue;
    const { kind } = reader.read(item.text);
    if (kind !== 'unclear' && kind !== 'maybe') break;
    misses++;
  }
  return misses;
}

/** Was something said after the result, before the caller spoke again, that can be taken as its report? */
function answered(history: readonly HistoryItem[], at: number, enough: number): boolean {
  for (const item of history.slice(at + 1)) {
    // A later result may be what was talked about.
    if (item.role === 'caller' || item.role === 'action') return false;
    if (item.role !== 'assistant' || item.announcement) continue;
    const words = wordsOf(item.text).length;
    if (words > 0 && (!item.interrupted || words >= enough)) return true;
  }
  return false;
}

function tellingWords(text: string): Set<string> {
  return new Set(wordsOf(text).filter((word) => word.length > 3));
}
