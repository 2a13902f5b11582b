/** What the bot says of its own accord; part of a bot profile. */
export interface Prompts {
  greeting: string;
  stillThere: readonly string[];
  farewell: string;
  /** While an action takes long; taken in turn, so never twice the same in a row. */
  oneMoment: readonly string[];
  /** Behind the beginning of a number; `{given}` and `{length}` become numbers of digits. */
  goOn: string;
  /** The caller needs a moment before they can answer. */
  takeYourTime: string;
  /** Behind a question for yes or no that was not understood twice, or where it is noisy: keys are understood in any noise. */
  yesNoByKeys: string;
  /** Behind a question for a number where it is noisy. */
  numberByKeys: string;
  /** Before what can be chosen by keys, where nothing is understood any more. */
  menu: string;
  /** One choice: `{what}` it is for, as the action names it, and the `{key}` in words. */
  menuChoice: string;
  /** Whether what was understood, `{words}`, is what was said: asked when nobody is sure. */
  didYouSay: string;
  /** What was understood, `{words}`, before it is answered: nobody is quite sure. */
  understood: string;
  /** It was not what was said. */
  misheard: string;
  cancelled: string;
  giveUp: string;
  apology: string;
  /** Before the bot ends a call that must not go on: the connector is being stopped. */
  shutdown: string;
  /** A person spoke with the caller, and now the bot does again. */
  backAgain: string;
}

/** Everything in `prompts` that is said as it stands, to be synthesized before the first call. */
export function fixedPrompts(prompts: Prompts): string[] {
  return asTheyStand(Object.values(prompts).flat());
}

/** Of these words those that are said as they stand, and not filled in. Pure. */
export function asTheyStand(words: readonly (string | undefined)[]): string[] {
  return words.flatMap((one) => (one === undefined || one.includes('{') ? [] : one));
}
