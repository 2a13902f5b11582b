import type { Ms } from '../core/clock.ts';
import { newOrderedId } from '../core/ordered-id.ts';
import type { Question } from './questions/action-desk.ts';
import { hidesSomething, NOT_SHOWN } from './questions/spoken-secrets.ts';
import type { SpokenUtterance } from './speaking/voice.ts';
import type { Overheard } from './stenographer.ts';
import type { Utterance } from './turn-taking/listener.ts';

/** Stands in the history and the transcript for speech that fits nothing. */
export const UNINTELLIGIBLE = '[unintelligible]';
/** Stands in the transcript for speech that nobody had time to listen to. */
export const NOT_TRANSCRIBED = '[not transcribed]';

/** What the transcript shows of it: words, that they were not understood, or that nobody had time for them. */
export function wordsHeard({ text, lost }: Pick<Overheard, 'text' | 'lost'>): string {
  return lost ? NOT_TRANSCRIBED : text || UNINTELLIGIBLE;
}

/** When it was said, and how sure the recogniser is. */
export type SpokenTimes = Pick<Utterance, 'startedAt' | 'endedAt' | 'confidence'>;

/**
 * `overheard`: said to somebody else and only taken down, by a recogniser that knows what is said to the bot; what was said
 * may be found in the recording, when the call is over.
 */
export type CallerSource = 'speech' | 'dtmf' | 'overheard';

/** How a line that was taken down came about; one that hides something is never listened to once more. */
export function sourceOf(shown: string): 'speech' | 'overheard' {
  return hidesSomething(shown) ? 'speech' : 'overheard';
}

/** What the caller said or keyed, as a line of the transcript. `now`: for keys, which are no utterance. */
export function callerLine(
  text: string,
  source: CallerSource,
  utterance: SpokenTimes | undefined,
  now: Ms,
): SpokenUtterance {
  return {
    key: newOrderedId(),
    speaker: 'caller',
    text,
    heard: text,
    interrupted: false,
    startedAt: utterance?.startedAt ?? now,
    endedAt: utterance?.endedAt ?? now,
    confidence: utterance?.confidence,
    source,
  };
}

/** What the transcript shows of an answer: of a secret, only that it was given. `command`: "repeat", "cancel" and such. */
export function maskedAnswer(question: Question, command: boolean, said: string): string {
  if (question.secret && !command) return `[${question.slot.replaceAll('_', ' ')}, ${NOT_SHOWN}`;
  return said === '' ? UNINTELLIGIBLE : said;
}
