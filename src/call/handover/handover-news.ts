import type { Clock } from '../../core/clock.ts';
import { type CallerFacts, spokenBriefing, summaryHeader, summaryOf, userToUser, writtenBriefing } from './briefing.ts';
import type { HandoverQueue } from './handover-plan.ts';
import type { HandoverCaller } from './handover-sides.ts';
import type { Webhook } from './webhook.ts';

export interface HandoverNewsOptions {
  handoverId: string;
  caller: Pick<HandoverCaller, 'facts' | 'event'>;
  queue: HandoverQueue;
  /** What the caller wants to speak about. */
  topic: string | undefined;
  webhook: Webhook;
  /** The action that stands for the wish itself, and is not told of. */
  agentAction: string;
  time: Pick<Clock, 'wall'>;
}

/** What the person, their telephone and the bank's own system learn of a hand-over: in words, as a header, by webhook. */
export class HandoverNews {
  readonly #o: HandoverNewsOptions;

  constructor(options: HandoverNewsOptions) {
    this.#o = options;
  }

  spoken(keys: { acceptKey: string; declineKey: string }): string {
    const facts = this.#o.caller.facts();
    return spokenBriefing(facts, this.#summary(facts), this.#o.queue.prompts, keys);
  }

  /** Of the INVITE. */
  headers(): Record<string, string> {
    const { header } = this.#o.queue.briefing;
    if (header === undefined) return {};
    const facts = this.#o.caller.facts();
    return { [header]: header === 'User-to-User' ? userToUser(facts) : summaryHeader(facts, this.#summary(facts)) };
  }

  /** Of the INVITE to a phone in a browser, whose page shows it while it rings. */
  written(): Record<string, string> {
    const facts = this.#o.caller.facts();
    return writtenBriefing(facts, this.#summary(facts));
  }

  /** To the bank's own system, beside everything else. */
  report(event: string, more: Record<string, unknown>): void {
    const { handoverId, queue, webhook, caller, time } = this.#o;
    if (queue.briefing.webhook === undefined) return;
    const facts = caller.facts();
    const { sessionId, phone, customerId, verified } = facts;
    const payload = {
      event,
      at: time.wall().toISOString(),
      handoverId,
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

  #summary(facts: CallerFacts) {
    return { ...summaryOf(facts, this.#o.agentAction), topic: this.#o.topic };
  }
}
