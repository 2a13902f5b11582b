import { plainWordsOf } from '../../sentences/words.ts';
import { YES_PHRASES } from '../../sentences/yes-no.ts';

/**
 * Short words said while somebody else speaks. A backchannel says "I am listening, go on"; a halt says "be quiet".
 * (Yngve 1970; the distinction vendors miss when "okay" hijacks a turn.)
 */
const BACKCHANNEL =
  /^(?:(?:mhm+|mm+|h+m+|um+|uh[ -]?huh|uh|aha|ah|oh|okay|ok|right|yes|yeah|yep|sure|of course|i see|i agree|got it|exactly|all right|alright|good|great|fine|really|wow|hello)\s*)+$/;
const HALT = /\b(?:stop|wait|hold on|hang on|enough|quiet|cancel|one (?:moment|second))\b/;
/** "No" is one by itself. With other words behind it, it may be the beginning of whatever "uh huh" looks like: "no the". */
const NO = /^(?:(?:no|nope|nah)\s*)+(?:please|thanks|thank you)?$/;

/** Those that no hum, cough or "okay" sounds like, not even for a moment. "No" is what an "mm" often looks like. */
const DISTINCT_HALT = /\b(?:stop|wait|hold on|hang on)\b/;

export type Interjection = 'backchannel' | 'halt' | 'none';

/** What a few words over the bot mean by themselves; 'none' is ordinary speech. */
export function interjectionOf(text: string): Interjection {
  const words = text
    .toLowerCase()
    .replace(/[^a-z' -]/g, '')
    .trim();
  if (HALT.test(words) || NO.test(words)) return 'halt';
  return BACKCHANNEL.test(words) ? 'backchannel' : 'none';
}

/**
 * Answers to something, and nothing by themselves: nobody says them to a bot in the middle of what it was asked to tell,
 * and "right" and "mm-hm" look like them. So does whatever means yes: "confirm".
 */
const REMARKS: ReadonlySet<string> = new Set([...YES_PHRASES, 'bye', 'nothing']);

/** Is this, said over somebody who has asked nothing, more likely a backchannel that was misheard? */
export function isRemark(text: string): boolean {
  return REMARKS.has(plainWordsOf(text).join(' '));
}

/** Does the text hold a "stop" or "wait" that can hardly have been anything else? */
export function isDistinctHalt(text: string): boolean {
  return DISTINCT_HALT.test(text.toLowerCase());
}
