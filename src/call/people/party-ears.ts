import type { Timekeeper } from '../../core/alarm.ts';
import type { Logger } from '../../core/log.ts';
import type { Scribe } from '../../dialogue/speaking/voice.ts';
import type { Overheard } from '../../dialogue/stenographer.ts';
import { wordsOf } from '../../sentences/words.ts';
import type { Recognizer, SpeechHints } from '../../speech/ports.ts';
import type { Party } from './party.ts';
import { PartyEar, partyLine } from './party-ear.ts';

export interface PartyEarsOptions {
  /** Who is to know what was said; undefined: nobody is taken down. */
  bot: { overhear(who: string, text: string): void } | undefined;
  scribe: Scribe;
  recognizer: Recognizer;
  /** What agents are likely to say. */
  hints(): SpeechHints;
  /** Words by which they give the caller back; '' for none. */
  recallWords: string;
  onRecall(party: Party): void;
  time: Timekeeper;
  log: Logger;
}

/** Takes down what those say who speak with the caller, and hears when they call the bot back. */
export class PartyEars {
  readonly #o: PartyEarsOptions;
  readonly #ears = new Map<Party, PartyEar>();

  constructor(options: PartyEarsOptions) {
    this.#o = options;
  }

  /** To these, and to nobody else any more. */
  listenTo(speakers: ReadonlySet<Party>): void {
    for (const [party, ear] of this.#ears) {
      if (speakers.has(party)) continue;
      ear.close();
      this.#ears.delete(party);
    }
    const { bot, recognizer, hints, time, log } = this.#o;
    for (const party of speakers) {
      if (this.#ears.has(party) || bot === undefined) continue;
      const onOverheard = (overheard: Overheard) => this.#overheard(party, overheard);
      this.#ears.set(party, new PartyEar({ party, recognizer, hints: hints(), time, log, onOverheard }));
    }
  }

  #overheard(party: Party, overheard: Overheard): void {
    const { bot, scribe, onRecall } = this.#o;
    const { text } = overheard;
    scribe.utterance(partyLine(overheard));
    if (text === '') return;
    bot?.overhear(party.role, text);
    if (this.#isRecall(text)) onRecall(party);
  }

  #isRecall(text: string): boolean {
    const signs = wordsOf(this.#o.recallWords).join(' ');
    return signs !== '' && ` ${wordsOf(text).join(' ')} `.includes(` ${signs} `);
  }
}
