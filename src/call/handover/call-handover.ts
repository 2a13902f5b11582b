import type { Timekeeper } from '../../core/alarm.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Conversation } from '../../dialogue/conversation.ts';
import { holdMusic, ringingTone } from '../../media/hold-music.ts';
import type { Synthesizer } from '../../speech/ports.ts';
import type { Leg } from '../call-leg.ts';
import type { CallParties } from '../parties.ts';
import type { Party } from '../party.ts';
import { PartyVoice } from '../party-voice.ts';
import type { CallerFacts } from './briefing.ts';
import { Handover, type HandoverCaller, type HandoverPerson, type Verdict } from './handover.ts';
import { AGENT_ACTION, type HandoverRefusal, type HandoverRequest } from './handover-desk.ts';
import { AD_HOC_QUEUE, DEFAULT_RING_MS, type HandoverPlan, type HandoverQueue } from './handover-plan.ts';
import type { HandoverEnd, HandoverStatus } from './handover-status.ts';
import type { WaitingRoom } from './waiting-room.ts';
import type { Webhook } from './webhook.ts';

/** What hand-overs of all calls share. */
export interface HandoverDeps {
  /** The plan in force now. */
  plan(): HandoverPlan;
  room: WaitingRoom;
  webhook: Webhook;
}

export interface CallHandoverOptions extends HandoverDeps {
  /** Aborts when the call is over. */
  signal: AbortSignal;
  leg: Leg;
  parties: CallParties;
  /** Undefined where no bot speaks. */
  conversation: Conversation | undefined;
  facts(): CallerFacts;
  event(type: string, data: Record<string, unknown>): void;
  /** The caller has left for the person, or the talk that ended the call is over. */
  onGone(): void;
  synthesizer: Synthesizer;
  /** The bot's. */
  voice: string | undefined;
  time: Timekeeper;
  log: Logger;
}

/** The hand-overs of one call, one at a time: on request of the caller, through the bot, or of staff, through the API. */
export class CallHandover {
  readonly #o: CallHandoverOptions;
  #current: Handover | undefined;

  constructor(options: CallHandoverOptions) {
    this.#o = options;
  }

  /** The last one. */
  get status(): HandoverStatus | undefined {
    return this.#current?.status;
  }

  /** The caller's side has been asked to take the caller elsewhere: resolves with how that went. */
  get leaving(): Promise<HandoverEnd> | undefined {
    return this.#current?.status.state === 'referring' ? this.#current.run() : undefined;
  }

