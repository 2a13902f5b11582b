import { type Clock, type Ms, steadyClock, wallTimeOf } from '../../core/clock.ts';
import { orderedIds } from '../../core/ordered-id.ts';
import type { Scribe, SpokenUtterance } from '../../dialogue/speaking/voice.ts';
import type { CallRegistry } from '../registry.ts';
import type { CallJournal, SessionRecord, UtteranceRecord } from './records.ts';

const HIDDEN_KEYS = '[keys]';

/** Takes a call down: into the journal for ever, into the registry for whoever watches. Never blocks, never throws. */
export class CallScribe implements Scribe {
  /** A call lasts as long as it lasted, whatever becomes of the machine's clock. */
  readonly #clock: Clock;
  readonly #journal: CallJournal;
  readonly #registry: CallRegistry;
  readonly #onUntranscribed: ((line: UtteranceRecord) => void) | undefined;
  /** What happens within one millisecond keeps its order in the store by these. */
  readonly #eventId = orderedIds();
  readonly #sequences = new Map<string, number>();
  readonly #lines = new Map<number, string>();
  #session: SessionRecord;
  /** While true no key is written down: the recording rests, and what is keyed then is nobody's to keep. */
  keysHidden = false;

  /** `onUntranscribed`: a line that was only taken down may get other words behind the call, or its first ones. */
  constructor(
    session: SessionRecord,
    clock: Clock,
    journal: CallJournal,
    registry: CallRegistry,
    onUntranscribed?: (line: UtteranceRecord) => void,
  ) {
    this.#session = session;
    this.#clock = steadyClock(clock);
    this.#journal = journal;
    this.#registry = registry;
    this.#onUntranscribed = onUntranscribed;
    this.session({});
  }

  get record(): SessionRecord {
    return this.#session;
  }

  /** The time that stands in this call's record for now. */
  time(): Date {
    return this.#clock.wall();
  }

  session(change: Partial<SessionRecord>): void {
    this.#session = { ...this.#session, ...change };
    this.#journal.append({ kind: 'session', row: this.#session });
    this.#registry.update(this.#session);
  }

  utterance(spoken: SpokenUtterance): void {
    let sequence = this.#sequences.get(spoken.key);
    if (sequence === undefined) {
      sequence = this.#sequences.size + 1;
      this.#sequences.set(spoken.key, sequence);
    }
    const at = (when: Ms) => wallTimeOf(this.#clock, when);
    const hidden = this.keysHidden && spoken.source === 'dtmf';
    const row: UtteranceRecord = {
      utteranceId: spoken.key,
      sessionId: this.#session.sessionId,
      sequence,
      speaker: spoken.speaker,
      text: hidden ? HIDDEN_KEYS : spoken.text,
      heard: hidden ? HIDDEN_KEYS : spoken.heard,
      interrupted: spoken.interrupted,
      startedAt: at(spoken.startedAt),
      endedAt: spoken.endedAt === undefined ? undefined : at(spoken.endedAt),
      confidence: spoken.confidence,
      source: spoken.source,
      timings: spoken.timings,
    };
    this.#lines.set(sequence, spoken.speaker === 'caller' ? row.text : '');
    this.#journal.append({ kind: 'utterance', row });
    this.#registry.utterance(row);
    if (row.source === 'overheard') this.#onUntranscribed?.(row);
  }

  event(type: string, data: Record<string, unknown> = {}): void {
    const at = this.#clock.wall();
    const row = {
      eventId: this.#eventId(at),
      sessionId: this.#session.sessionId,
      at,
      type,
      data: type === 'dtmf' && this.keysHidden ? { ...data, digit: 'hidden' } : data,
    };
    this.#journal.append({ kind: 'event', row });
    this.#registry.event(row);
  }

  /** What the caller said, in order: for the summary. */
  callerLines(): string[] {
    return [...this.#lines].sort(([a], [b]) => a - b).flatMap(([, text]) => (text === '' ? [] : [text]));
  }
}
