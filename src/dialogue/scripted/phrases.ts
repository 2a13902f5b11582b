import { spokenList } from '../../sentences/spoken.ts';
import type { Action } from '../questions/action-desk.ts';

/** The scripted dialogue's own words. Questions are recognised again in the history by their wording. */

export const HOW_CAN_I_HELP = 'How can I help you?';
export const WHAT_CAN_I_DO = 'What can I do for you?';
export const GOODBYE = 'Thank you for calling. Goodbye.';
export const TAKE_YOUR_TIME = 'Of course, take your time.';
export const SHALL_I_END = 'Do you want to end the call?';
export const WELCOME = 'You are welcome.';
export const ALL_RIGHT = 'All right.';
export const WHAT_ELSE = 'What else can I do for you?';
export const I_HEAR_YOU = 'Yes, I can hear you.';
export const STILL_THERE = 'Are you still there?';
export const OFFER_AGENT = 'Would you like to speak to a person?';
export const STILL_LOST = `I am sorry, I still do not understand. ${OFFER_AGENT}`;

/** After the first, third … result, so that it is no litany. */
const FOLLOW_UPS = ['Is there anything else I can do for you?', '', 'Can I help you with anything else?', ''];

export function followUp(resultsSoFar: number): string {
  return FOLLOW_UPS[Math.max(0, resultsSoFar - 1) % FOLLOW_UPS.length]!;
}

export function askedAnythingElse(text: string): boolean {
  return /\b(anything|what|something) (else|more)\b/i.test(text);
}

export function offeredAgent(text: string): boolean {
  return text.toLowerCase().includes('would you like to speak to a person');
}

export function askedForMeaning(text: string): boolean {
  return /\bdid you mean\b/i.test(text);
}

export function didYouMean(what: string): string {
  return `I am not sure that I understood you. Did you mean: ${what}?`;
}

export function rephrase(example: string): string {
  const request = 'I am sorry, I did not get that.';
  return example === ''
    ? `${request} Please say it in other words.`
    : `${request} You can say, for example: ${example}.`;
}

export function stillUnclear(offers: string): string {
  return `I am sorry, I still did not understand. ${offers}`;
}

export function whoIAm(agent: boolean): string {
  return `I am an automated assistant.${agent ? ' If you would rather speak to a person, just say so.' : ''}`;
}

/** What of all this is said as it stands, to be spoken ahead of the first call that needs it. */
export const FIXED_WORDS: readonly string[] = [
  HOW_CAN_I_HELP,
  WHAT_CAN_I_DO,
  GOODBYE,
  TAKE_YOUR_TIME,
  SHALL_I_END,
  WELCOME,
  ALL_RIGHT,
  WHAT_ELSE,
  I_HEAR_YOU,
  STILL_THERE,
  STILL_LOST,
  ...FOLLOW_UPS.filter((words) => words !== ''),
  rephrase(''),
  whoIAm(true),
];

/** What can be asked for, in the actions' own words; at most five, nobody remembers more on the phone. */
export function whatIOffer(actions: readonly Action[], exampleOf: (name: string) => string, agent: boolean): string {
  const shown = actions.slice(0, 5);
  const person = agent ? ' You can also ask for a person.' : '';
  if (shown.length === 0) return `${WHAT_CAN_I_DO}${person}`;
  if (shown.every(({ description }) => isPhrase(description))) {
    return `I can help you with ${spokenList(shown.map((action) => action.description))}.${person}`;
  }
  const examples = shown.map(({ name }) => exampleOf(name)).filter((example) => example !== '');
  return `You can say, for example: ${spokenList(examples, 'or')}.${person}`;
}

/** How an action is named to a caller: its description where that is a phrase, else how one asks for it. */
export function nameOf(action: Action, exampleOf: (name: string) => string): string {
  return isPhrase(action.description) ? action.description : exampleOf(action.name);
}

/** "the delivery status of your card", rather than whole sentences written for a language model. */
function isPhrase(description: string): boolean {
  return /^\p{Ll}[^.;:!?]*$/u.test(description.trim()) && description.length <= 60;
}
