import { setTimeout as sleep } from 'node:timers/promises';
import type { Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Leg, ReferralEnd } from '../call-leg.ts';
import { type CallerFacts, ordinal, spokenBriefing, summaryHeader, summaryOf, userToUser } from './briefing.ts';
import type { HandoverQueue, HandoverTarget } from './handover-plan.ts';
import { type HandoverEnd, HandoverRecord, type HandoverStatus } from './handover-status.ts';
import type { Claim, Ticket, WaitingRoom } from './waiting-room.ts';
import type { Webhook } from './webhook.ts';

/** How a person took the briefing. */
export type Verdict = 'accepted' | 'declined' | 'no-key' | 'gone';

/** The person's side: a leg of ours that has been answered. */
export interface HandoverPerson {
  readonly leg: Leg;
  /** Aborts when they are gone. */
  readonly signal: AbortSignal;
  /** Tells them what it is about, and waits for a key of theirs. */
  brief(
    text: string,
    keys: { acceptKey: string; declineKey: string; waitMs: Ms },
    signal: AbortSignal,
  ): Promise<Verdict>;
  hangup(): Promise<void>;
}

/** The caller's side of a hand-over, as the call lends it. */
export interface HandoverCaller {
  /** Aborts when the call is over. */
  readonly signal: AbortSignal;
  readonly leg: Leg;
  facts(): CallerFacts;
  event(type: string, data: Record<string, unknown>): void;
  /** Said in the bot's voice, in the middle of the music. What is said next cuts what is being said. */
  tell(words: string): void;
  /** The bot falls silent, and the caller hears something to wait by. */
  hold(sound: 'music' | 'ringing'): void;
  /** Calls the person. @throws Failure whose code is dial-... */
  dial(target: HandoverTarget, headers: Record<string, string>, signal: AbortSignal): Promise<HandoverPerson>;
  /** Lets the two speak, until one of them leaves, the bot is called back, or `signal` aborts. */
  talk(person: HandoverPerson, signal: AbortSignal): Promise<'person-left' | 'recalled' | 'caller-left'>;
}

export interface HandoverOptions {
  by: HandoverStatus['by'];
  caller: HandoverCaller;
  /** Its targets are the persons; of AD_HOC_QUEUE where somebody is named who is of no queue. */
  queue: HandoverQueue;
  /** What the caller wants to speak about. */
  topic?: string | undefined;
  room: WaitingRoom;
  webhook: Webhook;
  /** The action that stands for the wish itself, and is not told of. */
  agentAction: string;
  time: Timekeeper;
  log: Logger;
}

/** What a try of one person came to: the hand-over is over, or the next one is tried. */
type Tried = HandoverEnd | 'next';

/** What the caller's side may take beyond the ringing: routing, and the news of it. */
const REFERRAL_SLACK_MS: Ms = 10_000;

/**
 * One caller on the way to a person: from the request until they have talked, the caller has left us, or nobody came. The
 * moves are HandoverRecord's. Whatever happens, no leg, no place in line and no person is kept when it has ended.
 */
export class Handover {
  readonly #o: HandoverOptions;
  readonly #record: HandoverRecord;
  readonly #recalled = new AbortController();
  /** The caller is wanted back, or gone. */
  readonly #stop: AbortSignal;
  #done: Promise<HandoverEnd> | undefined;

  constructor(options: HandoverOptions) {
    this.#o = options;
    const queue = options.queue.name === '' ? undefined : options.queue.name;
    this.#record = new HandoverRecord({ by: options.by, queue, startedAt: options.time.wall() });
    this.#stop = AbortSignal.any([options.caller.signal, this.#recalled.signal]);
  }

  get status(): HandoverStatus {
    return this.#record.status;
  }

  /** Resolves when it is over; never rejects. Running twice is running once. */
  run(): Promise<HandoverEnd> {
    this.#done ??= this.#run();
    return this.#done;
  }

  /** The caller is wanted back with the bot. What has been asked of the caller's own side cannot be unasked. */
  recall(): void {
    this.#recalled.abort();
  }

  /** A key of the caller's. */
  onCallerKey(key: string): void {
    const { leaveKey } = this.#o.queue;
    const { state } = this.#record;
    if (key === leaveKey && state !== 'connected' && state !== 'ended') this.recall();
  }

