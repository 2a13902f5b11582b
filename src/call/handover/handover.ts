import { rest } from '../../core/abortable.ts';
import type { Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { ordinal } from './briefing.ts';
import { BringingIn, type Tried } from './bringing-in.ts';
import { HandoverNews } from './handover-news.ts';
import type { HandoverQueue, HandoverTarget } from './handover-plan.ts';
import type { HandoverCaller } from './handover-sides.ts';
import { type HandoverEnd, HandoverRecord, type HandoverStatus } from './handover-status.ts';
import type { Claim, Ticket, WaitingRoom } from './waiting-room.ts';
import type { Webhook } from './webhook.ts';

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

/**
 * One caller on the way to a person: from the request until they have talked, the caller has left us, or nobody came. The
 * moves are HandoverRecord's. Whatever happens, no leg, no place in line and no person is kept when it has ended.
 */
export class Handover {
  readonly #o: HandoverOptions;
  readonly #record: HandoverRecord;
  readonly #news: HandoverNews;
  readonly #recalled = new AbortController();
  readonly #reached = Promise.withResolvers<boolean>();
  /** The caller is wanted back, or gone. */
  readonly #stop: AbortSignal;
  #done: Promise<HandoverEnd> | undefined;

  constructor(options: HandoverOptions) {
    this.#o = options;
    const queue = options.queue.name === '' ? undefined : options.queue.name;
    this.#record = new HandoverRecord({ by: options.by, queue, startedAt: options.time.wall() });
    this.#stop = AbortSignal.any([options.caller.signal, this.#recalled.signal]);
    this.#news = new HandoverNews({ topic: undefined, ...options, handoverId: this.#record.id });
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

  /**
   * Resolves true when the caller is with somebody, or in the line of a queue: whoever brought them here can go. False
   * when it has ended before that.
   */
  get reached(): Promise<boolean> {
    return this.#reached.promise;
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
    this.#reached.resolve(outcome === 'transferred');
    caller.event('handover-ended', { handoverId: this.#record.id, outcome });
    this.#news.report('handover.ended', { outcome });
    return outcome;
  }

  async #seek(): Promise<HandoverEnd> {
    const { queue, room, time, caller } = this.#o;
    if (!queue.isOpen(time.wall())) return 'closed';
    const ticket = room.join(queue.name, queue.places);
    if (ticket === undefined) return 'full';
    if (queue.name !== '') this.#reached.resolve(true);
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

  /** `claim` is released when the person's telephone is free again: behind a talk through us when its BYE is confirmed. */
  async #try(target: HandoverTarget, claim: Claim): Promise<Tried> {
    const { caller, queue, log } = this.#o;
    const bringing = new BringingIn({
      caller,
      record: this.#record,
      news: this.#news,
      briefing: queue.briefing.spoken,
      recalled: this.#recalled.signal,
      stop: this.#stop,
      onConnected: () => this.#reached.resolve(true),
      log,
    });
    try {
      const tried = await bringing.bring(target);
      if (tried === 'next') {
        this.#record.move('waiting');
        if (this.#recalled.signal.aborted) return 'cancelled';
        if (this.#stop.aborted) return 'caller-gone';
      }
      return tried;
    } finally {
      void bringing.free.then(() => claim.release());
    }
  }
}

/** False when `signal` aborted meanwhile. */
async function pause(ms: Ms, signal: AbortSignal): Promise<boolean> {
  await rest(ms, signal);
  return !signal.aborted;
}
