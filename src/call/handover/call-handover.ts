import { setTimeout as sleep } from 'node:timers/promises';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { AGENT_ACTION } from '../../dialogue/questions/action-desk.ts';
import type { TransferWish } from '../legs/call-leg.ts';
import type { Party } from '../people/party.ts';
import { HandedCaller, type HandedCallerOptions } from './handed-caller.ts';
import { Handover } from './handover.ts';
import type { CallHandoverOptions } from './handover-deps.ts';
import type { HandoverRefusal, HandoverRequest } from './handover-desk.ts';
import { AD_HOC_QUEUE, DEFAULT_RING_MS, type HandoverQueue } from './handover-plan.ts';
import type { HandoverEnd, HandoverStatus } from './handover-status.ts';

const TOLD_WITHIN_MS: Ms = 2_000;

/** The hand-overs of one call, one at a time: on request of the caller, through the bot, or of staff, through the API. */
export class CallHandover {
  readonly #o: CallHandoverOptions;
  #current: Handover | undefined;
  /** What the current one is to take the caller on from; the person waits. */
  #outer: Handover | undefined;
  /** What comes of the last one that took the caller on from another. */
  #passedTo: Promise<HandoverEnd> | undefined;
  #gaveAway = false;

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
    void this.#toItsEnd(begun, queue);
    return begun.status;
  }

  /** On request of the caller. Resolves when it is over, and the bot has the caller back unless the caller is gone. */
  async seek(topic: string | undefined): Promise<HandoverEnd | HandoverRefusal> {
    const queue = this.#o.plan().standard;
    if (queue === undefined) return 'no-queue';
    const begun = this.#begin('caller', queue, topic);
    if (typeof begun === 'string') return begun;
    return this.#toItsEnd(begun, queue);
  }

  /** Takes the caller back; false when no hand-over goes on. */
  recall(): boolean {
    if (!this.#current || this.#current.status.outcome !== undefined) return false;
    // The person who waits does not get the caller back either.
    this.#outer?.recall();
    this.#current.recall();
    return true;
  }

  /**
   * The person whom this leg's caller talks with is taken out of this call, which is over then: the caller has brought
   * them to somebody else.
   */
  giveAway(): Party | undefined {
    const { parties } = this.#o;
    const [person, ...others] = parties.agents;
    if (person === undefined || others.length > 0) return undefined;
    this.#gaveAway = true;
    parties.giveAway(person);
    return person;
  }

  #begin(by: HandoverStatus['by'], queue: HandoverQueue, topic: string | undefined): Handover | HandoverRefusal {
    const { parties, signal } = this.#o;
    if (signal.aborted) return 'not-answered';
    const talks = parties.agents.length > 0 || parties.holding || this.#o.conversation?.suspended === true;
    if (talks || (this.#current && this.#current.status.outcome === undefined)) return 'pending';
    return this.#open(by, queue, topic);
  }

  #open(
    by: HandoverStatus['by'],
    queue: HandoverQueue,
    topic: string | undefined,
    onward: Pick<HandedCallerOptions, 'fetch' | 'onProgress'> = {},
  ): Handover {
    const { room, webhook, time, log } = this.#o;
    const passOn = (wish: TransferWish): Promise<boolean> => this.#passOn(handover, wish);
    const caller = new HandedCaller({ call: this.#o, by, queue, passOn, ...onward });
    const handover: Handover = new Handover({
      by,
      caller,
      queue,
      topic,
      room,
      webhook,
      agentAction: AGENT_ACTION,
      time,
      log,
    });
    this.#enter(handover);
    return handover;
  }

  #enter(handover: Handover): void {
    this.#current = handover;
    this.#o.parties.onCallerKey = (key) => handover.onCallerKey(key);
  }

  /** Resolves when nobody brings the caller anywhere any more, with what came of the last one. */
  async #toItsEnd(handover: Handover, queue: HandoverQueue): Promise<HandoverEnd> {
    const end = await handover.run();
    if (end === 'passed-on') return this.#passedTo!;
    this.#over(handover, queue, end);
    return end;
  }

  /** The person `from` was about wants the caller to be with somebody else. */
  async #passOn(from: Handover, wish: TransferWish): Promise<boolean> {
    const onward = this.#onward(wish);
    if (typeof onward === 'number') {
      wish.refuse(onward);
      this.#o.event('handover-pass-on-refused', { status: onward });
      return false;
    }
    wish.accept();
    const { queue, fetch } = onward;
    const next = this.#open('agent', queue, undefined, { fetch, onProgress: (status) => wish.progress(status) });
    this.#outer = from;
    const run = next.run();
    const reached = await next.reached;
    this.#outer = undefined;
    const end = next.status.outcome;
    const status = reached ? 200 : statusOf(end, next.status.attempts.at(-1)?.status);
    this.#o.event('handover-passed-on', { to: targetOf(wish), reached, status });
    const told = wish.done(status);
    if (reached) {
      this.#passedTo = this.#toItsEnd(next, queue);
      // Their telephone learns that it went well before our BYE, and not instead.
      await Promise.race([told, sleep(TOLD_WITHIN_MS, undefined, { ref: false })]);
      return true;
    }
    await run;
    this.#enter(from);
    return false;
  }

  /** Where the wish leads; or the SIP status that says why it leads nowhere. */
  #onward({ to }: TransferWish): { queue: HandoverQueue; fetch?: () => Promise<Party> } | number {
    const { plan, room, time, parties, takePersonOf } = this.#o;
    const { briefing, prompts } = plan().standard ?? AD_HOC_QUEUE;
    if ('queue' in to) {
      const queue = plan().queues.get(to.queue);
      if (queue === undefined) return 404;
      if (!queue.isOpen(time.wall())) return 480;
      return room.waiting(queue.name) >= queue.places ? 486 : { queue };
    }
    const someone = { gateway: undefined, way: 'bridge' as const, ringMs: DEFAULT_RING_MS, calls: 1_000 };
    // Whoever answers was rung by the person's own wish: there is nobody to tell them of the caller but that person.
    const direct = { ...AD_HOC_QUEUE, prompts, briefing: { ...briefing, spoken: undefined } };
    if ('dial' in to) {
      const target = { ...someone, name: to.dial, to: to.dial, headers: to.headers };
      return { queue: { ...direct, sound: 'ringing', targets: [target] } };
    }
    const fetch = async () => {
      const person = takePersonOf(to.leg);
      if (person === undefined) {
        throw new Failure('nobody is there', { code: 'dial-no-answer', blame: 'caller', sipStatus: 481 });
      }
      await parties.adopt(person);
      return person;
    };
    return { queue: { ...direct, targets: [{ ...someone, name: 'consulted', to: '' }] }, fetch };
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
        if (afterwards === 'end' || this.#gaveAway) onGone();
        return;
      case 'recalled':
      case 'caller-gone':
      case 'passed-on':
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

/** As the person's telephone is told of it. */
function statusOf(end: HandoverEnd | undefined, last: number | undefined): number {
  if (end === 'caller-gone' || end === 'cancelled') return 487;
  if (end === 'full') return 486;
  return last !== undefined && last >= 400 ? last : 480;
}

function targetOf({ to }: TransferWish): string {
  return 'queue' in to ? to.queue : 'dial' in to ? to.dial : 'another call';
}
