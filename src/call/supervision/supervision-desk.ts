import { randomUUID } from 'node:crypto';
import type { Timekeeper } from '../../core/alarm.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { CodecName } from '../../media/codecs/codec.ts';
import type { MediaEngine } from '../../media/ports.ts';
import type { Synthesizer } from '../../speech/ports.ts';
import type { CallLeg } from '../legs/call-leg.ts';
import { IncomingLine, OutgoingLine } from '../legs/call-line.ts';
import type { Dialler } from '../legs/dialler.ts';
import { Party } from '../people/party.ts';
import type { SupervisionMode } from '../people/supervision-mode.ts';
import { Invitations } from './invitations.ts';
import type { SupervisedCall, SupervisedCalls } from './supervised-calls.ts';
import { liveParties, type SupervisionView, Supervisor } from './supervisor.ts';
import { CodeGuard, type SupervisorCodes } from './supervisor-codes.ts';
import { answerSupervisor } from './supervisor-line.ts';

export interface SupervisionDeskOptions {
  calls: SupervisedCalls;
  /** Those in force now; undefined: nobody may dial in. */
  codes(): SupervisorCodes | undefined;
  media: MediaEngine;
  codecs?: readonly CodecName[] | undefined;
  synthesizer: Synthesizer;
  dialler: () => Dialler;
  /** Supervisors at the same time; one more is refused with 503. */
  most: number;
  time: Timekeeper;
  log: Logger;
}

export interface SupervisionRequest {
  mode: SupervisionMode;
  /** Who is to be dialled ... */
  to?: string;
  gateway?: string;
  /** ... or one who has dialled in and waits ... */
  supervisionId?: string;
  /** ... or one who is about to call, let in by the id of this supervision; see CallLeg.supervisionId. */
  invite?: boolean;
  /** For the record; default: what was dialled, whose code it was, or `browser`. */
  name?: string;
}

export interface SupervisionStatus {
  /** Supervisors there may be at the same time. */
  most: number;
  calls: SupervisedCall[];
  supervisors: SupervisionView[];
}

/** Supervisors of this process: those who are dialled on request, those who were asked to come, and those who dial in. */
export class SupervisionDesk {
  readonly #o: SupervisionDeskOptions;
  readonly #supervisors = new Map<string, Supervisor>();
  readonly guard = new CodeGuard();
  readonly #invitations = new Invitations();
  #closed = false;

  constructor(options: SupervisionDeskOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#supervisors.size;
  }

  /** A supervisor dials in: who was asked to come to their call at once, others say their code first. Never throws. */
  accept(leg: CallLeg): void {
    const { log, time } = this.#o;
    if (leg.supervisionId !== undefined) {
      void this.#welcome(leg, leg.supervisionId);
      return;
    }
    const place = `${leg.trunk ?? ''} ${leg.remote.number ?? ''}`;
    const codes = this.#o.codes();
    const locked = this.guard.locked(place, time.now()) || this.guard.locked(leg.trunk ?? '', time.now());
    if (locked) log.warn({ trunk: leg.trunk, from: leg.remote.uri }, 'a locked-out supervisor calls');
    if (locked || codes === undefined || this.#full) {
      const refusal = locked ? { status: 403 } : codes ? { status: 503, retryAfterSeconds: 30 } : { status: 404 };
      void leg.reject(refusal).catch((error) => log.warn({ err: error }, 'refusal not sent'));
      return;
    }
    const party = this.#party(new IncomingLine(leg), leg.remote.number ?? leg.remote.uri);
    const supervisor = this.#add(new Supervisor({ party, ...this.#o, dialledIn: true }));
    const facts = { trunk: leg.trunk, from: leg.remote.uri, supervision_id: supervisor.id };
    void answerSupervisor({ supervisor, codes, guard: this.guard, place, trunk: leg.trunk ?? '', facts, time, log });
  }

