import type { Ms } from '../../core/clock.ts';
import type { Question } from '../questions/action-desk.ts';
import type { Transcript } from '../speaking/voice.ts';
import type { CallerPace } from './caller-pace.ts';

export interface EndpointingOptions {
  /** Silence after words that make a whole sentence of what is expected ... */
  completeMs: Ms;
  /** ... and where the recogniser, asked in the silence, is sure of them: shorter than this is a stop within a word. */
  sureMs: Ms;
  /** The same where it is hardly what was said: it answers nothing, or the recogniser does not believe its own words. */
  unlikelyMs: Ms;
  /** Silence after words that stop in the middle of something, or of which nobody knows whether they are whole. */
  incompleteMs: Ms;
  /**
   * Silence after several words that are surely the beginning of a sentence and no whole one: "what is the balance
   * of". Without the rest there is no answer but "I did not get that", so waiting for it costs nobody anything.
   */
  begunMs: Ms;
  /** The same where the recogniser does not believe its own words: what is no sentence has no rest to wait for. */
  doubtfulMs: Ms;
  /** Silence after speech of which nothing is understood yet. */
  unheardMs: Ms;
  /** An utterance is over after this long whatever happens: a radio in the room must not hold the turn for ever. */
  maxUtteranceMs: Ms;
  /**
   * What an end-of-turn model, where there is one, may change; without this the words alone decide (a number is whole or
   * it is not).
   */
  model?: {
    /** Silence when the model is sure that the caller is done, although the words do not say so. */
    doneMs: Ms;
    /** Silence when the model is sure that the caller goes on, although the words could be all. */
    goesOnMs: Ms;
  };
}

/** An end-of-turn model is sure from these probabilities on; between them it has no say. */
const SURELY_DONE = 0.8;
const SURELY_GOES_ON = 0.2;

export const OPEN_REQUEST: EndpointingOptions = {
  completeMs: 200,
  sureMs: 150,
  unlikelyMs: 200,
  incompleteMs: 1000,
  begunMs: 1800,
  doubtfulMs: 550,
  unheardMs: 700,
  maxUtteranceMs: 20_000,
  model: { doneMs: 300, goesOnMs: 600 },
};

/** Numbers are read off paper with pauses in them; a whole one needs no further waiting. */
export const DIGITS: EndpointingOptions = {
  completeMs: 200,
  sureMs: 200,
  // Often one of which the rest is still to come: a second later, and beginning with an "s" that no VAD takes for a voice.
  unlikelyMs: 1300,
  incompleteMs: 1800,
  begunMs: 1800,
  doubtfulMs: 1800,
  // Digits of which nothing is recognised yet are still digits being read.
  unheardMs: 1500,
  maxUtteranceMs: 20_000,
};

export const YES_NO: EndpointingOptions = {
  completeMs: 200,
  sureMs: 200,
  unlikelyMs: 200,
  incompleteMs: 600,
  begunMs: 1000,
  doubtfulMs: 600,
  unheardMs: 600,
  maxUtteranceMs: 10_000,
};

/** A single word is often a noise. */
const BEGUN_WORDS = 2;
/**
 * A begun sentence that is believed less is doubtful. Offline, of 233 beginnings that were understood rightly one in
 * twenty was believed less (nearly all of them espeak's), of 19 whole sentences that were taken for the beginning of
 * another all but three.
 */
const BELIEVED = 0.4;
/** Words that are believed this much in a pause are what is said in the end. */
const SURE = 0.9;
const LONGEST_WAIT_MS: Ms = 2500;

/** How long to wait for what; `asked` is the question that is open, `pace` how this caller speaks. */
export type EndpointingPolicy = (asked: Question | undefined, pace: CallerPace) => EndpointingOptions;

/** Waits by what was asked, by whether the words so far make a whole of it, and by this caller's own pauses. */
export const adaptiveEndpointing: EndpointingPolicy = (asked, pace) => {
  const usual = usualFor(asked);
  // Digits that are missing are missing, whatever was waited for before.
  const more = (ms: Ms) => (usual === OPEN_REQUEST ? pace.patience(pace.stretch(ms)) : pace.stretch(ms));
  return {
    ...usual,
    completeMs: pace.stretch(usual.completeMs),
    sureMs: pace.stretch(usual.sureMs),
    doubtfulMs: pace.stretch(usual.doubtfulMs),
    incompleteMs: more(usual.incompleteMs),
    // Long as it is, it need not grow with the caller's pauses beyond a longer one.
    begunMs: Math.min(more(usual.begunMs), LONGEST_WAIT_MS),
  };
};

/** The same where an end-of-turn model hears the caller too: it is asked in the pause, and what it says of sure words counts. */
const judgedEndpointing: EndpointingPolicy = (asked, pace) => {
  const waits = adaptiveEndpointing(asked, pace);
  return { ...waits, sureMs: waits.completeMs };
};

function usualFor(asked: Question | undefined): EndpointingOptions {
  switch (asked?.expects.kind) {
    case 'digits':
      return DIGITS;
    case 'yes-no':
      return YES_NO;
    default:
      return OPEN_REQUEST;
  }
}

