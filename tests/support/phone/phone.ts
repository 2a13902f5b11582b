import { type Ms, monotonicNow } from '../../../src/core/clock.ts';
import type { HeardPacket } from './ear.ts';
import { DialRefused, FarEndSilent, HungUp } from './failures.ts';
import {
  measurePacing,
  measureTurn,
  measureTurns,
  OVERLAP_MS,
  type Pacing,
  type Turn,
  type TurnMeasure,
} from './measures.ts';
import type { KeyOptions, Speech } from './mouth.ts';
import { type Pacer, sharedPacer } from './pacer.ts';
import { ReferredCall } from './referred-call.ts';
import { type LineOptions, RtpLine } from './rtp-line.ts';
import { type CallEnd, SipCall } from './sip-call.ts';
import { addressOf } from './sip-dialog.ts';
import { type EndpointOptions, SipEndpoint } from './sip-endpoint.ts';
import { header, parseUri, responseTo, type SipHeader, type SipRequest, type SipResponse } from './sip-message.ts';
import type { Tape } from './tape.ts';
import { DEFAULT_VOICE, VoiceBox, type VoiceName } from './voice.ts';
import { writeWav } from './wav.ts';

/** Told what happens, as it happens; must not throw. For terminals and logs, never for control. */
export interface PhoneObserver {
  ringing?(status: number): void;
  answered?(setupMs: Ms): void;
  callerSpeaks?(turn: Turn): void;
  callerDone?(turn: Turn): void;
  /** First packet with sound after silence. `latency`: of the turn it answers, when it answers one. */
  botSpeaks?(at: Ms, latency: TurnMeasure | undefined): void;
  botSilent?(at: Ms, spokeMs: Ms): void;
  ended?(end: CallEnd): void;
}

export interface PhoneOptions extends EndpointOptions, Omit<LineOptions, 'host'> {
  /** User part or number the phone calls from. Default +15550100. */
  readonly from?: string;
  /** Whole From value instead, e.g. `"Anonymous" <sip:anonymous@anonymous.invalid>`. */
  readonly fromHeader?: string;
  readonly voice?: VoiceName;
  /** Shared between phones; the phone makes and closes its own when left out. */
  readonly voiceBox?: VoiceBox;
  readonly pacer?: Pacer;
  /** INVITE without SDP: the far end offers in its 200. */
  readonly delayedOffer?: boolean;
  /** Send the INVITE here instead of to the address in the URI. */
  readonly proxy?: string;
  readonly headers?: readonly SipHeader[];
  readonly observer?: PhoneObserver;
  /** Calls whom the far end refers it to. Default: it lets nobody send it elsewhere (603). */
  readonly refers?: boolean;
}

/** All the figures of one call, as measures.md defines them. */
export interface PhoneReport {
  readonly setupMs: Ms | undefined;
  readonly greetingMs: Ms | undefined;
  readonly turns: readonly TurnMeasure[];
  readonly pacing: Pacing;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly end: CallEnd | undefined;
}

interface Waiter {
  readonly met: (now: Ms) => boolean;
  readonly deadline: Ms;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly what: string;
  readonly survivesHangup: boolean;
}

/** Shown silent after this much quiet. */
const SILENT_AFTER_MS = 600;
/** How long it waits for what the far end does next, unless told: longer than a busy machine is late. */
const PATIENCE_MS: Ms = 30_000;

/** A telephone for one call: dials, speaks, keys, listens, measures. */
export class Phone {
  readonly endpoint: SipEndpoint;
  readonly line: RtpLine;
  readonly turns: Turn[] = [];
  /** In-dialog requests the far end sent. */
  readonly received: SipRequest[] = [];
  readonly #options: PhoneOptions;
  readonly #voices: VoiceBox;
  readonly #ownVoices: boolean;
  readonly #removeFromPacer: () => void;
  #waiters: Waiter[] = [];
  #call: SipCall | undefined;
  /** The call it made when it was referred. */
  referred: ReferredCall | undefined;
  #end: CallEnd | undefined;
  #spellsSeen = 0;
  #botTalking = false;
  #lastTurnEnd: Ms = 0;
  #closed = false;

