import type { Logger } from '../../core/log.ts';
import { sentencesOf } from '../../dialogue/speaking/sentence-splitter.ts';
import type { Synthesizer } from '../../speech/ports.ts';
import { CallVoice } from '../bot/voice.ts';
import type { Party } from './party.ts';

/** Tells a party something over the telephone: a briefing, what to key next. What is said next cuts what is being said. */
export class PartyVoice {
  readonly #party: Party;
  readonly #voice: CallVoice;
  #turn = 0;
  #saying: AbortController | undefined;

  constructor(party: Party, synthesizer: Synthesizer, log: Logger, voice?: string) {
    this.#party = party;
    this.#voice = new CallVoice(synthesizer, party.session, log, voice);
  }

  /** Resolves true when all of it was heard, false when it was cut or the party is gone. Never rejects. */
  async say(text: string): Promise<boolean> {
    this.cut();
    if (this.#party.signal.aborted) return false;
    const turn = ++this.#turn;
    const saying = new AbortController();
    this.#saying = saying;
    const stop = () => saying.abort();
    this.#party.signal.addEventListener('abort', stop, { once: true });
    this.#voice.begin(turn);
    try {
      for (const sentence of sentencesOf(text)) {
        const how = { rate: 1, signal: saying.signal, onAudio: () => undefined };
        if (!(await this.#voice.say(turn, sentence, how))) return false;
      }
      return (await this.#voice.finish(turn)).complete;
    } catch {
      return false;
    } finally {
      this.#party.signal.removeEventListener('abort', stop);
    }
  }

  /** Falls silent within a frame. */
  cut(): void {
    if (this.#saying === undefined) return;
    this.#saying.abort();
    this.#saying = undefined;
    void this.#voice.cut(this.#turn);
  }
}
