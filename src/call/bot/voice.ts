import type { TurnId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { SpeakOptions, Voice } from '../../dialogue/speaking/voice.ts';
import type { Heard, MediaSession } from '../../media/ports.ts';
import type { Synthesizer } from '../../speech/ports.ts';

/**
 * Synthesizer -> playout of one call. Sentences of a turn are synthesized one behind the other, so that the first is
 * on its way to the caller while the second is made.
 */
export class CallVoice implements Voice {
  readonly #synthesizer: Synthesizer;
  readonly #session: MediaSession;
  readonly #log: Logger;
  readonly #voice: string | undefined;

  /** `voice`: the synthesizer's name of it, its default when undefined. */
  constructor(synthesizer: Synthesizer, session: MediaSession, log: Logger, voice?: string) {
    this.#voice = voice;
    this.#synthesizer = synthesizer;
    this.#session = session;
    this.#log = log;
  }

  begin(turn: TurnId): void {
    this.#session.playout.begin(turn);
  }

  async say(turn: TurnId, sentence: string, { rate, signal, onAudio }: SpeakOptions): Promise<boolean> {
    for await (const chunk of this.#synthesizer.speak(sentence, signal, { rate, voice: this.#voice })) {
      if (signal.aborted) return false;
      onAudio();
      if (!(await this.#session.playout.write(turn, chunk))) return false;
    }
    return !signal.aborted;
  }

  prepare(sentence: string, rate: number): void {
    this.#synthesizer
      .warm([sentence], { rate, voice: this.#voice, passing: true })
      .catch((error) => this.#log.debug({ err: error }, 'sentence not prepared'));
  }

  finish(turn: TurnId): Promise<Heard> {
    return this.#session.playout.finish(turn);
  }

  cut(turn: TurnId): Promise<Heard> {
    return this.#session.playout.cut(turn).catch((error) => {
      this.#log.warn({ err: error, turn }, 'cut without an answer from the media worker');
      return { turn, text: '', playedMs: 0, complete: false };
    });
  }

  resume(turn: TurnId): void {
    this.#session.playout.resume(turn);
  }

  armBargeIn(armed: boolean): void {
    this.#session.armBargeIn(armed);
  }
}