  /**
   * Somebody is to take part in a call: who is dialled for it, waits on the line, or is about to call. Resolves at once
   * for who waits, otherwise before they are there; the state tells when they are.
   * @throws Failure 404 no such call or supervisor, 409 the mode makes no sense now, 503 full
   */
  async supervise(sessionId: string, request: SupervisionRequest): Promise<SupervisionView> {
    const { mode, to, gateway, supervisionId, invite, name } = request;
    const parties = liveParties(this.#o.calls, sessionId);
    if (supervisionId !== undefined) {
      const waiting = this.#supervisors.get(supervisionId);
      if (waiting?.state !== 'waiting') throw missing('no such supervisor waits on the line');
      await waiting.attach(sessionId, mode);
      return waiting.view;
    }
    if (this.#full) throw full();
    if (invite) {
      // Better now than when they have come.
      parties.maySupervise(mode);
      const { time } = this.#o;
      const facts = { supervisionId: randomUUID(), sessionId, mode, name: name ?? 'browser', since: time.wall() };
      this.#invitations.add(facts, time.now());
      return { ...facts, state: 'calling' };
    }
    if (to === undefined) throw new TypeError('who is to supervise?');
    const party = this.#party(
      new OutgoingLine(this.#o.dialler(), { to, gateway, whenUncounted: 'own-count' }),
      name ?? to,
      sessionId,
    );
    const supervisor = this.#add(new Supervisor({ party, ...this.#o, dialledIn: false }));
    void this.#bring(supervisor, sessionId, mode);
    return supervisor.view;
  }

  /** @throws Failure 404, 409 */
  change(sessionId: string, supervisionId: string, mode: SupervisionMode): SupervisionView {
    const supervisor = this.#of(sessionId, supervisionId);
    supervisor.change(mode);
    return supervisor.view;
  }

  /** Who was dialled is hung up, who dialled in waits on the line again. @throws Failure 404 */
  end(sessionId: string, supervisionId: string): void {
    if (this.#invitations.take(supervisionId, this.#o.time.now(), sessionId)) return;
    this.#of(sessionId, supervisionId).leave();
  }

  status(): SupervisionStatus {
    const invited = this.#invitations.open(this.#o.time.now()).map((one) => ({ ...one, state: 'calling' as const }));
    const supervisors = [...[...this.#supervisors.values()].map(({ view }) => view), ...invited];
    return { most: this.#o.most, calls: this.#o.calls.live(), supervisors };
  }

  /** All are hung up. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#supervisors.values()].map(({ party }) => party.hangup()));
  }

  get #full(): boolean {
    const coming = this.#invitations.open(this.#o.time.now()).length;
    return this.#closed || this.#supervisors.size + coming >= this.#o.most;
  }

  #party(line: IncomingLine | OutgoingLine, name: string, sessionId?: string): Party {
    const { media, codecs, log, calls } = this.#o;
    const beside = sessionId === undefined ? undefined : calls.partiesOf(sessionId)?.caller;
    const onDialling = (sipCallId: string) => {
      if (sessionId !== undefined) calls.partiesOf(sessionId)?.trace(sipCallId);
    };
    return new Party({ role: 'supervisor', name, line, media, codecs, beside, log, onDialling });
  }

  #add(supervisor: Supervisor): Supervisor {
    this.#supervisors.set(supervisor.id, supervisor);
    supervisor.party.signal.addEventListener('abort', () => this.#supervisors.delete(supervisor.id), { once: true });
    return supervisor;
  }

  /** Somebody calls whom a place in a call is kept for; once. */
  async #welcome(leg: CallLeg, supervisionId: string): Promise<void> {
    const { log, time } = this.#o;
    const invitation = this.#closed ? undefined : this.#invitations.take(supervisionId, time.now());
    if (invitation === undefined) {
      await leg.reject({ status: 403 }).catch((error) => log.warn({ err: error }, 'refusal not sent'));
      return;
    }
    const { sessionId, mode, name } = invitation;
    const party = this.#party(new IncomingLine(leg), name, sessionId);
    const supervisor = this.#add(new Supervisor({ party, ...this.#o, id: supervisionId, dialledIn: false }));
    await this.#bring(supervisor, sessionId, mode);
  }

  /** Brings them into the call as soon as they hear and are heard; who cannot take part is hung up. Never rejects. */
  async #bring(supervisor: Supervisor, sessionId: string, mode: SupervisionMode): Promise<void> {
    const { log, calls } = this.#o;
    supervisor.intend(sessionId, mode);
    const event = (type: string, data: Record<string, unknown>) => calls.partiesOf(sessionId)?.event(type, data);
    const facts = { party: supervisor.party.id, supervisor: supervisor.party.name, mode };
    event('supervision-requested', facts);
    try {
      await supervisor.connect();
      await supervisor.attach(sessionId, mode);
    } catch (error) {
      const { code, message } = asFailure(error);
      log.warn({ session_id: sessionId, code, reason: message }, 'a supervisor could not take part');
      event('supervision-failed', { ...facts, code });
      await supervisor.party.hangup();
    }
  }

  #of(sessionId: string, supervisionId: string): Supervisor {
    const supervisor = this.#supervisors.get(supervisionId);
    if (supervisor?.view.sessionId !== sessionId) throw missing('no such supervisor is in this call');
    return supervisor;
  }
}

function missing(message: string): Failure {
  return new Failure(message, { code: 'not-found', blame: 'caller', sipStatus: 404 });
}

function full(): Failure {
  const facts = { code: 'supervisors-full', blame: 'us', retryable: true, sipStatus: 503 } as const;
  return new Failure('as many supervisors as there may be are on the line', facts);
}