  private constructor(endpoint: SipEndpoint, line: RtpLine, options: PhoneOptions) {
    this.endpoint = endpoint;
    this.line = line;
    this.#options = options;
    this.#voices = options.voiceBox ?? new VoiceBox();
    this.#ownVoices = options.voiceBox === undefined;
    endpoint.onRequest = (request, transaction) => {
      if (this.#call && header(request, 'call-id') === this.#call.callId) {
        if (transaction || request.method === 'ACK') this.#call.receive(request, transaction);
        return;
      }
      const referred = this.referred?.signalling;
      if (referred && header(request, 'call-id') === referred.callId) {
        referred.receive(request, transaction);
        return;
      }
      const known = request.method === 'OPTIONS';
      transaction?.respond(
        known ? responseTo(request, 200, 'OK') : responseTo(request, 481, 'Call/Transaction Does Not Exist'),
      );
    };
    this.#removeFromPacer = (options.pacer ?? sharedPacer).add((now, skipped) => {
      line.tick(now, skipped);
      this.#look(now);
    });
  }

  /** Opens the phone's sockets on free ports. Close it when done. */
  static async open(options: PhoneOptions = {}): Promise<Phone> {
    const endpoint = await SipEndpoint.open(options);
    let phone: Phone | undefined;
    const line = await RtpLine.open({
      ...options,
      host: options.host ?? '127.0.0.1',
      onAudio: (pcm, packet) => {
        phone?.look(packet.at);
        options.onAudio?.(pcm, packet);
      },
    });
    phone = new Phone(endpoint, line, options);
    return phone;
  }

  /** The Call-ID header; '' before dialling. */
  get sipCallId(): string {
    return this.#call?.callId ?? '';
  }

  get ended(): CallEnd | undefined {
    return this.#end;
  }

  get call(): SipCall | undefined {
    return this.#call;
  }

  /** Every packet that arrived, oldest first. */
  get packets(): readonly HeardPacket[] {
    return this.line.ear.packets;
  }

  /** Calls and waits for the answer. Throws DialRefused when it is refused, cancelled or not answered in time. */
  async dial(uri: string, timeoutMs: Ms = 40_000): Promise<void> {
    this.startDialing(uri);
    await this.#until(() => this.#call?.state === 'established', timeoutMs, 'the call to be answered', true).catch(
      (error) => {
        this.#call?.cancel();
        throw error;
      },
    );
  }

  /** Sends the INVITE and returns at once; `cancel`, `waitForAnswer` and `ended` tell the rest. */
  startDialing(uri: string): void {
    if (this.#call) throw new Error('this phone has made its call');
    const user = this.#options.from ?? '+15550100';
    const host = this.endpoint.wire.local.address;
    const from = this.#options.fromHeader ?? `<sip:${user}@${host.includes(':') ? `[${host}]` : host}>`;
    const target =
      parseUri(uri).params.has('transport') || this.endpoint.wire.transport === 'udp' ? uri : `${uri};transport=tcp`;
    this.#call = SipCall.invite(
      this.endpoint,
      {
        to: target,
        from,
        contactUser: user,
        nextHop: addressOf(this.#options.proxy ?? uri),
        sdp: this.#options.delayedOffer ? undefined : this.line.describe('offer'),
        headers: this.#options.headers,
      },
      {
        onProgress: (response) => {
          this.#options.observer?.ringing?.(response.status);
          if (response.body !== '') this.#connect(response.body);
        },
        onRemoteSdp: (sdp) => this.#connect(sdp),
        localSdp: (kind) => this.line.describe(kind),
        onInDialog: (request) => this.received.push(request),
        onRefer: (request) => this.#refer(request, user),
        onEnd: (end) => {
          this.#end = end;
          this.#options.observer?.ended?.(end);
          this.#look(monotonicNow());
        },
      },
    );
    void this.#until(() => this.#call?.state === 'established', 600_000, 'answer', true)
      .then(() => this.#options.observer?.answered?.(this.setupMs ?? 0))
      .catch(() => {});
  }

  #refer(refer: SipRequest, user: string): number {
    if (!this.#options.refers || !this.#call) return 603;
    this.referred = new ReferredCall(this.endpoint, this.line, { by: this.#call, refer, user });
    return 202;
  }

  waitForAnswer(timeoutMs: Ms = 40_000): Promise<void> {
    return this.#until(() => this.#call?.state === 'established', timeoutMs, 'the call to be answered', true);
  }

  /** Gives up before the answer. */
  cancel(): void {
    this.#call?.cancel();
  }

  /** Ends the call from this side, whatever state it is in. Resolves when the far end has confirmed. */
  async hangup(): Promise<void> {
    this.line.mouth.stop();
    await this.#call?.hangup();
  }

  /** Waits for the far end to hang up. */
  waitForHangup(timeoutMs: Ms = PATIENCE_MS): Promise<void> {
    return this.#until(() => this.#end !== undefined, timeoutMs, 'the far end to hang up', true, true);
  }

  /**
   * Says a line, or audio, and resolves when its last sample was sent. `expectReply: false` for what is not a whole
   * turn. Synthesis happens before the first sample is sent; use `prepare` to have it done before the call.
   */
  async say(words: string | Int16Array, options: { expectReply?: boolean; label?: string } = {}): Promise<Turn> {
    const pcm = typeof words === 'string' ? await this.#voices.speak(words, this.#voice) : words;
    const text = options.label ?? (typeof words === 'string' ? words : 'audio');
    return this.#speak('say', text, () => this.line.mouth.say(pcm), options.expectReply ?? true);
  }

  /** Keys digits by RFC 4733 and resolves when the last key is up. */
  async press(digits: string, options: KeyOptions & { expectReply?: boolean } = {}): Promise<Turn> {
    return this.#speak('press', digits, () => this.line.mouth.press(digits, options), options.expectReply ?? true);
  }

  /** Keys by SIP INFO (application/dtmf-relay), as some gateways do. */
  async pressByInfo(digits: string): Promise<void> {
    for (const digit of digits) {
      const type = { name: 'Content-Type', value: 'application/dtmf-relay' };
      await this.#call?.request('INFO', [type], `Signal=${digit}\r\nDuration=100\r\n`);
    }
  }

  /** Waits until the bot has spoken for `afterMs` since the caller's last turn, then speaks into it. */
  async interrupt(words: string | Int16Array, options: { afterMs?: Ms; timeoutMs?: Ms } = {}): Promise<Turn> {
    const pcm = typeof words === 'string' ? await this.#voices.speak(words, this.#voice) : words;
    const afterMs = options.afterMs ?? 1000;
    const since = this.#lastTurnEnd;
    await this.#until(
      (now) => {
        const first = this.line.ear.spells.find((spell) => spell.startAt >= since || spell.lastSoundAt > since);
        return first !== undefined && now - first.startAt >= afterMs && this.line.ear.speaking(now, 60);
      },
      options.timeoutMs ?? PATIENCE_MS,
      'the bot to speak, to interrupt it',
    );
    const text = typeof words === 'string' ? words : 'audio';
    return this.#speak('interrupt', text, () => this.line.mouth.say(pcm), true);
  }

  /** Makes lines ahead of the call, so that saying them takes no time. */
  prepare(texts: readonly string[]): Promise<void> {
    return this.#voices.prepare(texts, this.#voice);
  }

  /** Waits until the bot has spoken since the caller's last turn; at once when it has already. */
  waitForSpeech(timeoutMs: Ms = PATIENCE_MS): Promise<void> {
    const since = this.#lastTurnEnd;
    const turnBegan = this.turns.at(-1)?.startedAt ?? since;
    return this.#until(
      () => {
        const last = this.line.ear.spells.at(-1);
        if (!last) return false;
        // A bot that began before the caller had finished (a false cut-off) has answered all the same.
        return last.startAt > since || (last.startAt > turnBegan + OVERLAP_MS && last.lastSoundAt > since);
      },
      timeoutMs,
      'the bot to speak',
    );
  }

  /** Waits until nobody has spoken for `ms`: neither the bot nor the caller's own last turn. */
  waitForSilence(ms: Ms = 700, timeoutMs: Ms = PATIENCE_MS): Promise<void> {
    const from = Math.max(this.#lastTurnEnd, monotonicNow() - ms);
    return this.#until(
      (now) => now - Math.max(from, this.line.ear.spells.at(-1)?.lastSoundAt ?? 0) >= ms,
      timeoutMs,
      `${ms} ms of silence`,
    );
  }

  /** The usual wait between turns: the bot speaks, then is silent for `silenceMs`. */
  async waitForReply(options: { silenceMs?: Ms | undefined; timeoutMs?: Ms } = {}): Promise<void> {
    await this.waitForSpeech(options.timeoutMs);
    await this.waitForSilence(options.silenceMs);
  }

  /** Lets time pass on the line. */
  pause(ms: Ms): Promise<void> {
    const until = monotonicNow() + ms;
    return this.#until((now) => now >= until, ms + 60_000, `${ms} ms to pass`);
  }

  /** re-INVITE with sendonly (on hold) or sendrecv (back). Resolves with the far end's final response. */
  hold(): Promise<SipResponse> {
    return this.#reinvite('sendonly');
  }

  resume(): Promise<SipResponse> {
    return this.#reinvite('sendrecv');
  }

  /** Sends any request inside the call, e.g. OPTIONS. */
  async request(method: string, headers: readonly SipHeader[] = [], body = ''): Promise<SipResponse> {
    if (!this.#call) throw new Error('no call');
    return this.#call.request(method, headers, body);
  }

  get setupMs(): Ms | undefined {
    const { inviteSentAt, answeredAt } = this.#call ?? {};
    return inviteSentAt !== undefined && answeredAt !== undefined ? answeredAt - inviteSentAt : undefined;
  }

  /** The call's figures so far. */
  report(): PhoneReport {
    const ackSentAt = this.#call?.ackSentAt;
    const greeting = this.line.ear.spells[0];
    const firstTurn = this.turns.find((turn) => turn.startedAt !== undefined);
    const greeted = greeting && (firstTurn?.startedAt === undefined || greeting.startAt < firstTurn.startedAt);
    return {
      setupMs: this.setupMs,
      greetingMs: greeted && ackSentAt !== undefined ? greeting.startAt - ackSentAt : undefined,
      turns: measureTurns(this.turns, this.line.ear.spells, this.#end?.at ?? monotonicNow()),
      pacing: measurePacing(this.packets),
      packetsReceived: this.packets.length,
      packetsSent: this.line.mouth.packetsSent,
      end: this.#end,
    };
  }

  /** Stereo WAV of the conversation so far, left the caller, right the bot; needs `record: true`. */
  recording(): Buffer {
    return writeWav({ sampleRate: 8000, channels: 2, pcm: this.#tape.stereo() });
  }

  /** What has come so far, at 8 kHz; or the last of it. Needs `record: true`. */
  heard(lastMs?: number): Int16Array {
    const pcm = this.#tape.received();
    return lastMs === undefined ? pcm : pcm.subarray(-lastMs * 8);
  }

  get #tape(): Tape {
    if (!this.line.tape) throw new Error('open the phone with record: true');
    return this.line.tape;
  }

  /** Hangs up if need be and frees everything. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#call && this.#call.state !== 'ended') {
      const gone = this.#call.hangup().catch(() => {});
      await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 1000))]);
      this.#call.abandon();
    }
    this.#removeFromPacer();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new HungUp(waiter.what, this.#end));
    this.line.close();
    this.endpoint.close();
    if (this.#ownVoices) await this.#voices.close();
  }

  /** Looks at what has changed; called per packet and per tick. */
  look(now: Ms): void {
    this.#look(now);
  }

  get #voice(): VoiceName {
    return this.#options.voice ?? DEFAULT_VOICE;
  }

  #connect(sdp: string): void {
    try {
      this.line.connect(sdp);
    } catch {
      // An answer without a codec in common: the call stands but stays silent, which its script will notice.
    }
  }

  async #reinvite(direction: 'sendonly' | 'sendrecv'): Promise<SipResponse> {
    if (!this.#call) throw new Error('no call');
    return this.#call.reinvite(this.line.describe('offer', direction));
  }

  async #speak(kind: Turn['kind'], text: string, begin: () => Speech, expectsReply: boolean): Promise<Turn> {
    if (this.#end) throw new HungUp(`to ${kind} "${text}"`, this.#end);
    const speech = begin();
    const turn: Turn = {
      kind,
      text,
      expectsReply,
      get startedAt() {
        return speech.startedAt;
      },
      get endedAt() {
        return speech.endedAt;
      },
      get lastKeyAt() {
        return speech.lastKeyAt;
      },
    };
    this.turns.push(turn);
    this.#options.observer?.callerSpeaks?.(turn);
    let over = false;
    void speech.done.then(() => {
      over = true;
    });
    await this.#until(() => over, speech.durationMs + 30_000, `"${text}" to be said`);
    this.#lastTurnEnd = turn.endedAt ?? monotonicNow();
    this.#options.observer?.callerDone?.(turn);
    return turn;
  }

  #look(now: Ms): void {
    this.#tellObserver(now);
    if (this.#waiters.length === 0) return;
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.met(now)) waiter.resolve();
      else if (this.#end && !waiter.survivesHangup) waiter.reject(this.#failureOfEnd(waiter.what));
      else if (now >= waiter.deadline) waiter.reject(new FarEndSilent(waiter.what));
      else this.#waiters.push(waiter);
    }
  }

  #failureOfEnd(what: string): Error {
    const answered = this.#call?.answeredAt !== undefined;
    return answered || !this.#end ? new HungUp(what, this.#end) : new DialRefused(this.#end);
  }

  #tellObserver(now: Ms): void {
    const { spells } = this.line.ear;
    const last = spells.at(-1);
    if (!last) return;
    if (spells.length > this.#spellsSeen) {
      this.#spellsSeen = spells.length;
      if (!this.#botTalking) {
        this.#botTalking = true;
        const turn = this.turns.at(-1);
        // While the caller speaks on, the end of the turn is not known; the end of its last key is.
        const answers = turn?.endedAt !== undefined && (turn.kind === 'press' || turn.endedAt <= this.#lastTurnEnd);
        const measure = answers ? measureTurn(turn, spells, Number.POSITIVE_INFINITY) : undefined;
        this.#options.observer?.botSpeaks?.(last.startAt, measure?.replyAt === last.startAt ? measure : undefined);
      }
    } else if (this.#botTalking && now - last.lastSoundAt > SILENT_AFTER_MS) {
      this.#botTalking = false;
      this.#options.observer?.botSilent?.(last.lastSoundAt, last.lastSoundAt - last.startAt);
    }
  }

  /** Resolves at the packet or tick at which `met` holds; rejects when the call ends first or time runs out. */
  #until(met: (now: Ms) => boolean, timeoutMs: Ms, what: string, setup = false, survivesHangup = false): Promise<void> {
    const now = monotonicNow();
    if (met(now)) return Promise.resolve();
    if (this.#end && !survivesHangup) return Promise.reject(this.#failureOfEnd(what));
    if (!this.#call || this.#closed) return Promise.reject(new Error(`no call, waiting for ${what}`));
    if (!setup && this.#call.state !== 'established')
      return Promise.reject(new Error(`not answered yet, waiting for ${what}`));
    return new Promise((resolve, reject) => {
      this.#waiters.push({ met, deadline: now + timeoutMs, resolve, reject, what, survivesHangup });
    });
  }
}
