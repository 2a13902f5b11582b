import { SAMPLE_RATE } from '../../media/audio.ts';
import type { Acoustics } from './acoustic-model.ts';
import type { GrammarDecoder } from './decoder.ts';
import type { CepstralMean } from './engine-memory.ts';
import type { CompiledGrammar } from './grammar-cache.ts';
import { mayLookAgain, type ThreadLoad } from './second-look.ts';
import { heardAgain, turnedDown } from './shout.ts';
import type { Utterance } from './utterance.ts';
import { confidenceOf, type Evidence, type Guess, isDoubtful, logOdds, type Verdict, verdictOf } from './verdict.ts';

/** What is to be understood: the segment's audio, and what was expected in it. */
export interface Understood {
  readonly utterance: Utterance;
  readonly grammar: CompiledGrammar;
}

/** What is made of one caller's segments: how far a guess is believed, and when a segment is decoded once more. */
export class Understanding {
  /** How this caller's speech sounds on average, on each kind of line. */
  readonly #means = new Map<Acoustics, CepstralMean>();

  /** The decoder begins with a segment. */
  start(decoder: GrammarDecoder, acoustics: Acoustics): void {
    decoder.start({ acoustics, mean: this.#means.get(acoustics) });
  }

  /** How likely a guess at what was said so far is right, 0..1. */
  confidence(guess: Guess, segment: Understood): number {
    return confidenceOf(logOdds(guess, evidenceOf(segment)));
  }

  /**
   * The whole segment has been decoded. In noise, what is doubtful is decoded once more, when nobody else has to wait for it:
   * as a whole, so that the decoder normalises by this very utterance instead of those before, and otherwise than at first
   * (see Utterance), in steady noise with the model for quiet lines. On a quiet line what was shouted and is not believed
   * is, turned down. `looksAgain`: that is done.
   */
  finish(segment: Understood, decoder: GrammarDecoder, load: ThreadLoad, looksAgain: () => void): Verdict {
    const { utterance } = segment;
    const evidence = evidenceOf(segment);
    const { acoustics, loud, snrDb } = evidence;
    const weigh = (guess: Guess) => ({ ...guess, odds: logOdds(guess, evidence) });
    const first = weigh(decoder.finish());
    const before = this.#means.get(acoustics);
    this.#means.set(acoustics, decoder.mean);
    const quiet = utterance.among === 'quiet';
    const doubtful = quiet ? first.odds < 0 : snrDb !== undefined && isDoubtful(first.odds, utterance.among);
    if (!doubtful) return verdictOf(first);
    const whole = utterance.otherwise();
    const other = quiet && whole !== undefined ? turnedDown(whole, loud) : whole;
    if (other === undefined || !mayLookAgain((other.length * 1000) / SAMPLE_RATE, load)) return verdictOf(first);
    looksAgain();
    if (!quiet) return verdictOf(first, weigh(decoder.again(other, 'quiet')), acoustics);
    const shout = weigh(heardAgain(decoder, other, { acoustics, mean: before }));
    return verdictOf(shout.odds > first.odds ? shout : first);
  }
}

function evidenceOf({ grammar, utterance }: Understood): Evidence {
  return {
    acoustics: utterance.acoustics ?? 'quiet',
    loud: utterance.loud(),
    snrDb: utterance.snrDb,
    phonesOf: (word) => grammar.phones.get(word) ?? 1,
  };
}
