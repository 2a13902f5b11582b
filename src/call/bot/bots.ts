import type { ActionCatalogue } from '../../banking/declaration.ts';
import { actionsOf } from '../../banking/view.ts';
import type { Logger } from '../../core/log.ts';
import type { ActionDesk } from '../../dialogue/questions/action-desk.ts';
import type { Expectation } from '../../dialogue/speaking/voice.ts';
import type { SpeechHints } from '../../speech/ports.ts';
import type { CallLeg } from '../legs/call-leg.ts';
import type { BotProfile } from './bot-profile.ts';
import { GREETING_HINTS } from './greeting-hints.ts';
import { hintsFrom, overheardHints, personHints } from './hints.ts';

/** What a desk knows of the call it serves. */
export interface DeskCall {
  sessionId: string;
  callerPhone: string;
  correlationId: string;
  log: Logger;
  onEvent(event: { type: string; data: Record<string, unknown> }): void;
}

/**
 * What is heard first in the calls of a bot: what callers ask it for, what they say to a person meanwhile, what that
 * person says, and what somebody says who is called. `recallWords` as in Bot.hintsForPerson.
 */
export function firstHints({ profile, hintsFor, hintsForPerson }: Bot, recallWords: string): SpeechHints[] {
  const greeting = profile.outbound === undefined ? [] : [GREETING_HINTS];
  return [hintsFor({ kind: 'request' }), hintsForPerson(recallWords), overheardHints(hintsFor), ...greeting];
}

/** A profile at work: with the actions it may take, and the ear for them. */
export interface Bot {
  readonly profile: BotProfile;
  openDesk(call: DeskCall): ActionDesk;
  hintsFor(expectation: Expectation): SpeechHints;
  /** For people who speak with its callers; `words` mean something when they say them. */
  hintsForPerson(words: string): SpeechHints;
}

export interface BotsOptions {
  /** Those in force now, the default first. */
  profiles: () => ReadonlyMap<string, BotProfile>;
  catalogue: ActionCatalogue;
  openDesk(call: DeskCall, catalogue: ActionCatalogue): ActionDesk;
}

interface Skills {
  catalogue: ActionCatalogue;
  hintsFor: Bot['hintsFor'];
  hintsForPerson: Bot['hintsForPerson'];
}

/** The bots of this process. What is compiled from a set of actions is kept, and serves all profiles that have it. */
export class Bots {
  readonly #options: BotsOptions;
  readonly #bots = new WeakMap<BotProfile, Bot>();
  readonly #skills = new Map<string, Skills>();

  constructor(options: BotsOptions) {
    this.#options = options;
  }

  /** Who answers this call: the bot it was meant for, else the first. A profile stays the call's own over reloads. */
  for(leg: CallLeg): Bot {
    const profiles = this.#options.profiles();
    const named = leg.bot === undefined ? undefined : profiles.get(leg.bot);
    const profile = named ?? profiles.values().next().value;
    if (profile === undefined) throw new TypeError('there is no bot');
    return this.#botOf(profile);
  }

  /** Undefined: there is none of this name (any more). */
  named(name: string): Bot | undefined {
    const profile = this.#options.profiles().get(name);
    return profile && this.#botOf(profile);
  }

  /** Those in force now. */
  all(): Bot[] {
    return [...this.#options.profiles().values()].map((profile) => this.#botOf(profile));
  }

  #botOf(profile: BotProfile): Bot {
    let bot = this.#bots.get(profile);
    if (bot === undefined) {
      const { catalogue, ...hints } = this.#skillsOf(profile);
      bot = { profile, ...hints, openDesk: (call) => this.#options.openDesk(call, catalogue) };
      this.#bots.set(profile, bot);
    }
    return bot;
  }

  #skillsOf({ actions }: BotProfile): Skills {
    const key = actions === 'all' ? 'all' : actions.toSorted().join(' ');
    let skills = this.#skills.get(key);
    if (skills === undefined) {
      const { catalogue: whole } = this.#options;
      const catalogue =
        actions === 'all' ? whole : { ...whole, actions: whole.actions.filter(({ name }) => actions.includes(name)) };
      const known = actionsOf(catalogue);
      skills = { catalogue, hintsFor: hintsFrom(known), hintsForPerson: once((words) => personHints(known, words)) };
      this.#skills.set(key, skills);
    }
    return skills;
  }
}

/** Compiles for the words it is asked for, and keeps it; they are a setting, and one. */
function once(compile: (words: string) => SpeechHints): (words: string) => SpeechHints {
  let kept: { words: string; hints: SpeechHints } | undefined;
  return (words) => {
    if (kept?.words !== words) kept = { words, hints: compile(words) };
    return kept.hints;
  };
}
