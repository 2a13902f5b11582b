import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Timekeeper } from '../core/alarm.ts';
import { asFailure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { ActionDesk } from '../dialogue/action-desk.ts';
import { Conversation } from '../dialogue/conversation.ts';
import type { EndpointingPolicy } from '../dialogue/endpointing.ts';
import type { IdleOptions } from '../dialogue/idle.ts';
import type { LanguageModel } from '../dialogue/language-model.ts';
import type { CodecName } from '../media/codecs/codec.ts';
import type { MediaEngine, MediaEvent, MediaReport, MediaSession } from '../media/ports.ts';
import type { Recognizer, Synthesizer } from '../speech/ports.ts';
import type { Bot } from './bots.ts';
import type { CallLeg, LegEnd } from './call-leg.ts';
import { type CallLine, IncomingLine } from './call-line.ts';
import { contextRow, openingRecord, recordingPath, recordingRow } from './call-rows.ts';
import type { MediaAddress } from './dialler.ts';
import { CallEar } from './ear.ts';
import { LegMedia } from './leg-media.ts';
import { causeOfFailure, causeOfLegEnd, type EndCause, statusOf } from './outcome.ts';
import type { CallJournal } from './records.ts';
import type { CallRegistry } from './registry.ts';
import type { Announcement, SayOutcome } from './say.ts';
import { CallScribe } from './scribe.ts';
import { summarise } from './summary.ts';
import { CallVoice } from './voice.ts';

export interface CallDeps {
  time: Timekeeper;
  log: Logger;
  dataDir: string;
  /** Who answers this call. */
  botFor(leg: CallLeg): Bot;
  /** False: the call is answered and carried, but no bot speaks (media tests, load tests). */
  speech: boolean;
  media: MediaEngine;
  recognizer: Recognizer;
  localRecognizer: Recognizer;
  synthesizer: Synthesizer;
  model: LanguageModel;
  journal: CallJournal;
  registry: CallRegistry;
  idle: IdleOptions;
  /** The codecs in use. Default: all. */
  codecs?: readonly CodecName[];
  endpointing: EndpointingPolicy;
  contextTtlMs: number;
}

/** The far end's jitter buffer plays a little behind what we send: the last word is not clipped by the BYE. */
const LAST_WORD_MS = 250;

/**
 * One call from ring to record.
 *
 *     setting-up -> answering -> talking -> ending -> ended
 *     setting-up -> ending, answering -> ending       (refused, cancelled, never acknowledged)
 *
 * Whatever ends it, the close is the same and happens once: abort the turn, BYE, close RTP, commit the record.
 */
export class Call {
  readonly #line: CallLine;
  readonly #deps: CallDeps;
  readonly #bot: Bot;
  readonly #log: Logger;
  readonly #scope: Scope;
  readonly #scribe: CallScribe;
  #session: MediaSession | undefined;
  #conversation: Conversation | undefined;
  #desk: ActionDesk | undefined;
  #ear: CallEar | undefined;
  #cause: EndCause | undefined;
  /** Why the bot is saying its last words, when that was not the conversation's own end. */
  #partingFor: EndCause | undefined;
  #end!: (cause: EndCause) => void;
  readonly #ended: Promise<EndCause>;

  constructor(leg: CallLeg, deps: CallDeps, parent: Scope) {
    this.#line = new IncomingLine(leg);
    this.#deps = deps;
    this.#bot = deps.botFor(leg);
    const correlationId = crypto.randomUUID();
    this.#log = deps.log.child({ session_id: leg.id, sip_call_id: leg.sipCallId, correlation_id: correlationId });
    this.#scope = parent.child(`call ${leg.id}`);
    this.#ended = new Promise((resolve) => {
      this.#end = (cause) => {
        this.#cause ??= cause;
        resolve(cause);
      };
    });
    this.#scribe = new CallScribe(
      openingRecord(leg, deps, this.#bot, correlationId),
      deps.time,
      deps.journal,
      deps.registry,
    );
  }

  get id(): string {
    return this.#line.id;
  }

  /** Resolves when the call is over and recorded; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#line;
    const onLegEnd = () => this.#end(causeOfLegEnd(signal.reason as LegEnd));
    signal.addEventListener('abort', onLegEnd, { once: true });
    if (signal.aborted) onLegEnd();
    this.#scope.signal.addEventListener('abort', () => this.#end('process-shutdown'), { once: true });
    try {
      const { callerIdentity, calledNumber } = this.#scribe.record;
      this.#scribe.event('call-started', { from: callerIdentity, to: calledNumber });
      if (this.#cause === undefined) await this.#connect();
      await this.#ended;
    } catch (error) {
      await this.#failed(error);
    } finally {
      signal.removeEventListener('abort', onLegEnd);
      await this.#close();
    }
  }

  /** Ends the call from our side. */
  hangup(cause: EndCause): void {
    this.#end(cause);
  }

  /** Tells the caller that the call cannot go on, for `limitMs` at most, and ends it; at once where no bot speaks. */
  bidGoodbye(cause: EndCause, limitMs: number): void {
    if (!this.#conversation || this.#scribe.record.answerTime === undefined || this.#cause !== undefined) {
      this.#end(cause);
      return;
    }
    this.#partingFor ??= cause;
    const timer = setTimeout(() => this.#end(cause), limitMs);
    this.#scope.onClose('goodbye', () => clearTimeout(timer));
    this.#conversation.goodbye(this.#bot.profile.prompts.shutdown);
  }

  /** Something is to be said to the caller. */
  say(announcement: Announcement): SayOutcome {
    if (!this.#conversation || this.#cause !== undefined) return 'silent';
    return this.#conversation.say(announcement) ? 'taken' : 'full';
  }

  async #connect(): Promise<void> {
    this.#line.onDtmf((digit) => this.#conversation?.onKey(digit));
    await this.#line.connect((place) => this.#openMedia(place));
    if (this.#cause !== undefined) return;
    this.#scribe.session({ answerTime: this.#deps.time.wall() });
    this.#scribe.event('answered');
    this.#conversation?.start();
  }

  /** Audio, its recording and a bot that listens: all there before the first packet. */
  async #openMedia(place: MediaAddress): Promise<LegMedia | undefined> {
    const media = await LegMedia.open({
      media: this.#deps.media,
      call: this.#line.id,
      place,
      codecs: this.#deps.codecs,
      onEvent: (event) => this.#onMedia(event),
      onChanged: ({ send, receive, codec }) => this.#scribe.event('media-changed', { send, receive, codec }),
    });
    const { session } = media;
    this.#session = session;
    if (this.#cause !== undefined) return undefined;
    await this.#record(session);
    if (this.#deps.speech) this.#prepareConversation(session);
    return this.#cause === undefined ? media : undefined;
  }

  #prepareConversation(session: MediaSession): void {
    const { deps, bot, id } = { deps: this.#deps, bot: this.#bot, id: this.#line.id };
    const record = this.#scribe.record;
    const desk = bot.openDesk({
      sessionId: id,
      callerPhone: record.callerPhone,
      correlationId: record.correlationId,
      log: this.#log,
      onEvent: ({ type, data }) => this.#scribe.event(type, data),
    });
    const ear = new CallEar({
      call: id,
      session,
      recognizer: deps.recognizer,
      localRecognizer: deps.localRecognizer,
      hintsFor: bot.hintsFor,
      onTranscript: (result) => this.#conversation?.onTranscript(result),
      log: this.#log,
    });
    this.#scope.onClose('recogniser stream', () => ear.close());
    this.#desk = desk;
    this.#ear = ear;
    this.#conversation = new Conversation({
      scope: this.#scope,
      time: deps.time,
      log: this.#log,
      instructions: bot.profile.instructions,
      prompts: bot.profile.prompts,
      announcementOnly: bot.profile.announcementOnly,
      model: deps.model,
      desk,
      voice: new CallVoice(deps.synthesizer, session, this.#log, bot.profile.voice),
      ear,
      scribe: this.#scribe,
      idle: deps.idle,
      endpointing: deps.endpointing,
      onEnd: (end) => setTimeout(() => this.#end(this.#partingFor ?? end), LAST_WORD_MS),
    });
  }

  async #record(session: MediaSession): Promise<void> {
    const path = join(this.#deps.dataDir, recordingPath(this.#scribe.record));
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      session.record(path);
    } catch (error) {
      this.#log.error({ err: error }, 'no recording: the folder cannot be made');
      this.#scribe.event('recording-failed', { message: asFailure(error).message });
    }
  }

  #onMedia(event: MediaEvent): void {
    switch (event.type) {
      case 'rtp-started':
        this.#scribe.event('rtp-started', { from: event.from });
        return;
      case 'rtp-timeout':
        this.#scribe.event('rtp-timeout', { silentMs: Math.round(event.silentMs) });
        this.#end('media-timeout');
        return;
      case 'media-interrupted': {
        const { gapMs, recordingLostMs, message } = event;
        this.#scribe.event('media-interrupted', {
          gapMs: Math.round(gapMs),
          recordingLostMs: Math.round(recordingLostMs),
          message,
        });
        // The dead worker took the caller's audio with it, and the recogniser's end of that line.
        this.#ear?.reopen();
        return;
      }
      case 'media-failed':
        this.#scribe.event('media-failed', { message: event.message });
        this.#end('media-failed');
        return;
      case 'recording-failed':
        this.#log.error({ reason: event.message }, 'recording failed');
        this.#scribe.event('recording-failed', { message: event.message });
        return;
      default:
        this.#conversation?.onMedia(event);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const failure = asFailure(error);
    this.#log[failure.blame === 'us' ? 'error' : 'warn']({ err: failure, code: failure.code }, 'call failed');
    this.#scribe.event('failure', { code: failure.code, message: failure.message });
    this.#end(this.#line.signal.aborted ? causeOfLegEnd(this.#line.signal.reason as LegEnd) : causeOfFailure(failure));
    if (!this.#line.signal.aborted && this.#scribe.record.answerTime === undefined) {
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
    const cause = this.#cause ?? 'internal-error';
    // The record first: it must not wait for a peer that does not answer our BYE.
    const { signal } = this.#line;
    this.#scribe.event('call-ended', { cause, ...(signal.aborted ? { leg: signal.reason as LegEnd } : {}) });
    const closing = this.#scope.close();
    const bye = this.#line.hangup().catch((error) => this.#log.warn({ err: error }, 'BYE not confirmed'));
    await closing;
    await this.#closeMedia();
    const { history } = this.#conversation ?? { history: [] };
    this.#scribe.session({
      status: statusOf(cause),
      endCause: cause,
      callEndTime: this.#deps.time.wall(),
      summary: summarise(history, this.#desk?.actions ?? [], this.#desk?.customer?.verified ?? false),
    });
    this.#keepContext();
    await bye;
    // What was started at the bank is not ours to abort: its ledger row is completed, however long the call is over.
    await this.#desk?.close();
    this.#log.info({ cause, status: statusOf(cause) }, 'call ended');
  }

  async #closeMedia(): Promise<void> {
    if (!this.#session) return;
    let report: MediaReport;
    try {
      report = await this.#session.close();
    } catch (error) {
      this.#log.error({ err: error }, 'media session did not close cleanly');
      return;
    }
    const { recording, ...stats } = report;
    this.#scribe.event('media-report', { ...stats });
    if (recording) {
      this.#deps.journal.append({ kind: 'recording', row: recordingRow(this.#scribe.record, recording) });
    }
  }

  #keepContext(): void {
    if (!this.#conversation) return;
    const row = contextRow(this.#line.id, this.#deps.time.wall(), this.#deps.contextTtlMs, {
      history: this.#conversation.history,
      customer: this.#desk?.customer,
    });
    this.#deps.journal.append({ kind: 'context', row });
  }
}
