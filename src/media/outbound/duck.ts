import type { Ms } from '../../core/clock.ts';
import type { TurnId } from '../../core/ids.ts';

/** A duck that is neither confirmed nor dismissed by then ends: the detector has nothing more to say. */
const LONGEST_MS = 200;
/** ... and by then while the sound lasts that it is for: "stop" is a hiss and a silence before it is a voice. */
const LONGEST_LASTING_MS = 500;
/** After this many false ducks within the window below, the line is taken for noisy and speech must prove itself. */
const FALSE_DUCKS = 3;
const WITHIN_MS = 5000;
/** Hunches, which know less than the detector, are given up sooner. */
const WRONG_HUNCHES = 2;

/**
 * The bot falls silent at the first voiced window, before it is sure that somebody speaks. Legal moves: playing ->
 * ducked -> confirmed (the caller speaks) or dismissed (it was nothing). Pure: time is an argument. The playout itself
 * is paused and resumed by the owner.
 */
export class Duck {
  /** Ducks that were dismissed. */
  dismissed = 0;
  #turn: TurnId | undefined;
  #startedAt: Ms = 0;
  /** When the last false ducks ended, oldest first. */
  readonly #recent: Ms[] = [];
  /** The same of those that were a hunch. */
  readonly #wrong: Ms[] = [];
  #hunch = false;

  /** The turn that is ducked. */
  get turn(): TurnId | undefined {
    return this.#turn;
  }

  /**
   * `hunch`: a sound has begun, of which the detector does not know yet. False when the line has cried wolf too often, or
   * the bot is ducked already; a hunch that the detector bears out lasts as long as any other.
   */
  begin(turn: TurnId, now: Ms, hunch = false): boolean {
    if (this.#turn !== undefined) {
      if (this.#hunch && !hunch) {
        this.#hunch = false;
        this.#startedAt = now;
      }
      return false;
    }
    const past = hunch ? this.#wrong : this.#recent;
    while (past.length > 0 && now - past[0]! > WITHIN_MS) past.shift();
    if (past.length >= (hunch ? WRONG_HUNCHES : FALSE_DUCKS)) return false;
    this.#turn = turn;
    this.#startedAt = now;
    this.#hunch = hunch;
    return true;
  }

  /** Somebody speaks: the turn that was ducked, if one was. */
  confirm(): TurnId | undefined {
    const turn = this.#turn;
    this.#turn = undefined;
    return turn;
  }

  /** It was nothing: the turn to resume, if one was ducked. */
  dismiss(now: Ms): TurnId | undefined {
    const turn = this.#turn;
    if (turn === undefined) return undefined;
    this.#turn = undefined;
    this.dismissed++;
    const past = this.#hunch ? this.#wrong : this.#recent;
    past.push(now);
    if (past.length > FALSE_DUCKS) past.shift();
    return turn;
  }

  /** `lasts`: the sound it is for has not ended. */
  overdue(now: Ms, lasts = false): boolean {
    return this.#turn !== undefined && now - this.#startedAt >= (lasts ? LONGEST_LASTING_MS : LONGEST_MS);
  }
}
