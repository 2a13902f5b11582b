import { asFailure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { MediaReport, MediaSession } from '../media/ports.ts';
import type { Bot } from './bot/bots.ts';
import { CallBot } from './bot/call-bot.ts';
import type { Announcement, SayOutcome } from './bot/say.ts';
import type { CallDeps, CallOpening } from './call-deps.ts';
import { Ending } from './ending.ts';
import type { HandoverRefusal, HandoverRequest } from './handover/handover-desk.ts';
import type { HandoverStatus } from './handover/handover-status.ts';
import { endOf, type Leg } from './legs/call-leg.ts';
import type { CallLine } from './legs/call-line.ts';
import type { DialProgress, MediaAddress } from './legs/dialler.ts';
import { LegKeys } from './legs/leg-keys.ts';
import { LegMedia } from './legs/leg-media.ts';
import { takeMediaEvent } from './media-events.ts';
import { CallCompany } from './people/company.ts';
import type { CallParties } from './people/parties.ts';
import type { Party } from './people/party.ts';
import { contextRow } from './record/call-rows.ts';
import { causeOfFailure, causeOfLegEnd, type EndCause, statusOf } from './record/outcome.ts';
import type { SessionRecord } from './record/records.ts';
import { CallScribe } from './record/scribe.ts';
import { SipLadder, type SipTrace } from './record/sip-ladder.ts';
import { summarise } from './record/summary.ts';
import { CallRecording } from './recording/call-recording.ts';

/** A message left on a machine is no longer than that. */
const MESSAGE_LIMIT_MS = 60_000;
/** The far end's jitter buffer plays a little behind what we send: the last word is not clipped by the BYE. */
const LAST_WORD_MS = 250;

/**
 * One call from ring to record.
 *
 *     setting-up -> connecting -> talking -> ending -> ended
 *     setting-up -> ending, connecting -> ending      (refused, cancelled, not answered, never acknowledged)
 *
 * Whatever ends it, the close is the same and happens once: abort the turn, BYE, close RTP, commit the record.
 */
export class Call {
  readonly #line: CallLine;
  readonly #deps: CallDeps;
  readonly #bot: Bot;
  readonly #opening: CallOpening;
  readonly #log: Logger;
  readonly #scope: Scope;
  readonly #scribe: CallScribe;
  readonly #ladder: SipLadder;
  #session: MediaSession | undefined;
  readonly #recording: CallRecording;
  /** Undefined: no bot speaks in this call, or not yet. */
  #seat: CallBot | undefined;
  readonly #company: CallCompany;
  readonly #keys = new LegKeys({
    down: (key) => {
      if (!this.#company.takesKey(key.digit)) this.#seat?.onMedia(key);
    },
    up: (digit, durationMs) => this.#company.passKey(digit, durationMs),
  });
  readonly #ending = new Ending();
  /** Why the bot is saying its last words, when that was not the conversation's own end. */
  #partingFor: EndCause | undefined;

  constructor(opening: CallOpening, deps: CallDeps, parent: Scope) {
    const { line, bot, record } = opening;
    this.#opening = opening;
    this.#line = line;
    this.#deps = deps;
    this.#bot = bot;
    const { sessionId, sipCallId, correlationId } = record;
    this.#ladder = new SipLadder(deps.sipTraces);
    this.#ladder.add(sipCallId);
    this.#log = deps.log.child({ session_id: sessionId, sip_call_id: sipCallId, correlation_id: correlationId });
    this.#scope = parent.child(`call ${sessionId}`);
    this.#scribe = new CallScribe(record, deps.time, deps.journal, deps.registry, deps.onUntranscribed);
    this.#recording = new CallRecording({
      manner: bot.profile.recording,
      recordings: deps.recordings,
      scribe: this.#scribe,
      journal: deps.journal,
    });
    this.#company = new CallCompany({
      opening,
      deps,
      scope: this.#scope,
      scribe: this.#scribe,
      trace: (one) => this.#ladder.add(one),
      onGone: () => this.#ending.end('transferred'),
      log: this.#log,
    });
  }

  get id(): string {
    return this.#line.id;
  }

  /** Resolves with why it ended when the call is over and recorded; never rejects. */
  async run(): Promise<EndCause> {
    const { signal } = this.#line;
    const onLegEnd = () => void this.#legEnded();
    signal.addEventListener('abort', onLegEnd, { once: true });
    if (signal.aborted) onLegEnd();
    this.#scope.signal.addEventListener('abort', () => this.#ending.end('process-shutdown'), { once: true });
    try {
      const { callerIdentity, calledNumber } = this.#scribe.record;
      this.#scribe.event('call-started', { from: callerIdentity, to: calledNumber });
      const { direction, trunk, botProfile } = this.#scribe.record;
      this.#log.info({ direction, trunk, bot: botProfile }, 'call begins');
      if (this.#ending.cause === undefined) await this.#connect();
      await this.#ending.over;
    } catch (error) {
      await this.#failed(error);
    } finally {
      signal.removeEventListener('abort', onLegEnd);
      await this.#close();
    }
    return this.#ending.cause ?? 'internal-error';
  }

  /** Ends the call from our side. */
  hangup(cause: EndCause): void {
    this.#ending.end(cause);
  }

  /** What stands in the record now. */
  get record(): SessionRecord {
    return this.#scribe.record;
  }

  /**
   * Tells the caller that the call cannot go on, or `words`, for `limitMs` at most, and ends it: true. Ends it at once where
   * no bot speaks, so also before our answer has been acknowledged: false.
   */
  bidGoodbye(cause: EndCause, limitMs: number, words = this.#bot.profile.prompts.shutdown): boolean {
    if (!this.#seat || this.#scribe.record.answerTime === undefined || this.#ending.cause !== undefined) {
      this.#ending.end(cause);
      return false;
    }
    this.#partingFor ??= cause;
    const timer = setTimeout(() => this.#ending.end(cause), limitMs);
    this.#scope.onClose('goodbye', () => clearTimeout(timer));
    this.#seat.conversation.goodbye(words);
    return true;
  }

  /** The SIP messages of all its legs so far. */
  sipTrace(): SipTrace {
    return this.#ladder.read();
  }

  /** Something is to be said to the caller. */
  say(announcement: Announcement): SayOutcome {
    return this.#ending.cause === undefined ? (this.#seat?.say(announcement) ?? 'silent') : 'silent';
  }

  /** Hands the caller over to a person. */
  transfer(request: HandoverRequest): HandoverStatus | HandoverRefusal {
    if (this.#scribe.record.answerTime === undefined || this.#ending.cause !== undefined) return 'not-answered';
    return this.#company.transfer(request);
  }

  /** The last hand-over of this call. */
  get handover(): HandoverStatus | undefined {
    return this.#company.status;
  }

  /** Takes the caller back from a hand-over; false when none goes on. */
  recall(): boolean {
    return this.#company.recall();
  }

  /** The person whom this call's caller talks with is to be another call's; undefined where `leg` is not this caller's. */
  takePersonOf(leg: Leg): Party | undefined {
    return this.#line.leg === leg && this.#ending.cause === undefined ? this.#company.giveAway() : undefined;
  }

  async #connect(): Promise<void> {
    this.#line.onDtmf((digit, durationMs) => this.#keys.bySignalling(digit, durationMs, this.#deps.time.now()));
    const facts = await this.#line.connect(
      {
        open: (place) => this.#openMedia(place),
        beforeAudio: (early) => this.#beforeAudio(early),
        onProgress: (progress) => this.#progress(progress),
      },
      this.#ending.signal,
    );
    if (this.#ending.cause !== undefined) return;
    // Another one than was dialled, where somebody has picked the call up.
    if (facts.sipCallId !== undefined) this.#ladder.add(facts.sipCallId);
    this.#scribe.session({ ...facts, answerTime: this.#scribe.time() });
    this.#scribe.event('answered');
    this.#opening.onAnswered?.();
    this.#line.leg?.onReplaced(({ uri }, sipCallId) => this.#scribe.event('caller-replaced', { by: uri, sipCallId }));
    this.#seat?.start();
    this.#company.open(this.#session!, this.#seat);
  }

  /** Who else is in the call; undefined before the answer and once the call is over. */
  get parties(): CallParties | undefined {
    return this.#ending.cause === undefined ? this.#company.parties : undefined;
  }

  /** Somebody speaks with the caller in the bot's place. */
  get hasAgent(): boolean {
    return this.#ending.cause === undefined && this.#company.hasAgent;
  }

  async #openMedia(place: MediaAddress): Promise<LegMedia | undefined> {
    this.#ladder.add(place.sipCallId);
    if (this.#scribe.record.sipCallId !== place.sipCallId) this.#scribe.session({ sipCallId: place.sipCallId });
    // Another place is tried: what was made for the one before has heard nothing.
    await this.#session?.close();
    const media = await LegMedia.open({
      media: this.#deps.media,
      call: this.#line.id,
      place,
      codecs: this.#deps.codecs,
      onEvent: (event) =>
        takeMediaEvent(event, {
          scribe: this.#scribe,
          keys: this.#keys,
          bot: this.#seat,
          end: (cause) => this.#ending.end(cause),
          log: this.#log,
        }),
      onChanged: ({ send, receive, codec }) => this.#scribe.event('media-changed', { send, receive, codec }),
    });
    this.#session = media.session;
    return this.#ending.cause === undefined ? media : undefined;
  }

  /** The recording, and behind an answer a bot that listens: all there before the first packet. */
  async #beforeAudio(early: boolean): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#ending.cause !== undefined) return;
    this.#recording.begin(session);
    if (early || !this.#deps.speech || this.#ending.cause !== undefined) return;
    this.#seat = new CallBot({
      opening: this.#opening,
      deps: this.#deps,
      session,
      scope: this.#scope,
      scribe: this.#scribe,
      consent: this.#recording.consent,
      furnish: (desk) => this.#company.furnish(desk),
      onEnd: (end) => setTimeout(() => this.#ending.end(this.#partingFor ?? end), LAST_WORD_MS),
      onMessage: (words) => this.bidGoodbye('message-left', MESSAGE_LIMIT_MS, words),
      onMachine: () => this.#ending.end('answering-machine'),
      log: this.#log,
    });
  }

  #progress({ status, sdp, gateway }: DialProgress): void {
    this.#scribe.event(sdp === undefined ? 'ringing' : 'early-media', { status, gateway });
  }

  /** Keeps both sides out of the recording for a while. False: nothing is recorded. */
  pauseRecording(paused: boolean): boolean {
    return this.#ending.cause === undefined && this.#recording.pause(paused);
  }

  /** Whoever was asked to take the caller elsewhere hangs up when that is done, and may say so only behind its BYE. */
  async #legEnded(): Promise<void> {
    const cause = this.#causeOfLegEnd();
    const referred = await this.#company.leaving;
    this.#ending.end(referred === 'transferred' ? referred : cause);
  }

  #causeOfLegEnd(): EndCause {
    return causeOfLegEnd(endOf(this.#line.signal), this.#scribe.record.direction);
  }

  async #failed(error: unknown): Promise<void> {
    const failure = asFailure(error);
    const { signal } = this.#line;
    // Who hangs up leaves what was under way unfinished: that is no fault.
    if (signal.aborted && endOf(signal).by === 'caller' && failure.blame !== 'us') {
      this.#ending.end(this.#causeOfLegEnd());
      return;
    }
    this.#log[failure.blame === 'us' ? 'error' : 'warn']({ err: failure, code: failure.code }, 'call failed');
    this.#scribe.event('failure', { code: failure.code, message: failure.message });
    this.#ending.end(signal.aborted ? this.#causeOfLegEnd() : causeOfFailure(failure));
    if (!signal.aborted && this.#scribe.record.answerTime === undefined) {
      await this.#line
        .refuse({
          status: failure.sipStatus,
          retryAfterSeconds: failure.sipStatus === 503 ? 5 : undefined,
          because: failure.sipStatus === 488 ? { code: failure.code, message: failure.message } : undefined,
        })
        .catch((rejectError) => this.#log.warn({ err: rejectError }, 'refusal not sent'));
    }
  }

  async #close(): Promise<void> {
    const cause = this.#ending.cause ?? 'internal-error';
    // The record first: it must not wait for a peer that does not answer our BYE.
    const { signal } = this.#line;
    this.#scribe.event('call-ended', { cause, ...(signal.aborted ? { leg: endOf(signal) } : {}) });
    const closing = this.#scope.close();
    const bye = this.#line.hangup().catch((error) => this.#log.warn({ err: error }, 'BYE not confirmed'));
    await closing;
    await this.#closeMedia();
    const { history = [], desk } = this.#seat ?? {};
    this.#scribe.session({
      status: statusOf(cause),
      endCause: cause,
      callEndTime: this.#scribe.time(),
      summary: summarise(history, desk?.actions ?? [], desk?.customer?.verified ?? false),
    });
    this.#keepContext();
    await bye;
    await this.#keepLadder();
    // What was started at the bank is not ours to abort: its ledger row is completed, however long the call is over.
    await desk?.close();
    this.#log.info({ cause, status: statusOf(cause) }, 'call ended');
  }

  async #closeMedia(): Promise<void> {
    if (!this.#session) return;
    this.#recording.settle();
    let report: MediaReport;
    try {
      report = await this.#session.close();
    } catch (error) {
      this.#log.error({ err: error }, 'media session did not close cleanly');
      return;
    }
    const { recording, ...stats } = report;
    this.#scribe.event('media-report', { ...stats });
    await this.#recording.finished(recording);
  }

  async #keepLadder(): Promise<void> {
    const row = await this.#ladder.finish(this.id);
    if (row) this.#deps.journal.append({ kind: 'sip-ladder', row });
  }

  #keepContext(): void {
    if (!this.#seat) return;
    const row = contextRow(this.#line.id, this.#deps.time.wall(), this.#deps.contextTtlMs, {
      history: this.#seat.history,
      customer: this.#seat.desk.customer,
    });
    this.#deps.journal.append({ kind: 'context', row });
  }
}
