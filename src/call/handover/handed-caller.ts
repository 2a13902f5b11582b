import type { Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import { holdMusic, ringingTone } from '../../media/outbound/hold-music.ts';
import type { Leg, TransferWish } from '../legs/call-leg.ts';
import type { AgentLeft } from '../people/parties.ts';
import type { Party } from '../people/party.ts';
import { PartyVoice } from '../people/party-voice.ts';
import type { CallerFacts } from './briefing.ts';
import type { CallHandoverOptions } from './handover-deps.ts';
import type { HandoverQueue } from './handover-plan.ts';
import type { HandoverCaller, HandoverPerson, TalkEnd, Verdict } from './handover-sides.ts';
import type { HandoverStatus } from './handover-status.ts';

/** Who is gone within this, and has not taken the call by key, has spoken with nobody: it was a telephone that fails. */
const SHORTEST_TALK_MS: Ms = 250;

export interface HandedCallerOptions {
  call: CallHandoverOptions;
  by: HandoverStatus['by'];
  queue: HandoverQueue;
  passOn: HandoverCaller['passOn'];
  /** Told of the ringing besides the record: who wanted the caller to be taken there. */
  onProgress?: ((status: number) => void) | undefined;
  /** Instead of calling anybody: somebody who is there already, in another call. */
  fetch?: (() => Promise<Party>) | undefined;
}

/** The caller of one hand-over. */
export class HandedCaller implements HandoverCaller {
  readonly signal: AbortSignal;
  readonly leg: Leg;
  readonly #o: CallHandoverOptions;
  readonly #own: HandedCallerOptions;

  constructor(options: HandedCallerOptions) {
    this.#own = options;
    this.#o = options.call;
    this.signal = this.#o.signal;
    this.leg = this.#o.leg;
  }

  facts(): CallerFacts {
    return this.#o.facts();
  }

  event(type: string, data: Record<string, unknown>): void {
    this.#o.event(type, data);
  }

  tell(words: string): void {
    this.#o.conversation?.tell(words);
  }

  hold(sound: 'music' | 'ringing'): void {
    this.#o.parties.hold(soundOf(sound));
  }

  async dial(
    { name, to, gateway, ringMs }: Parameters<HandoverCaller['dial']>[0],
    { headers, onProgress }: Parameters<HandoverCaller['dial']>[1],
    signal: AbortSignal,
  ): Promise<HandoverPerson> {
    const { parties, synthesizer, voice, log } = this.#o;
    const rings = (status: number) => {
      onProgress(status);
      this.#own.onProgress?.(status);
    };
    const party = this.#own.fetch
      ? await this.#own.fetch()
      : await parties.dial({ role: 'agent', name, to, gateway, ringMs, headers, onProgress: rings }, signal);
    return new Person(party, new PartyVoice(party, synthesizer, log, voice));
  }

  async talk(person: HandoverPerson, signal: AbortSignal): Promise<TalkEnd> {
    if (!(person instanceof Person)) throw new TypeError('a person of another call');
    const { parties, conversation, time, log } = this.#o;
    const { by, queue } = this.#own;
    const { prompts, afterwards, sound, maxHoldMs } = queue;
    // Whom the caller asked for the desk reports on, behind that.
    const back = by === 'caller' ? prompts.backAgain : `${prompts.backAgain} ${prompts.whatElse}`;
    const { promise, resolve } = Promise.withResolvers<TalkEnd>();
    const recall = () => {
      if (!this.signal.aborted) parties.recall(back);
    };
    signal.addEventListener('abort', recall, { once: true });
    conversation?.hush();
    try {
      person.talksSince ??= time.now();
      const talksSince = person.talksSince;
      const onLeft: AgentLeft = (how) => {
        const tooShort = !person.accepted && time.now() - talksSince < SHORTEST_TALK_MS;
        if (how === 'hung-up' && !this.signal.aborted && tooShort) {
          this.hold(sound);
          resolve('gone');
          return undefined;
        }
        resolve(this.signal.aborted ? 'caller-left' : how === 'recalled' ? 'recalled' : 'person-left');
        if (how === 'given-away') {
          person.given = true;
          return false;
        }
        return how === 'hung-up' && afterwards === 'end' ? false : back;
      };
      parties.connect(person.party, onLeft, maxHoldMs);
      person.leg.onTransfer((wish) => {
        // One at a time, until it is known what comes of this one.
        person.leg.onTransfer((other) => other.refuse(491));
        parties.park(person.party, soundOf(sound));
        resolve(wish);
      });
      if (signal.aborted) recall();
      return await promise;
    } catch (error) {
      log.info({ reason: asFailure(error).message }, 'the person was gone before the talk began');
      return 'gone';
    } finally {
      signal.removeEventListener('abort', recall);
    }
  }

  passOn(wish: TransferWish): Promise<boolean> {
    return this.#own.passOn(wish);
  }
}

function soundOf(sound: 'music' | 'ringing') {
  return sound === 'music' ? holdMusic() : ringingTone();
}

/** A person who has answered. */
class Person implements HandoverPerson {
  readonly party: Party;
  /** They are another call's now. */
  given = false;
  /** By key, behind the briefing. */
  accepted = false;
  /** With the caller; undefined: not yet. */
  talksSince: Ms | undefined;
  readonly #voice: PartyVoice;

  constructor(party: Party, voice: PartyVoice) {
    this.party = party;
    this.#voice = voice;
  }

  get leg(): Leg {
    return this.party.leg!;
  }

  get signal(): AbortSignal {
    return this.party.signal;
  }

  get free(): Promise<void> {
    return this.party.closed;
  }

  /** The keys count from the first word on: who knows what it is about need not listen to the end. */
  async brief(
    text: string,
    { acceptKey, declineKey, waitMs }: { acceptKey: string; declineKey: string; waitMs: number },
    signal: AbortSignal,
  ): Promise<Verdict> {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const gone = () => resolve('gone');
    let timer: NodeJS.Timeout | undefined;
    for (const end of [signal, this.signal]) {
      end.addEventListener('abort', gone, { once: true });
      if (end.aborted) gone();
    }
    this.party.onKey((key) => {
      if (key === acceptKey) {
        this.accepted = true;
        resolve('accepted');
      }
      if (key === declineKey) resolve('declined');
    });
    try {
      void this.#voice.say(text).then(() => {
        timer = setTimeout(() => resolve('no-key'), waitMs);
      });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.party.onKey(undefined);
      this.#voice.cut();
      for (const end of [signal, this.signal]) end.removeEventListener('abort', gone);
    }
  }

  async hangup(): Promise<void> {
    if (!this.given) await this.party.hangup();
  }
}
