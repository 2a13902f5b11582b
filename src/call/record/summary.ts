import type { HistoryItem } from '../../dialogue/models/language-model.ts';
import type { Action } from '../../dialogue/questions/action-desk.ts';

/** One line for the list of calls: what was asked for and how it went. Holds no secret and no amounts. */
export function summarise(history: readonly HistoryItem[], actions: readonly Action[], verified: boolean): string {
  const asked = history.filter((item) => item.role === 'action');
  if (asked.length === 0) {
    const spoke = history.some((item) => item.role === 'caller');
    return spoke ? 'The caller spoke, but nothing was carried out.' : 'The caller said nothing.';
  }
  const parts = asked.map((item) => {
    const label = item.name.replaceAll('_', ' ');
    const known = actions.some((action) => action.name === item.name);
    return `${label}: ${item.result.ok ? 'done' : item.result.code.replaceAll('-', ' ')}${known ? '' : ' (unknown action)'}`;
  });
  const [first = '', ...rest] = parts;
  const done = [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join('; ');
  return `${verified ? 'Verified customer. ' : ''}${done}.`;
}
