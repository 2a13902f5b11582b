import { BANK_PROFILE } from '../../../src/call/bot/bot-profile.ts';
import type { Ms } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { Scope } from '../../../src/core/scope.ts';
import { Conversation } from '../../../src/dialogue/conversation.ts';
import type { LanguageModel } from '../../../src/dialogue/models/language-model.ts';
import type { Action, ActionDesk } from '../../../src/dialogue/questions/action-desk.ts';
import type { Ear, Expectation, Scribe, Voice } from '../../../src/dialogue/speaking/voice.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../../../src/media/audio.ts';
import { SearchBudget } from '../../../src/media/echo/echo-search.ts';
import { PlayoutDesk } from '../../../src/media/outbound/playout-desk.ts';
import { CallerSpeech } from '../../../src/media/voice-activity/caller-speech.ts';
import type { VadEngine } from '../../../src/media/voice-activity/vad.ts';
import type { VadStream } from '../../../src/media/voice-activity/vad-batch.ts';
import type { AsrResult, SpeechHints } from '../../../src/speech/ports.ts';
import type { Listening } from '../../../src/speech/soundswallower/listening.ts';
import { ManualTime } from '../../../tests/support/manual-time.ts';
import type { Hearing } from './hearing.ts';

export interface TellingCallOptions {
  readonly hearing: Hearing;
  readonly vad: VadEngine;
  readonly hintsFor: (expectation: Expectation) => SpeechHints;
  readonly actions: readonly Action[];
  /** What the bot tells, as long as a call lasts. */
  readonly telling: Int16Array;
}

/** What became of the bot's words, and what the recogniser made of the caller's. */
export interface Overlap {
  /** When the bot left what it was telling, ms from the beginning of the call; undefined when it went on. */
  readonly interruptedAt: Ms | undefined;
  /** The bot was silent meanwhile, ms. */
  readonly silentMs: Ms;
  /** Final results, one for each segment. */
  readonly heard: readonly AsrResult[];
  /** What was understood on the way there. */
  readonly partials: readonly string[];
}

/**
 * A call in which the bot tells something long, in one thread and without waiting: VAD, ducking, segments, recogniser and
 * the conversation that decides are those of the connector, time is that of the audio. There is no line and no echo.
 */
export class TellingCall {
  readonly #o: TellingCallOptions;
  readonly #time = new ManualTime();
  readonly #scope = new Scope('telling');
  readonly #playout: PlayoutDesk;
  readonly #speech: CallerSpeech;
  readonly #listening: Listening;
  readonly #conversation: Conversation;
  readonly #detectors = new Set<VadStream>();
  readonly #heard: AsrResult[] = [];
  readonly #partials: string[] = [];
  readonly #startedAt: Ms;
  #interruptedAt: Ms | undefined;
  #silentMs: Ms = 0;
  #sounded = false;

  constructor(options: TellingCallOptions) {
    this.#o = options;
    this.#startedAt = this.#time.now();
    this.#playout = new PlayoutDesk((at, turn) => this.#onSound(at, turn), this.#time);
    const { hearing, hintsFor, vad } = options;
    this.#listening = hearing.open(hintsFor({ kind: 'request' }), (result) => this.#onResult(result));
    this.#speech = new CallerSpeech({
      vad: {
        engine: vad,
        add: (detector) => this.#detectors.add(detector),
        delete: (detector) => this.#detectors.delete(detector),
        suspect: () => undefined,
      },
      searches: new SearchBudget(),
      playout: this.#playout,
      now: () => this.#time.now(),
      raise: (event) => this.#conversation.onMedia(event),
    });
    this.#speech.listen({
      postMessage: (message) => this.#listening.onMessage(message),
      close: () => undefined,
    });
    this.#conversation = new Conversation({
      scope: this.#scope,
      time: this.#time,
      log: silentLogger,
      instructions: '',
      // The first thing the bot says is what it tells, and no question.
      prompts: { ...BANK_PROFILE.prompts, greeting: 'Here they are.' },
      model: OBEDIENT,
      desk: idleDesk(options.actions),
      voice: this.#voice(),
      ear: this.#ear(),
      scribe: SILENT_SCRIBE,
      onEnd: () => undefined,
    });
  }

  /** All that is heard on the line, from the beginning of the call. Whole frames of 20 ms. */
  async hear(line: Int16Array): Promise<Overlap> {
    this.#conversation.start();
    for (let at = 0; at + FRAME_SAMPLES <= line.length; at += FRAME_SAMPLES) {
      await this.#frame(line.subarray(at, at + FRAME_SAMPLES), at);
    }
    const overlap = {
      interruptedAt: this.#interruptedAt,
      silentMs: this.#silentMs,
      heard: [...this.#heard],
      partials: [...this.#partials],
    };
    this.#speech.close();
    this.#listening.close();
    await this.#scope.close();
    return overlap;
  }

  async #frame(frame: Int16Array, position: number): Promise<void> {
    const at = this.#time.now();
    this.#speech.hear(frame, at, position, true);
    this.#speech.take(frame, at);
    await this.#time.pass(FRAME_MS);
    this.#speech.pass();
    const sent = this.#playout.pull(new Int16Array(FRAME_SAMPLES), this.#time.now());
    this.#speech.sent(sent);
    if (sent === undefined && this.#sounded && this.#interruptedAt === undefined) this.#silentMs += FRAME_MS;
    for (const detector of this.#detectors) {
      for (let window = detector.next(); window !== undefined; window = detector.next()) {
        detector.result((await this.#o.vad.infer([window]))[0]!);
      }
    }
  }

  #onSound(at: Ms, turn: number): void {
    if (this.#sounded) return;
    this.#sounded = true;
    this.#conversation.onMedia({ type: 'playout-started', turn, at });
  }

  #onResult(result: AsrResult): void {
    if (result.kind === 'final') this.#heard.push(result);
    else this.#partials.push(result.text);
    this.#conversation.onTranscript({ ...result, at: this.#time.now() });
  }

  #ear(): Ear {
    const { hearing, hintsFor } = this.#o;
    return {
      expect: (expectation) => {
        this.#listening.grammar = hearing.grammar(hintsFor(expectation));
      },
      endSegment: () => this.#speech.endSegment(),
      mask: () => undefined,
      silence: () => undefined,
    };
  }

  #voice(): Voice {
    const playout = this.#playout;
    return {
      begin: (turn) => playout.begin(turn),
      say: async (turn, _sentence, { onAudio }) => {
        onAudio();
        return new Promise((room) => playout.write(turn, { pcm: this.#o.telling, words: [] }, room));
      },
      prepare: () => undefined,
      finish: (turn) => new Promise((heard) => playout.finish(turn, heard)),
      cut: async (turn) => {
        this.#interruptedAt ??= this.#time.now() - this.#startedAt;
        return playout.cut(turn);
      },
      resume: (turn) => playout.resume(turn),
      armBargeIn: (armed) => this.#speech.arm(armed),
    };
  }
}

/** Whatever is asked, it has nothing more to say than that it is there. */
const OBEDIENT: LanguageModel = {
  name: 'obedient',
  async *reply() {
    yield { type: 'text', text: 'Yes.' };
  },
  health: async () => ({ ok: true }),
};

const SILENT_SCRIBE: Scribe = { utterance: () => undefined, event: () => undefined };

function idleDesk(actions: readonly Action[]): ActionDesk {
  const never = (): Promise<never> => new Promise(() => undefined);
  return {
    actions,
    customer: undefined,
    request: never,
    answer: never,
    foresee: async () => undefined,
    forget: () => undefined,
    withdraw: async () => undefined,
    close: async () => undefined,
  };
}
