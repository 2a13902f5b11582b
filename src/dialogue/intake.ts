import type { Ms } from '../core/clock.ts';
import type { Assistant } from './assistant.ts';
import { type CallerSource, callerLine, type SpokenTimes, sourceOf } from './caller-line.ts';
import type { Initiative } from './initiative.ts';
import { type HistoryItem, MORE_TO_COME, SAID_IN_PASSING, SAID_UNCLEARLY } from './models/language-model.ts';
import type { AskedFor } from './questions/asides.ts';
import type { Matters } from './questions/matters.ts';
import { saidBack } from './questions/meaning.ts';
import { hidesSomething, withoutSpokenSecrets } from './questions/spoken-secrets.ts';
import type { ConsentWatch } from './recording-consent.ts';
import type { Prompts } from './speaking/prompts.ts';
import type { Ear, Scribe } from './speaking/voice.ts';
import type { Utterance } from './turn-taking/listener.ts';

export interface IntakeOptions {
  assistant: Assistant;
  matters: Matters;
  initiative: Initiative;
  consent: ConsentWatch;
  history: HistoryItem[];
  scribe: Scribe;
  prompts: Prompts;
  ear: Ear;
  now(): Ms;
}

/** What the language model is told of how it was said: a word or two over the bot; hard to understand. */
const NOTES = { plain: undefined, 'in-passing': SAID_IN_PASSING, unclear: SAID_UNCLEARLY };

export type Manner = keyof typeof NOTES;

/**
 * The one way by which the caller's words enter the transcript and the history: without the secrets in them, which
 * leave the recording, too.
 */
export class Intake {
  readonly #o: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#o = options;
  }

  /** Takes a line of the caller down. `utterance`: undefined for keys. */
  note(text: string, source: CallerSource, utterance: SpokenTimes | undefined): void {
    const { ear, scribe, now } = this.#o;
    const shown = withoutSpokenSecrets(text);
    if (utterance && hidesSomething(shown)) ear.silence(utterance.startedAt, utterance.endedAt);
    const how = source === 'overheard' ? sourceOf(shown) : source;
    scribe.utterance(callerLine(shown, how, utterance, now()));
  }

  /** The language model is to answer this. */
  request(text: string, utterance: Utterance | undefined, how: Manner = 'plain'): void {
    const { assistant, consent, history, initiative } = this.#o;
    initiative.told();
    if (this.#refused(consent.heard(text))) return;
    const note = NOTES[how];
    if (note !== undefined) history.push({ role: 'system', text: note });
    this.#remember(text);
    assistant.think(utterance);
  }

  /** The caller may have asked for this, in the words `said`: `course` is to do it and say what was understood, or to ask. */
  doubtful(asked: AskedFor, said: string, course: 'do-and-say' | 'ask', utterance: Utterance): void {
    const { assistant, initiative, prompts } = this.#o;
    const words = withoutSpokenSecrets(said);
    initiative.told();
    this.note(utterance.text, 'speech', utterance);
    this.#remember(words);
    const action = { id: crypto.randomUUID(), name: asked.name, arguments: asked.arguments };
    if (course === 'ask') assistant.act({ ...action, unsure: words }, utterance);
    else assistant.act(action, utterance, saidBack(prompts.understood, words));
  }

  #remember(text: string): void {
    const { history, matters } = this.#o;
    if (!matters.none) history.push({ role: 'system', text: MORE_TO_COME });
    history.push({ role: 'caller', text: withoutSpokenSecrets(text) });
  }

  /** Does this key refuse the recording? Then that is all it means. */
  refusesRecording(key: string): boolean {
    return this.#refused(this.#o.consent.pressed(key));
  }

  #refused(answer: string | undefined): boolean {
    if (answer !== undefined) this.#o.assistant.speak([answer]);
    return answer !== undefined;
  }
}