  async #run(): Promise<HandoverEnd> {
    const { caller, by, queue, time, log } = this.#o;
    caller.event('handover-started', {
      handoverId: this.#record.id,
      by,
      ...(queue.name === '' ? {} : { queue: queue.name }),
      targets: queue.targets.map(({ name }) => name),
    });
    let outcome: HandoverEnd;
    caller.hold(queue.sound);
    try {
      outcome = await this.#seek();
    } catch (error) {
      log.error({ err: error }, 'a hand-over failed');
      outcome = 'nobody';
    }
    if (caller.signal.aborted && outcome !== 'transferred') outcome = 'caller-gone';
    this.#record.end(outcome, time.wall());
    caller.event('handover-ended', { handoverId: this.#record.id, outcome });
    this.#report('handover.ended', { outcome });
    return outcome;
  }

  async #seek(): Promise<HandoverEnd> {
    const { queue, room, time, caller } = this.#o;
    if (!queue.isOpen(time.wall())) return 'closed';
    const ticket = room.join(queue.name, queue.places);
    if (ticket === undefined) return 'full';
    try {
      caller.tell(queue.prompts.connecting);
      return await this.#wait(ticket);
    } finally {
      ticket.leave();
    }
  }

  /** Round after round, until somebody takes the call or the caller has waited long enough. */
  async #wait(ticket: Ticket): Promise<HandoverEnd> {
    const { queue } = this.#o;
    const patience = new AbortController();
    const limit = setTimeout(() => patience.abort(), queue.maxWaitMs);
    // Even without patience everybody who is free is tried once.
    const tired = queue.maxWaitMs === 0 ? this.#stop : AbortSignal.any([this.#stop, patience.signal]);
    const stopTelling = this.#tellPosition(ticket);
    try {
      do {
        let untried = queue.targets;
        while (untried.length > 0) {
          const claim = await ticket.next(untried, tired);
          if (claim === undefined) break;
          const target = untried.find(({ name }) => name === claim.target)!;
          untried = untried.filter((one) => one !== target);
          const tried = await this.#try(target, claim);
          if (tried !== 'next') return tried;
        }
      } while (queue.maxWaitMs > 0 && !tired.aborted && (await pause(queue.retryMs, tired)));
      return this.#recalled.signal.aborted ? 'cancelled' : 'nobody';
    } finally {
      clearTimeout(limit);
      stopTelling();
    }
  }

  /** Says where the caller stands: when there is nobody at once, and then in intervals. */
  #tellPosition(ticket: Ticket): () => void {
    const { queue, caller } = this.#o;
    this.#record.position = ticket.position;
    ticket.onMoved = () => {
      this.#record.position = ticket.position;
      caller.event('handover-moved-up', { position: ticket.position });
    };
    const { announceMs } = queue;
    if (announceMs === undefined) return () => undefined;
    let told = 0;
    const timer = setInterval(() => {
      if (this.#record.state !== 'waiting') return;
      const words = told++ === 0 ? queue.prompts.waiting : queue.prompts.stillWaiting;
      caller.tell(words.replace('{position}', ordinal(ticket.position)));
    }, announceMs);
    return () => clearInterval(timer);
  }

  /** `claim` is released when the person is free again: for a talk through us that is at its end. */
  async #try(target: HandoverTarget, claim: Claim): Promise<Tried> {
    try {
      const tried = await this.#tryWays(target);
      if (tried === 'next') {
        this.#record.move('waiting');
        if (this.#recalled.signal.aborted) return 'cancelled';
        if (this.#stop.aborted) return 'caller-gone';
      }
      return tried;
    } finally {
      claim.release();
    }
  }

  async #tryWays(target: HandoverTarget): Promise<Tried> {
    const { way } = target;
    if (way === 'attended' || way === 'bridge') return this.#call(target, way);
    const refers = this.#o.caller.leg.refers;
    if (way === 'refer' || refers) {
      const tried = await this.#refer(target);
      if (tried !== 'refused') return tried;
      if (way === 'refer') return 'next';
    }
    return this.#call(target, 'bridge');
  }

  /** Blind: the caller's side calls the person, and the caller hears what that side lets them hear. */
  async #refer(target: HandoverTarget): Promise<Tried | 'refused'> {
    const { name, to, ringMs } = target;
    this.#record.move('referring');
    this.#report('handover.calling', { target: name, way: 'refer' });
    const headers = this.#headers();
    return this.#referred(target, 'refer', { to, headers, longestMs: ringMs + REFERRAL_SLACK_MS });
  }

  async #referred(
    target: HandoverTarget,
    way: 'refer' | 'attended',
    referral: { to?: string; replaces?: Leg; headers?: Record<string, string>; longestMs: Ms },
  ): Promise<Tried | 'refused'> {
    const { caller, log } = this.#o;
    const { name } = target;
    const result = this.#record.attempt(name, way);
    caller.event('handover-referring', { target: name, way });
    let end: ReferralEnd;
    try {
      const onProgress = (status: number) => caller.event('handover-progress', { target: name, status });
      end = await caller.leg.refer({ ...referral, onProgress });
    } catch (error) {
      const failure = asFailure(error);
      log.warn({ code: failure.code, reason: failure.message }, 'the caller could not be referred');
      end = { outcome: 'refused', status: failure.sipStatus };
    }
    result(end.outcome, 'status' in end ? end.status : undefined);
    caller.event('handover-referred', { target: name, way, ...end });
    switch (end.outcome) {
      case 'connected':
      case 'left':
        return 'transferred';
      case 'ended':
        return 'caller-gone';
      case 'unknown':
        // Somebody may have answered all the same: nobody else is called for a caller who may be talking.
        return 'unknown';
      case 'refused':
        return 'refused';
      case 'failed':
        return 'next';
    }
  }

  /** Through us: the person is called, briefed, and the two are brought together. */
  async #call(target: HandoverTarget, way: 'attended' | 'bridge'): Promise<Tried> {
    const { caller, queue } = this.#o;
    const { name } = target;
    this.#record.move('calling');
    const result = this.#record.attempt(name, way);
    caller.event('handover-calling', { target: name, way });
    this.#report('handover.calling', { target: name, way });
    let person: HandoverPerson;
    try {
      person = await caller.dial(target, this.#headers(), this.#stop);
    } catch (error) {
      const failure = asFailure(error);
      const outcome = failure.code.replace(/^dial-/, '');
      result(outcome, failure.sipStatus);
      caller.event('handover-unanswered', { target: name, outcome, status: failure.sipStatus });
      return 'next';
    }
    try {
      caller.event('handover-answered', { target: name });
      const { spoken } = queue.briefing;
      if (spoken !== undefined) {
        this.#record.move('briefing');
        const verdict = await person.brief(this.#briefing(spoken), spoken, this.#stop);
        caller.event('handover-briefed', { target: name, verdict });
        if (verdict !== 'accepted') {
          result(verdict);
          return 'next';
        }
      }
      if (this.#stop.aborted) {
        result('cancelled');
        return 'next';
      }
      return await this.#connect(target, way, person, result);
    } finally {
      // Not waited for: a far end that does not confirm our BYE is no reason to keep the caller.
      void person.hangup();
    }
  }

  async #connect(
    target: HandoverTarget,
    way: 'attended' | 'bridge',
    person: HandoverPerson,
    result: (outcome: string, status?: number) => void,
  ): Promise<Tried> {
    const { caller } = this.#o;
    if (way === 'attended') {
      this.#record.move('referring');
      const referred = await this.#referred(target, way, { replaces: person.leg, longestMs: REFERRAL_SLACK_MS });
      if (referred === 'transferred' || referred === 'caller-gone') {
        result(referred === 'transferred' ? 'connected' : referred);
        return referred;
      }
      // The caller's side cannot; both are here and want to speak, so they do it through us.
      if (person.signal.aborted || caller.signal.aborted) {
        result('gone');
        return referred === 'unknown' ? 'unknown' : 'next';
      }
    }
    this.#record.move('connected');
    result('connected');
    caller.event('handover-connected', { target: target.name });
    const end = await caller.talk(person, this.#stop);
    caller.event('handover-talk-ended', { target: target.name, end });
    if (this.#recalled.signal.aborted || end === 'recalled') return 'recalled';
    return end === 'person-left' ? 'finished' : 'caller-gone';
  }

  #briefing(keys: { acceptKey: string; declineKey: string }): string {
    const facts = this.#o.caller.facts();
    return spokenBriefing(facts, this.#summary(facts), this.#o.queue.prompts, keys);
  }

  #headers(): Record<string, string> {
    const { header } = this.#o.queue.briefing;
    if (header === undefined) return {};
    const facts = this.#o.caller.facts();
    return { [header]: header === 'User-to-User' ? userToUser(facts) : summaryHeader(facts, this.#summary(facts)) };
  }

  #summary(facts: CallerFacts) {
    return { ...summaryOf(facts, this.#o.agentAction), topic: this.#o.topic };
  }

  /** To the bank's own system, beside everything else. */
  #report(event: string, more: Record<string, unknown>): void {
    const { queue, webhook, caller, time } = this.#o;
    if (queue.briefing.webhook === undefined) return;
    const facts = caller.facts();
    const { sessionId, phone, customerId, verified } = facts;
    const payload = {
      event,
      at: time.wall().toISOString(),
      handoverId: this.#record.id,
      sessionId,
      queue: queue.name || null,
      caller: { phone, customerId: customerId ?? null, verified },
      summary: this.#summary(facts),
      ...more,
    };
    void webhook.deliver(queue.briefing.webhook, payload).then((taken) => {
      if (!taken) caller.event('handover-webhook-failed', { event });
    });
  }
}

/** False when `signal` aborted meanwhile. */
async function pause(ms: Ms, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