  /** On request of staff. */
  transfer({ to, queue: name, how }: HandoverRequest): HandoverStatus | HandoverRefusal {
    const plan = this.#o.plan();
    let queue: HandoverQueue | undefined;
    if (to !== undefined) {
      const target = { name: to, to, gateway: undefined, way: how ?? 'auto', ringMs: DEFAULT_RING_MS, calls: 1_000 };
      const { briefing, prompts } = plan.standard ?? AD_HOC_QUEUE;
      queue = { ...AD_HOC_QUEUE, briefing, prompts, targets: [target] };
    } else queue = name === undefined ? undefined : plan.queues.get(name);
    if (queue === undefined) return 'no-queue';
    if (how !== undefined) queue = { ...queue, targets: queue.targets.map((target) => ({ ...target, way: how })) };
    const begun = this.#begin('api', queue, undefined);
    if (typeof begun === 'string') return begun;
    void begun.run().then((end) => this.#over(begun, queue, end));
    return begun.status;
  }

  /** On request of the caller. Resolves when it is over, and the bot has the caller back unless the caller is gone. */
  async seek(topic: string | undefined): Promise<HandoverEnd | HandoverRefusal> {
    const queue = this.#o.plan().standard;
    if (queue === undefined) return 'no-queue';
    const begun = this.#begin('caller', queue, topic);
    if (typeof begun === 'string') return begun;
    const end = await begun.run();
    this.#over(begun, queue, end);
    return end;
  }

  /** Takes the caller back; false when no hand-over goes on. */
  recall(): boolean {
    if (!this.#current || this.#current.status.outcome !== undefined) return false;
    this.#current.recall();
    return true;
  }

  #begin(by: HandoverStatus['by'], queue: HandoverQueue, topic: string | undefined): Handover | HandoverRefusal {
    const { parties, signal, room, webhook, time, log } = this.#o;
    if (signal.aborted) return 'not-answered';
    const talks = parties.agents.length > 0 || parties.holding || this.#o.conversation?.suspended === true;
    if (talks || (this.#current && this.#current.status.outcome === undefined)) return 'pending';
    const caller = new HandedCaller(this.#o, by, queue);
    const options = { by, caller, queue, topic, room, webhook, agentAction: AGENT_ACTION, time, log };
    const handover = new Handover(options);
    this.#current = handover;
    parties.onCallerKey = (key) => handover.onCallerKey(key);
    return handover;
  }

  #over(handover: Handover, { prompts, afterwards }: HandoverQueue, end: HandoverEnd): void {
    const { parties, conversation, onGone } = this.#o;
    parties.onCallerKey = undefined;
    switch (end) {
      case 'transferred':
        onGone();
        return;
      case 'finished':
        // The bot is back already, or was never to come back: see HandedCaller.talk.
        if (afterwards === 'end') onGone();
        return;
      case 'recalled':
      case 'caller-gone':
        return;
      default: {
        const why = end === 'cancelled' ? prompts.backAgain : prompts[end];
        // Whom the caller asked for is asked after, behind that, by the desk.
        const words = handover.status.by === 'caller' ? why : `${why} ${prompts.whatElse}`;
        conversation?.hush();
        parties.unhold(words);
      }
    }
  }
}

/** The caller of one hand-over. */
class HandedCaller implements HandoverCaller {
  readonly signal: AbortSignal;
  readonly leg: Leg;
  readonly #o: CallHandoverOptions;
  readonly #by: HandoverStatus['by'];
  readonly #queue: HandoverQueue;

  constructor(options: CallHandoverOptions, by: HandoverStatus['by'], queue: HandoverQueue) {
    this.signal = options.signal;
    this.leg = options.leg;
    this.#o = options;
    this.#by = by;
    this.#queue = queue;
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
    this.#o.parties.hold(sound === 'music' ? holdMusic() : ringingTone());
  }

  async dial(
    { name, to, gateway, ringMs }: Parameters<HandoverCaller['dial']>[0],
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<HandoverPerson> {
    const { parties, synthesizer, voice, log } = this.#o;
    const party = await parties.dial({ role: 'agent', name, to, gateway, ringMs, headers }, signal);
    return new Person(party, new PartyVoice(party, synthesizer, log, voice));
  }

  async talk(person: HandoverPerson, signal: AbortSignal): Promise<'person-left' | 'recalled' | 'caller-left'> {
    if (!(person instanceof Person)) throw new TypeError('a person of another call');
    const { parties, conversation, log } = this.#o;
    const { prompts, afterwards } = this.#queue;
    // Whom the caller asked for the desk reports on, behind that.
    const back = this.#by === 'caller' ? prompts.backAgain : `${prompts.backAgain} ${prompts.whatElse}`;
    const { promise, resolve } = Promise.withResolvers<'person-left' | 'recalled' | 'caller-left'>();
    const recall = () => {
      if (!this.signal.aborted) parties.recall(back);
    };
    signal.addEventListener('abort', recall, { once: true });
    conversation?.hush();
    try {
      parties.connect(person.party, (how) => {
        resolve(this.signal.aborted ? 'caller-left' : how === 'recalled' ? 'recalled' : 'person-left');
        return how === 'hung-up' && afterwards === 'end' ? false : back;
      });
      if (signal.aborted) recall();
      return await promise;
    } catch (error) {
      log.info({ reason: asFailure(error).message }, 'the person was gone before the talk began');
      return 'person-left';
    } finally {
      signal.removeEventListener('abort', recall);
    }
  }
}

/** A person who has answered. */
class Person implements HandoverPerson {
  readonly party: Party;
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
      if (key === acceptKey) resolve('accepted');
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

  hangup(): Promise<void> {
    return this.party.hangup();
  }
}
