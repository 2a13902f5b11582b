import type { CallDetail, EventRecord, UtteranceRecord } from '../call/record/records.ts';
import type { CallRegistry, LiveEvent } from '../call/registry.ts';
import type { CallId } from '../core/ids.ts';

const ROWS_PER_CALL = 1000;
const ENDED_KEPT = 100;
/** Against rows of calls that never end: far more than calls one process carries. */
const CALLS = 5000;

interface Tail {
  utterances: Map<string, UtteranceRecord>;
  events: Map<string, EventRecord>;
}

/**
 * What live calls have produced lately, so that a reader sees a call whole though the archive is written a little
 * later, or is away. Per call the last 1,000 utterances and events; of calls that have ended, the last 100.
 */
export class LiveTail {
  readonly #tails = new Map<CallId, Tail>();
  readonly #ended = new Set<CallId>();
  /** From now on nothing more is kept. */
  readonly close: () => void;

  constructor(registry: CallRegistry) {
    this.close = registry.listen((event) => this.#take(event));
  }

  /** Adds the tail's rows to what the archive knows; for the same id, the tail's row is the newer one. */
  complete(detail: CallDetail): CallDetail {
    const tail = this.#tails.get(detail.session.sessionId);
    if (!tail) return detail;
    const utterances = merge(detail.utterances, tail.utterances, (row) => row.utteranceId);
    const events = merge(detail.events, tail.events, (row) => row.eventId);
    utterances.sort((a, b) => a.sequence - b.sequence);
    events.sort((a, b) => a.at.getTime() - b.at.getTime());
    return { ...detail, utterances, events };
  }

  #take(event: LiveEvent): void {
    if (event.type === 'utterance')
      keep(this.#of(event.utterance.sessionId).utterances, event.utterance.utteranceId, event.utterance);
    else if (event.type === 'event') keep(this.#of(event.event.sessionId).events, event.event.eventId, event.event);
    else if (event.type === 'session' && event.session.status !== 'ACTIVE') this.#end(event.session.sessionId);
  }

  #of(sessionId: CallId): Tail {
    let tail = this.#tails.get(sessionId);
    if (!tail) {
      tail = { utterances: new Map(), events: new Map() };
      this.#tails.set(sessionId, tail);
      if (this.#tails.size > CALLS) this.#tails.delete(this.#tails.keys().next().value!);
    }
    return tail;
  }

  #end(sessionId: CallId): void {
    this.#ended.add(sessionId);
    if (this.#ended.size <= ENDED_KEPT) return;
    const oldest = this.#ended.values().next().value!;
    this.#ended.delete(oldest);
    this.#tails.delete(oldest);
  }
}

function keep<T>(rows: Map<string, T>, id: string, row: T): void {
  rows.set(id, row);
  if (rows.size > ROWS_PER_CALL) rows.delete(rows.keys().next().value!);
}

function merge<T>(stored: T[], live: Map<string, T>, idOf: (row: T) => string): T[] {
  const rows = new Map(stored.map((row) => [idOf(row), row]));
  for (const [id, row] of live) rows.set(id, row);
  return [...rows.values()];
}
