import type { Ms } from '../core/clock.ts';
import type { Assistant } from './assistant.ts';
import { type CallerSource, callerLine, type SpokenTimes } from './caller-line.ts';
import type { Initiative } from './initiative.ts';
import { type HistoryItem, MORE_TO_COME, SAID_IN_PASSING } from './models/language-model.ts';
import type { Matters } from './questions/matters.ts';
import { hidesSomething, withoutSpokenSecrets } from './questions/spoken-secrets.ts';
import type { ConsentWatch } from './recording-consent.ts';
import type { Ear, Scribe } from './speaking/voice.ts';
import type { Utterance } from './turn-taking/listener.ts';

export interface IntakeOptions {
  assistant: Assistant;
  matters: Matters;
  initiative: Initiative;
  consent: ConsentWatch;
  history: HistoryItem[];
  scribe: Scribe;
  ear: Ear;
  now(): Ms;
}

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
    scribe.utterance(callerLine(shown, source, utterance, now()));
  }

  /** The language model is to answer this. `inPassing`: a word or two over the bot, perhaps misheard. */
  request(text: string, utterance: Utterance | undefined, inPassing = false): void {
    const { assistant, consent, history, initiative, matters } = this.#o;
    initiative.told();
    if (this.#refused(consent.heard(text))) return;
    if (inPassing) history.push({ role: 'system', text: SAID_IN_PASSING });
    if (!matters.none) history.push({ role: 'system', text: MORE_TO_COME });
    history.push({ role: 'caller', text: withoutSpokenSecrets(text) });
    assistant.think(utterance);
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
