import type { HistoryItem, ReplyPart } from '../../src/dialogue/models/language-model.ts';
import type { Action, ActionResult } from '../../src/dialogue/questions/action-desk.ts';
import { ScriptedDialogue } from '../../src/dialogue/scripted/scripted-dialogue.ts';

const kind = { type: 'string', enum: ['credit', 'debit'] };

export const ACTIONS: readonly Action[] = [
  {
    name: 'verify_customer',
    description: 'who you are',
    parameters: { type: 'object', properties: { customer_number: { type: 'string', pattern: '^[0-9]{6}$' } } },
    examples: ['[please] verify me', 'my customer number is {customer_number}'],
  },
  {
    name: 'card_delivery_status',
    description: 'the delivery status of your card',
    parameters: { type: 'object', properties: { card_kind: kind } },
    examples: [
      'where is my [new] [{card_kind}] card',
      'when will my [new] card (come|arrive)',
      '(track|check) my [new] card',
    ],
  },
  {
    name: 'account_balance',
    description: 'the balance of your accounts',
    parameters: { type: 'object', properties: {} },
    examples: ['what is my [account] balance', 'how much money do i have', '[my] balance'],
  },
  {
    name: 'last_transactions',
    description: 'your last transactions',
    parameters: { type: 'object', properties: { count: { type: 'integer', minimum: 1, maximum: 10 } } },
    examples: ['(show|tell) me my last [{count}] transactions', 'my last [{count}] transactions'],
  },
  {
    name: 'block_card',
    description: 'blocking a lost card',
    parameters: { type: 'object', properties: { card_kind: kind } },
    examples: ['(block|cancel) my [{card_kind}] card', 'i [have] lost my [{card_kind}] card'],
  },
  {
    name: 'speak_to_agent',
    description: 'a person to speak to',
    parameters: {},
    examples: ['[i want to] (speak|talk) to (an agent|a person|somebody)', '[an] agent'],
  },
];

export const NO_AGENT = ACTIONS.filter(({ name }) => name !== 'speak_to_agent');

export const caller = (text: string): HistoryItem => ({ role: 'caller', text });
export const bot = (text: string, interrupted = false): HistoryItem => ({ role: 'assistant', text, interrupted });
export const note = (text: string): HistoryItem => ({ role: 'system', text });

export function done(
  name: string,
  say: string,
  more: Partial<ActionResult> & { args?: Record<string, unknown> } = {},
): HistoryItem {
  const { args = {}, ...result } = more;
  const id = `earlier-${say.length}-${name}`;
  return { role: 'action', id, name, arguments: args, result: { ok: true, code: 'posted', data: {}, say, ...result } };
}

export interface Reply {
  text: string;
  actions: { name: string; arguments: Record<string, unknown> }[];
  ends: boolean;
  parts: ReplyPart[];
}

/** The scripted dialogue's answer to a history. */
export async function answer(
  history: readonly HistoryItem[],
  actions = ACTIONS,
  engine = new ScriptedDialogue(),
): Promise<Reply> {
  const parts: ReplyPart[] = [];
  const request = { instructions: '', history, actions };
  for await (const part of engine.reply(request, new AbortController().signal)) parts.push(part);
  return {
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    actions: parts.flatMap((part) => (part.type === 'action' ? [{ name: part.name, arguments: part.arguments }] : [])),
    ends: parts.some((part) => part.type === 'end-call'),
    parts,
  };
}
