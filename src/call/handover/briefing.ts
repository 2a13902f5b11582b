import type { HistoryItem } from '../../dialogue/models/language-model.ts';
import type { HandoverPrompts } from './handover-plan.ts';

/** What is known of a caller at the moment of handing over. Holds no secret: neither has the history. */
export interface CallerFacts {
  sessionId: string;
  /** '' when it is not known. */
  phone: string;
  customerId: string | undefined;
  verified: boolean;
  history: readonly HistoryItem[];
}

/** The person of the bank who learns it may see all that the caller was told; the network in between may not. */
export interface Summary {
  /** Actions that were asked for, in their order, and how they went. */
  asked: { action: string; ok: boolean; code: string }[];
  /** What the caller wants to speak about, as the bot understood it. */
  topic: string | undefined;
  /** The caller's last words to the bot. */
  lastWords: string | undefined;
}

const LONGEST_WORDS = 200;
/** Actions that are told by voice: the last ones, since the first are long done. */
const SPOKEN_ACTIONS = 4;
const WRITTEN_ACTIONS = 12;
const LONGEST_BRIEFING = 700;

export function summaryOf({ history }: CallerFacts, agentAction: string): Summary {
  const actions = history.flatMap((item) => (item.role === 'action' ? [item] : []));
  const wish = history.findLast((item) => item.role === 'caller')?.text;
  return {
    asked: actions
      .filter(({ name }) => name !== agentAction)
      .map(({ name, result }) => ({ action: name, ok: result.ok, code: result.code })),
    topic: undefined,
    lastWords: wish?.slice(0, LONGEST_WORDS),
  };
}

/** What the person hears before they take the call. Pure. */
export function spokenBriefing(
  facts: CallerFacts,
  summary: Summary,
  prompts: HandoverPrompts,
  keys: { acceptKey: string; declineKey: string } | undefined,
): string {
  const from =
    facts.phone === '' ? 'with a hidden number' : `with the number ending in ${digits(facts.phone.slice(-4))}`;
  const { asked, topic } = wishes(summary, SPOKEN_ACTIONS);
  const hint =
    keys &&
    prompts.acceptHint.replace('{accept}', keyName(keys.acceptKey)).replace('{decline}', keyName(keys.declineKey));
  return [prompts.briefing, `${standing(facts)} ${from}.`, asked, topic, hint ?? '']
    .filter((part) => part !== '')
    .join(' ');
}

/**
 * What the person reads while their phone in the browser rings, as headers of its INVITE: the call, and words (as
 * encodeURIComponent makes them). Nothing that the page's user may not read in the call itself.
 */
export function writtenBriefing(facts: CallerFacts, summary: Summary): Record<string, string> {
  const who = `${standing(facts)}${facts.phone && `, ${facts.phone}`}.`;
  const { asked, topic } = wishes(summary, WRITTEN_ACTIONS);
  const last = summary.lastWords === undefined ? '' : `Their last words: “${summary.lastWords}”`;
  const text = [who, asked, topic, last].filter((part) => part !== '').join('\n');
  return {
    'X-Call-Session': facts.sessionId,
    'X-Call-Briefing': encodeURIComponent(text.slice(0, LONGEST_BRIEFING).toWellFormed()),
  };
}

function standing({ verified }: CallerFacts): string {
  return verified ? 'A verified customer' : 'A caller who is not verified';
}

function wishes(summary: Summary, actions: number): { asked: string; topic: string } {
  const told = summary.asked.slice(-actions).map(({ action, ok, code }) => {
    return `${words(action)}: ${ok ? 'done' : words(code)}`;
  });
  return {
    asked: told.length === 0 ? 'Nothing has been done yet.' : `So far: ${told.join('; ')}.`,
    topic: summary.topic === undefined ? '' : `They want to speak about ${summary.topic.replace(/[.!?]+$/, '')}.`,
  };
}

/** The value of a header of at most 256 printable characters: for screens, not for machines. */
export function summaryHeader(facts: CallerFacts, summary: Summary): string {
  const done = summary.asked.map(({ action, ok, code }) => `${action}=${ok ? 'done' : code}`).join(' ');
  const text = `call=${facts.sessionId}; verified=${facts.verified ? 'yes' : 'no'}; asked=${done || 'nothing'}`;
  return text.replace(/[^ -~]/g, '?').slice(0, 256);
}

/** User-to-User (RFC 7433): hexadecimal, short enough for an ISDN leg behind it (RFC 3986 has no say in hex). */
export function userToUser(facts: CallerFacts): string {
  return `${Buffer.from(facts.sessionId, 'utf8').toString('hex')};encoding=hex`;
}

/** As people count the places of a line. */
export function ordinal(position: number): string {
  const names = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
  return names[position - 1] ?? `number ${position}`;
}

function digits(text: string): string {
  return [...text.replace(/\D/g, '')].join(' ');
}

function words(name: string): string {
  return name.replaceAll(/[_-]/g, ' ');
}

function keyName(key: string): string {
  return key === '*' ? 'star' : key === '#' ? 'the hash key' : key;
}
