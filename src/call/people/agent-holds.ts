import type { Alarm, Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Party } from './party.ts';

/** From their side's last packet to our music. */
const LISTEN_MS: Ms = 1000;

export interface AgentHoldsOptions {
  time: Timekeeper;
  log: Logger;
  event(type: string, data: Record<string, unknown>): void;
  /** `quiet` is another now. */
  onChanged(): void;
  /** They have not come back for as long as they may. */
  onTooLong(party: Party): void;
}

/**
 * Agents who have put the call on hold (RFC 3264 8.4). Music of theirs is heard like their voice; many telephones say that
 * they send and send nothing, and then the caller is to have ours.
 */
export class AgentHolds {
  readonly #o: AgentHoldsOptions;
  readonly #holds = new Map<Party, Hold>();

  constructor(options: AgentHoldsOptions) {
    this.#o = options;
  }

  /** All agents hold, and nothing comes from any of them. */
  get quiet(): boolean {
    return this.#holds.size > 0 && [...this.#holds.values()].every(({ quiet }) => quiet);
  }

  /** Speaks with the caller from now on; may hold for `mostMs` at a time. */
  add(party: Party, mostMs: Ms): void {
    const hold = new Hold(party, mostMs, this.#o);
    this.#holds.set(party, hold);
    party.onHeld((held) => hold.change(held));
    hold.change(party.held);
  }

  remove(party: Party): void {
    party.onHeld(undefined);
    this.#holds.get(party)?.close();
    this.#holds.delete(party);
  }
}

/** One agent's. */
class Hold {
  quiet = false;
  readonly #party: Party;
  readonly #mostMs: Ms;
  readonly #o: AgentHoldsOptions;
  readonly #tooLong: Alarm;
  readonly #listen: Alarm;
  #held = false;
  /** That had come when they were counted last. */
  #packets: number | undefined;

  constructor(party: Party, mostMs: Ms, options: AgentHoldsOptions) {
    this.#party = party;
    this.#mostMs = mostMs;
    this.#o = options;
    this.#tooLong = options.time.alarm(() => options.onTooLong(party));
    this.#listen = options.time.alarm(() => void this.#count());
  }

  change(held: boolean): void {
    if (held === this.#held) return;
    const { time, event } = this.#o;
    const { id, name } = this.#party;
    this.#held = held;
    this.#packets = undefined;
    event(held ? 'agent-held' : 'agent-resumed', { party: id, name });
    this.#tooLong.set(held ? time.now() + this.#mostMs : undefined);
    if (held) void this.#count();
    else {
      this.#listen.set(undefined);
      this.#hear(false);
    }
  }

  close(): void {
    this.#held = false;
    this.#tooLong.set(undefined);
    this.#listen.set(undefined);
  }

  async #count(): Promise<void> {
    try {
      const { packetsReceived } = await this.#party.session.stats();
      if (!this.#held) return;
      if (this.#packets !== undefined) this.#hear(packetsReceived === this.#packets);
      this.#packets = packetsReceived;
    } catch (error) {
      // Its worker is being replaced, or it is gone.
      this.#o.log.debug({ err: error }, 'what comes from an agent on hold is not known');
    }
    if (this.#held) this.#listen.set(this.#o.time.now() + LISTEN_MS);
  }

  #hear(quiet: boolean): void {
    if (quiet === this.quiet) return;
    this.quiet = quiet;
    this.#o.onChanged();
  }
}
