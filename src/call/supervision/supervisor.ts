import { asFailure, Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { MediaEngine } from '../../media/ports.ts';
import type { Synthesizer } from '../../speech/ports.ts';
import type { CallParties } from '../people/parties.ts';
import type { Party } from '../people/party.ts';
import { PartyVoice } from '../people/party-voice.ts';
import type { SupervisionMode } from '../people/supervision-mode.ts';
import type { SupervisedCalls } from './supervised-calls.ts';
import { type SupervisorCommand, SupervisorKeys } from './supervisor-keys.ts';

/** Words a supervisor hears; made ahead, so that nobody waits for them. */
export const SUPERVISOR_WORDS = {
  askCode: 'Supervisors. Please key your access code, and then the hash key.',
  wrongCode: 'That code is not right.',
  askCall: 'Please key the number of a call, and then the hash key.',
  noCall: 'There is no such call.',
  notNow: 'That is not possible now.',
  listen: 'Listening.',
  whisper: 'The agent hears you.',
  join: 'Everybody hears you.',
  'take-over': 'The caller hears you.',
} as const satisfies Record<string, string>;

/** calling: dialled, or asked for their code; waiting: no call chosen; active: in a call. */
export type SupervisorState = 'calling' | 'waiting' | 'active' | 'gone';

export interface SupervisorOptions {
  party: Party;
  /** Default: the party's. */
  id?: string;
  /** Has dialled in: waits for another call when one is over. */
  dialledIn: boolean;
  calls: SupervisedCalls;
  media: MediaEngine;
  synthesizer: Synthesizer;
  log: Logger;
}

export interface SupervisionView {
  supervisionId: string;
  name: string;
  state: SupervisorState;
  mode: SupervisionMode | undefined;
  sessionId: string | undefined;
  since: Date;
}

/**
 * One supervisor on the telephone. Moves: calling -> waiting <-> active (dialled in), calling -> active (dialled);
 * gone from each of them.
 */
export class Supervisor {
  readonly party: Party;
  readonly keys: SupervisorKeys;
  readonly #o: SupervisorOptions;
  readonly #since = new Date();
  #state: 'calling' | 'waiting' | 'active' = 'calling';
  #parties: CallParties | undefined;
  #sessionId: string | undefined;
  #intended: SupervisionMode | undefined;
  #voice: PartyVoice | undefined;
  /** Being brought into a call. */
  #attaching = false;

  constructor(options: SupervisorOptions) {
    this.#o = options;
    this.party = options.party;
    this.keys = new SupervisorKeys(options.dialledIn ? 'code' : 'call');
  }

  get id(): string {
    return this.#o.id ?? this.party.id;
  }

  get state(): SupervisorState {
    return this.party.signal.aborted ? 'gone' : this.#state;
  }

  get view(): SupervisionView {
    return {
      supervisionId: this.id,
      name: this.party.name,
      state: this.state,
      mode: this.#mode ?? this.#intended,
      sessionId: this.#sessionId,
      since: this.#since,
    };
  }

  /** Answers their call, or dials them. @throws Failure */
  async connect(): Promise<void> {
    await this.party.connect(this.party.signal);
    const { synthesizer, log } = this.#o;
    this.#voice = new PartyVoice(this.party, synthesizer, log);
    this.party.onKey((key) => this.#press(key));
  }

  /** What they are dialled for. */
  intend(sessionId: string, mode: SupervisionMode): void {
    this.#sessionId = sessionId;
    this.#intended = mode;
  }

  /** Who they are is known: no call is chosen yet. */
  wait(): void {
    this.#state = 'waiting';
    this.keys.moved('call');
    this.tell('askCall');
  }

  /** What a code leads to; set by who asks for it. */
  onCode: ((code: string) => void) | undefined;

  tell(words: keyof typeof SUPERVISOR_WORDS): void {
    void this.#voice?.say(SUPERVISOR_WORDS[words]);
  }

  /** Takes part in a call; in one at a time, however often they are asked for at once. @throws Failure 404, 409, 503 */
  async attach(sessionId: string, mode: SupervisionMode): Promise<void> {
    const parties = liveParties(this.#o.calls, sessionId);
    if (this.#attaching || this.#parties !== undefined) {
      throw new Failure('this supervisor is in a call already, or on the way into one', {
        code: 'supervisor-taken',
        blame: 'caller',
        sipStatus: 409,
      });
    }
    this.#attaching = true;
    try {
      this.#voice?.cut();
      parties.add(this.party, this.#o.dialledIn ? () => this.#detached() : undefined);
      await this.#o.media.bring(this.party.session, parties.caller);
      parties.supervise(this.party, mode);
    } catch (error) {
      parties.release(this.party);
      throw error;
    } finally {
      this.#attaching = false;
    }
    this.#parties = parties;
    this.#sessionId = sessionId;
    this.#intended = undefined;
    this.#state = 'active';
    this.keys.moved('attached');
  }

  /** @throws Failure 409 when that mode makes no sense now, 404 when they are in no call */
  change(mode: SupervisionMode): void {
    if (this.#parties === undefined)
      throw new Failure('not in a call', { code: 'not-found', blame: 'caller', sipStatus: 404 });
    this.#parties.supervise(this.party, mode);
  }

  /** Leaves the call: to wait for another, or to be hung up. */
  leave(): void {
    if (this.#o.dialledIn && this.#parties) {
      this.#parties.release(this.party);
      this.#detached();
    } else void this.party.hangup();
  }

  get #mode(): SupervisionMode | undefined {
    return this.#parties?.supervisors.find(({ party }) => party === this.party)?.mode;
  }

  #detached(): void {
    this.#parties = undefined;
    this.#sessionId = undefined;
    if (this.party.up) this.wait();
  }

  #press(key: string): void {
    const command = this.keys.press(key);
    if (command) void this.#obey(command);
  }

  async #obey(command: SupervisorCommand): Promise<void> {
    try {
      switch (command.type) {
        case 'code':
          this.onCode?.(command.code);
          return;
        case 'call': {
          const sessionId = this.#o.calls.sessionOf(command.number);
          if (sessionId === undefined) return this.tell('noCall');
          await this.attach(sessionId, 'listen');
          return this.tell('listen');
        }
        case 'mode':
          this.change(command.mode);
          return this.tell(command.mode);
        case 'leave':
          return this.leave();
      }
    } catch (error) {
      this.#o.log.info({ code: asFailure(error).code, supervision_id: this.id }, 'a supervisor asked in vain');
      this.tell('notNow');
    }
  }
}

/** @throws Failure 404 when the call is not live, not answered yet, or ending */
export function liveParties(calls: Pick<SupervisedCalls, 'partiesOf'>, sessionId: string): CallParties {
  const parties = calls.partiesOf(sessionId);
  if (parties !== undefined) return parties;
  throw new Failure('no such call is live', { code: 'call-not-live', blame: 'caller', sipStatus: 404 });
}
