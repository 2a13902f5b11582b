import { BoundedQueue } from '../core/bounded-queue.ts';
import type { CallId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { EventRecord, SessionRecord, UtteranceRecord } from './record/records.ts';

/** What an observer of live calls is told. */
export type LiveEvent =
  | { type: 'session'; session: SessionRecord }
  | { type: 'utterance'; utterance: UtteranceRecord }
  | { type: 'event'; event: EventRecord }
  /** The observer was too slow and missed events: read the call again. */
  | { type: 'missed'; count: number };

const OBSERVER_QUEUE = 256;

interface Observer {
  wanted: (event: LiveEvent, sessionId: CallId) => boolean;
  queue: BoundedQueue<LiveEvent>;
}

/** Live calls and their observers (console, tests). Observing never slows a call: a full queue drops its oldest event. */
export class CallRegistry {
  readonly #sessions = new Map<CallId, SessionRecord>();
  readonly #observers = new Set<Observer>();
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  get size(): number {
    return this.#sessions.size;
  }

  active(): SessionRecord[] {
    return [...this.#sessions.values()];
  }

  /** Undefined when it is not live. */
  get(sessionId: CallId): SessionRecord | undefined {
    return this.#sessions.get(sessionId);
  }

  isActive(sessionId: CallId): boolean {
    return this.#sessions.has(sessionId);
  }

  update(session: SessionRecord): void {
    if (session.status === 'ACTIVE') this.#sessions.set(session.sessionId, session);
    else this.#sessions.delete(session.sessionId);
    this.#publish(session.sessionId, { type: 'session', session });
  }

  utterance(utterance: UtteranceRecord): void {
    this.#publish(utterance.sessionId, { type: 'utterance', utterance });
  }

  event(event: EventRecord): void {
    this.#publish(event.sessionId, { type: 'event', event });
  }

  /** Live events, until `signal` aborts; `wanted` names some of them, and the others take no place in the observer's queue. */
  async *observe(signal: AbortSignal, wanted: Observer['wanted'] = () => true): AsyncGenerator<LiveEvent, void, void> {
    const queue = new BoundedQueue<LiveEvent>(OBSERVER_QUEUE, 'drop-oldest');
    const observer: Observer = { wanted, queue };
    this.#observers.add(observer);
    const stop = () => queue.close();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    let reported = 0;
    try {
      for await (const event of queue) {
        if (queue.dropped > reported) {
          yield { type: 'missed', count: queue.dropped - reported };
          reported = queue.dropped;
        }
        yield event;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#observers.delete(observer);
    }
  }

  /**
   * Tells each event at once, until the returned function is called. For those of ours that only count and keep, which is
   * less work than waiting would be, and who must be quick. What one of them throws is logged, and concerns nobody else.
   */
  listen(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #publish(sessionId: CallId, event: LiveEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // No call is to suffer from who looks on.
        this.#log.error({ err: error, session_id: sessionId, event: event.type }, 'a listener of calls threw');
      }
    }
    for (const observer of this.#observers) {
      if (observer.wanted(event, sessionId)) observer.queue.push(event);
    }
  }
}
