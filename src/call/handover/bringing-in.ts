import type { Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Leg, ReferralEnd } from '../legs/call-leg.ts';
import { phoneNamed } from '../legs/dialler.ts';
import type { HandoverNews } from './handover-news.ts';
import type { HandoverTarget } from './handover-plan.ts';
import type { HandoverCaller, HandoverPerson } from './handover-sides.ts';
import type { HandoverEnd, HandoverRecord } from './handover-status.ts';

/** What a try of one person came to: the hand-over is over, or the next one is tried. */
export type Tried = HandoverEnd | 'next';

/** What the caller's side may take beyond the ringing: routing, and the news of it. */
const REFERRAL_SLACK_MS: Ms = 10_000;

export interface BringingInOptions {
  caller: HandoverCaller;
  record: HandoverRecord;
  news: HandoverNews;
  /** To the person, before they are connected; undefined: nothing is said. */
  briefing: { acceptKey: string; declineKey: string; waitMs: Ms } | undefined;
  /** The caller is wanted back with the bot. */
  recalled: AbortSignal;
  /** That, or the caller is gone. */
  stop: AbortSignal;
  /** The caller talks with somebody. */
  onConnected(): void;
  log: Logger;
}

/** Brings one person in, the way that is configured: by the caller's own side, through us, or the one after the other. */
export class BringingIn {
  readonly #o: BringingInOptions;
  #person: HandoverPerson | undefined;

  constructor(options: BringingInOptions) {
    this.#o = options;
  }

  /** Resolves when the telephone of whoever was called by us is free again. */
  get free(): Promise<void> {
    return this.#person?.free ?? Promise.resolve();
  }

  async bring(target: HandoverTarget): Promise<Tried> {
    const { way, to } = target;
    // The caller's side could not reach it.
    if (phoneNamed(to) !== undefined) return this.#call(target, 'bridge');
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
    const { record, news } = this.#o;
    const { name, to, ringMs } = target;
    record.move('referring');
    news.report('handover.calling', { target: name, way: 'refer' });
    return this.#referred(target, 'refer', { to, headers: news.headers(), longestMs: ringMs + REFERRAL_SLACK_MS });
  }

  async #referred(
    target: HandoverTarget,
    way: 'refer' | 'attended',
    referral: { to?: string; replaces?: Leg; headers?: Record<string, string>; longestMs: Ms },
  ): Promise<Tried | 'refused'> {
    const { caller, record, log } = this.#o;
    const { name } = target;
    const result = record.attempt(name, way);
    caller.event('handover-referring', { target: name, way });
    let end: ReferralEnd;
    try {
      end = await caller.leg.refer({ ...referral, onProgress: this.#progress(name, result) });
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

  /** Somebody's telephone rings, or is about to: as a NOTIFY of the caller's side tells it, or as we hear ourselves. */
  #progress(name: string, result: (outcome: string, status?: number) => void): (status: number) => void {
    return (status) => {
      result(status >= 180 && status <= 183 ? 'ringing' : 'trying', status);
      this.#o.caller.event('handover-progress', { target: name, status });
    };
  }

  /** Through us: the person is called, briefed, and the two are brought together. */
  async #call(target: HandoverTarget, way: 'attended' | 'bridge'): Promise<Tried> {
    const { caller, record, news, briefing, stop } = this.#o;
    const { name } = target;
    record.move('calling');
    const result = record.attempt(name, way);
    caller.event('handover-calling', { target: name, way });
    news.report('handover.calling', { target: name, way });
    const inBrowser = phoneNamed(target.to) !== undefined;
    let person: HandoverPerson;
    try {
      // Who takes a call in a browser reads what it is about while it rings.
      const written = inBrowser ? news.written() : {};
      const headers = { ...news.headers(), ...written, ...target.headers };
      person = await caller.dial(target, { headers, onProgress: this.#progress(name, result) }, stop);
      this.#person = person;
    } catch (error) {
      const failure = asFailure(error);
      const outcome = failure.code.replace(/^dial-/, '');
      result(outcome, failure.sipStatus);
      caller.event('handover-unanswered', { target: name, outcome, status: failure.sipStatus });
      return 'next';
    }
    try {
      result('answered', 200);
      caller.event('handover-answered', { target: name });
      if (briefing !== undefined && !inBrowser) {
        record.move('briefing');
        const verdict = await person.brief(news.spoken(briefing), briefing, stop);
        caller.event('handover-briefed', { target: name, verdict });
        if (verdict !== 'accepted') {
          result(verdict);
          return 'next';
        }
      }
      if (stop.aborted || person.signal.aborted) {
        result(stop.aborted ? 'cancelled' : 'gone');
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
    const { caller, record } = this.#o;
    if (way === 'attended') {
      record.move('referring');
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
    record.move('connected');
    result('connected');
    this.#o.onConnected();
    const end = await this.#talk(target, person);
    if (end === 'next') result('gone');
    return end;
  }

  /** As long as the person is there. Who wants to pass the caller on and cannot has the caller again. */
  async #talk(target: HandoverTarget, person: HandoverPerson): Promise<Tried> {
    const { caller, recalled, stop } = this.#o;
    const { name } = target;
    caller.event('handover-connected', { target: name });
    for (;;) {
      const end = await caller.talk(person, stop);
      if (typeof end === 'string') {
        caller.event('handover-talk-ended', { target: name, end });
        if (recalled.aborted || end === 'recalled') return 'recalled';
        if (end === 'gone') return 'next';
        return end === 'person-left' ? 'finished' : 'caller-gone';
      }
      if (await caller.passOn(end)) {
        caller.event('handover-talk-ended', { target: name, end: 'passed-on' });
        return 'passed-on';
      }
      if (recalled.aborted) return 'cancelled';
      if (caller.signal.aborted) return 'caller-gone';
      // Whoever hung up as soon as the transfer was under way cannot take the caller back.
      if (person.signal.aborted) return 'nobody';
    }
  }
}
