import { fileURLToPath } from 'node:url';
import { loadActions } from '../../../src/banking/load-actions.ts';
import { actionsOf } from '../../../src/banking/view.ts';
import { BANK_PROFILE } from '../../../src/call/bot/bot-profile.ts';
import type { Action } from '../../../src/dialogue/questions/action-desk.ts';
import { isMeant, WORDS } from '../../../src/dialogue/questions/meaning.ts';
import { RequestReader } from '../../../src/dialogue/requests/request-reader.ts';
import { digitsIn } from '../../../src/sentences/understand.ts';
import type { CallRecord } from '../score/record.ts';

/** What the bot has asked last: for what identifies the caller, whether they said these words, or for a key of its menu. */
export type Asked =
  /** `byKeys`: the keypad was recommended. */
  | { readonly kind: 'pin' | 'number'; readonly byKeys: boolean }
  /** `byKeys`: keys were offered for the answer. */
  | { readonly kind: 'meaning'; readonly words: string; readonly byKeys: boolean }
  | { readonly kind: 'menu'; readonly text: string };

const ACTIONS = fileURLToPath(new URL('../../../src/banking/actions/demo-bank.yaml', import.meta.url));
const [BEFORE, BEHIND] = BANK_PROFILE.prompts.didYouSay.split(WORDS) as [string, string];
let loaded: { actions: readonly Action[]; reader: RequestReader } | undefined;

function bank() {
  if (loaded === undefined) {
    const actions = actionsOf(loadActions(ACTIONS));
    loaded = { actions, reader: new RequestReader(actions) };
  }
  return loaded;
}

export function whatIsAsked(record: CallRecord | undefined): Asked | undefined {
  const last = record?.utterances.findLast((row) => row.speaker === 'assistant')?.text ?? '';
  const advised = last.includes(BANK_PROFILE.prompts.numberByKeys);
  if (/six digit/i.test(last)) return { kind: 'number', byKeys: advised };
  if (/four digit/i.test(last)) return { kind: 'pin', byKeys: advised };
  if (last.includes(BANK_PROFILE.prompts.menu)) return { kind: 'menu', text: last };
  const from = last.indexOf(BEFORE);
  const to = last.indexOf(BEHIND, from + BEFORE.length);
  if (from < 0 || to < 0) return undefined;
  const byKeys = last.includes(BANK_PROFILE.prompts.yesNoByKeys);
  return { kind: 'meaning', words: last.slice(from + BEFORE.length, to), byKeys };
}

/** The key that the bot's menu names for what `own` asks for, when it is in it. */
export function keyFor(own: string, menu: string): string | undefined {
  const { actions, reader } = bank();
  const reading = reader.read(own);
  if (reading.kind !== 'requests' || reading.requests.length !== 1) return undefined;
  const { name } = reading.requests[0]!;
  const what = actions.find((action) => action.name === name)?.menu;
  const named = what === undefined ? null : new RegExp(`\\b${what}, press (\\w+)`, 'i').exec(menu);
  return named === null ? undefined : digitsIn(named[1]!);
}

/** Would a caller who has said `own` say yes to `words`: the same is asked for, and nothing else about it. */
export function sameMeaning(own: string, words: string): boolean {
  const { reader } = bank();
  const [mine, theirs] = [own, words].map((text) => reader.read(text));
  if (mine?.kind !== 'requests' || theirs?.kind !== 'requests') return own === words;
  if (mine.requests.length !== 1 || theirs.requests.length !== 1) return false;
  const [a, b] = [mine.requests[0]!, theirs.requests[0]!];
  const both = Object.keys(a.arguments).filter((name) => name in b.arguments);
  const common = (args: Record<string, unknown>) => Object.fromEntries(both.map((name) => [name, args[name]]));
  return isMeant({ ...a, arguments: common(a.arguments) }, { ...b, arguments: common(b.arguments) });
}
