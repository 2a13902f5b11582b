/** What a conversation of the corpus is: data. play/ plays it, score/ judges it. */

export interface Caller {
  readonly engine: 'flite' | 'espeak' | 'human';
  /** flite: slt, rms, awb, kal. espeak: en-us, en-gb. human: allison, whose lines are names of recordings. */
  readonly voice: string;
  /** Speaking rate, 1 as the engine makes it. */
  readonly rate: number;
}

/** Words, or a pause in ms between words. */
export type Piece = string | number;

/** What is heard while the bot speaks and is no request. */
export type Sound =
  | { readonly kind: 'words'; readonly text: string; readonly dbfs: number }
  | { readonly kind: 'cough' | 'door' | 'hum'; readonly seed: number }
  | { readonly kind: 'recording'; readonly file: string };

/** Where the caller is. */
export interface Room {
  readonly noise?: { readonly kind: 'white' | 'babble' | 'crowd'; readonly snrDb: number };
  readonly lossPercent?: number;
  /** A speakerphone: what the caller hears comes back into the microphone. */
  readonly echo?: { readonly attenuationDb: number; readonly delayMs: number };
}

/** What a turn must have led to, between its beginning and the caller's next one. All that is named must hold. */
export interface Expected {
  /** Rows in the bank's ledger that must stand there, each with this type and these fields. */
  readonly transactions?: readonly ExpectedTransaction[];
  /** Types of which no row may stand there. */
  readonly never?: readonly string[];
  /** A fact the bot must have said: a pattern over all its words of the turn, case-insensitive. */
  readonly said?: string;
  /** What it must not have said. */
  readonly unsaid?: string;
}

export interface ExpectedTransaction {
  readonly type: string;
  readonly outcome?: 'POSTED' | 'FAILED';
  readonly authenticationStatus?: 'VERIFIED' | 'FAILED';
  readonly customerId?: string;
}

/**
 * Where in the words a pause lies. open: what was said so far asks for more. whole: it could be all. number: inside a
 * customer number. pin: inside a PIN.
 */
export type PauseSite = 'open' | 'whole' | 'number' | 'pin';

export type Tags = Readonly<Record<string, string | number>>;

interface Judged {
  readonly expect?: Expected;
  /** Whether this can be right depends on the turn before; not judged when that was wrong. */
  readonly follows?: boolean;
  readonly tags?: Tags;
}

/** What a caller is verified by. */
export interface Credentials {
  readonly number: string;
  readonly pin: string;
}

export type Step =
  /** The greeting. */
  | { readonly do: 'greet' }
  | ({
      readonly do: 'say';
      readonly pieces: readonly Piece[];
      readonly site?: PauseSite;
      readonly dbfs?: number;
      /** Keyed if the bot asks for them first; what comes of the request is judged behind that. */
      readonly credentials?: Credentials;
    } & Judged)
  | ({ readonly do: 'press'; readonly digits: string } & Judged)
  /**
   * Gets verified as people do: answers what the bot asks, and tries again. `spokenPin`: the first time by voice, then
   * by keypad; else by keypad at once.
   */
  | {
      readonly do: 'identify';
      readonly request: string;
      readonly number: string;
      readonly pin: string;
      readonly spokenPin: boolean;
    }
  /** Words, keys so many ms after them, and (perhaps) more words. */
  | ({ readonly do: 'say-and-press'; readonly words: string; readonly gapMs: number; readonly digits: string } & Judged)
  /** Asks for something long and plays the sounds while the bot answers; asks again when the answer is over too soon. */
  | { readonly do: 'backchannels'; readonly ask: string; readonly sounds: readonly NamedSound[] }
  /** Asks for something long and speaks into the answer. `wants`: that the bot is quiet, or what it says. */
  | ({
      readonly do: 'interrupt';
      readonly ask: string;
      readonly pieces: readonly Piece[];
      readonly afterMs: number;
      readonly dbfs?: number;
      readonly wants: 'quiet' | 'answer';
      /** As of `say`. */
      readonly credentials?: Credentials;
    } & Judged)
  /** Asks for something long and only listens. */
  | { readonly do: 'hear-out'; readonly ask: string; readonly tags?: Tags }
  /** Says nothing; the bot must ask. */
  | ({ readonly do: 'be-silent'; readonly forMs: number } & Judged);

export interface NamedSound {
  readonly name: string;
  readonly sound: Sound;
  /** The bot has spoken for so long, since it began or since the last sound. */
  readonly afterMs: number;
}

export const SECTIONS = [
  'latency',
  'pauses',
  'numbers',
  'backchannels',
  'interruptions',
  'echo',
  'outcomes',
  'odd',
  'load',
] as const;
export type Section = (typeof SECTIONS)[number];

export interface Conversation {
  readonly id: string;
  readonly section: Section;
  /** The caller's number; decides whom the bank expects. */
  readonly from: string;
  readonly caller: Caller;
  readonly room: Room;
  readonly tags: Tags;
  readonly steps: readonly Step[];
  /** Also played against the fixed-pause baselines. */
  readonly baseline: boolean;
  /** Seed of its noise and losses. */
  readonly seed: number;
}