/** The same silence whatever was said: what simple systems do, for comparison. */
export function fixedEndpointing(silenceMs: Ms): EndpointingPolicy {
  const options = {
    ...OPEN_REQUEST,
    completeMs: silenceMs,
    sureMs: silenceMs,
    unlikelyMs: silenceMs,
    incompleteMs: silenceMs,
    begunMs: silenceMs,
    doubtfulMs: silenceMs,
    unheardMs: silenceMs,
    model: undefined,
  };
  return () => options;
}

/** As the connector is set up. */
export function endpointingBy(setup: {
  endpointingFixedMs: number | undefined;
  endOfTurnModel: string | undefined;
}): EndpointingPolicy {
  if (setup.endpointingFixedMs !== undefined) return fixedEndpointing(setup.endpointingFixedMs);
  return setup.endOfTurnModel === undefined ? adaptiveEndpointing : judgedEndpointing;
}

/** What is understood so far. */
export type Partial = Pick<Transcript, 'text' | 'confidence' | 'complete' | 'besides' | 'linked' | 'endOfTurn'>;

export type EndpointReason = 'complete' | 'incomplete' | 'doubtful' | 'unheard' | 'too-long' | 'model';

/**
 * When is the caller done? Pure: told what the VAD and the recogniser say and when, it names the moment at which the
 * utterance is over if nothing else happens. One instance per segment of speech.
 */
export class Endpointing {
  readonly #options: EndpointingOptions;
  readonly #startedAt: Ms;
  #silentSince: Ms | undefined;
  #heard: Partial = { text: '', confidence: 0, complete: false };
  /** Of the pause that runs. */
  #endOfTurn: number | undefined;

  constructor(options: EndpointingOptions, startedAt: Ms) {
    this.#options = options;
    this.#startedAt = startedAt;
  }

  /** The caller goes on after a pause. */
  speechStart(): void {
    this.#silentSince = undefined;
    this.#endOfTurn = undefined;
  }

  /** `at`: end of the last voiced window, monotonic ms. */
  speechEnd(at: Ms): void {
    this.#silentSince = at;
  }

  /**
   * `complete` undefined: the recogniser cannot tell. `endOfTurn`: what the end-of-turn model thinks of this pause, 0..1;
   * once said, it holds until the caller goes on.
   */
  partial(heard: Partial): void {
    this.#heard = heard;
    this.#endOfTurn = heard.endOfTurn ?? this.#endOfTurn;
  }

  /** End of the last voiced window, while the caller is silent. */
  get silentSince(): Ms | undefined {
    return this.#silentSince;
  }

  get text(): string {
    return this.#heard.text;
  }

  get confidence(): number {
    return this.#heard.confidence;
  }

  /** Do the words so far make a whole of what is expected? */
  get complete(): boolean {
    return this.#heard.complete === true;
  }

  reason(now: Ms): EndpointReason {
    if (now >= this.#startedAt + this.#options.maxUtteranceMs) return 'too-long';
    if (this.#doneByModel) return 'model';
    if (this.text === '') return 'unheard';
    if (this.complete) return this.confidence < BELIEVED ? 'doubtful' : 'complete';
    return this.#doubtfullyBegun ? 'doubtful' : 'incomplete';
  }

  /** Monotonic ms. */
  deadline(): Ms {
    const latest = this.#startedAt + this.#options.maxUtteranceMs;
    if (this.#silentSince === undefined) return latest;
    return Math.min(latest, this.#silentSince + this.#wait());
  }

  #wait(): Ms {
    const { model, completeMs, sureMs, unlikelyMs } = this.#options;
    if (this.complete && this.text !== '') {
      if (this.confidence < BELIEVED || this.#heard.besides) return Math.max(completeMs, unlikelyMs);
      const goesOn = model !== undefined && this.#endOfTurn !== undefined && this.#endOfTurn <= SURELY_GOES_ON;
      if (goesOn) return Math.max(completeMs, model.goesOnMs);
      return this.confidence >= SURE ? sureMs : completeMs;
    }
    const wait = this.#waitForMore();
    return this.#doneByModel ? Math.min(wait, model!.doneMs) : wait;
  }

  #waitForMore(): Ms {
    const { unheardMs, begunMs, doubtfulMs, incompleteMs } = this.#options;
    if (this.text === '') return unheardMs;
    if (!this.#begun) return incompleteMs;
    return this.#doubtfullyBegun ? doubtfulMs : Math.max(begunMs, incompleteMs);
  }

  get #begun(): boolean {
    const { complete, linked } = this.#heard;
    return complete === false && linked !== true && this.text.split(' ').length >= BEGUN_WORDS;
  }

  get #doubtfullyBegun(): boolean {
    return this.#begun && this.confidence < BELIEVED;
  }

  /** The words do not say that the caller is done, but the model does. */
  get #doneByModel(): boolean {
    if (this.#options.model === undefined || (this.complete && this.text !== '')) return false;
    return this.#endOfTurn !== undefined && this.#endOfTurn >= SURELY_DONE;
  }
}
