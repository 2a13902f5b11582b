import type { HistoryItem } from '../models/language-model.ts';

/** Results that must be read out word for word, whatever the language model says of them; each once. */
export class Notices {
  readonly #read = new Set<string>();

  /** What came of the caller's last request, must be read out and was not yet; '' when there is nothing. */
  take(history: readonly HistoryItem[]): string {
    const caller = history.findLastIndex((item) => item.role === 'caller');
    const notices: string[] = [];
    for (const item of history.slice(caller + 1)) {
      if (item.role !== 'action' || !item.result.mustBeHeard || this.#read.has(item.id)) continue;
      this.#read.add(item.id);
      notices.push(item.result.say);
    }
    return notices.join(' ');
  }
}
