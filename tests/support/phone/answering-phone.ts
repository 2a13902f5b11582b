import type { Ms } from '../../../src/core/clock.ts';
import { type Pacer, sharedPacer } from './pacer.ts';
import { type LineOptions, RtpLine } from './rtp-line.ts';
import { type CallEnd, SipCall } from './sip-call.ts';
import { type EndpointOptions, SipEndpoint } from './sip-endpoint.ts';
import { header, responseTo, type SipHeader, type SipRequest } from './sip-message.ts';
import type { ServerTransaction } from './sip-transactions.ts';

/** What the answering phone does with a call; all audio is 8 kHz PCM. */
export interface AnsweringOptions extends EndpointOptions, Omit<LineOptions, 'host' | 'onAudio' | 'onDigit'> {
  readonly pacer?: Pacer;
  /** Rings this long before it answers. Default 0; Infinity: never answers. */
  readonly ringMs?: Ms;
  /** Refuses every call instead. */
  readonly refuse?: { readonly status: number; readonly reason: string; readonly headers?: readonly SipHeader[] };
  /** Played this long after the ACK. */
  readonly greeting?: { readonly pcm: Int16Array; readonly afterMs: Ms };
  /** Played exactly this long after the last packet with sound of each of the caller's turns. */
  readonly reply?: { readonly pcm: Int16Array; readonly afterMs: Ms };
  /** Falls silent this long after the caller starts to speak into it. Left out: cannot be interrupted. */
  readonly stopAfterMs?: Ms;
  /** Sends back what it hears. */
  readonly echo?: boolean;
  /** Hangs up after this many replies have been played. */
  readonly hangupAfterReplies?: number;
}

/** One call that the answering phone took. */
export class AnsweredCall {
  readonly signalling: SipCall;
  readonly line: RtpLine;
  readonly invite: SipRequest;
  /** Requests of the caller inside the call. */
  readonly received: SipRequest[] = [];
  end: CallEnd | undefined;
  ackedAt: Ms | undefined;
  repliesPlayed = 0;

  constructor(signalling: SipCall, line: RtpLine, invite: SipRequest) {
    this.signalling = signalling;
    this.line = line;
    this.invite = invite;
  }

  get digits(): string {
    return this.line.ear.digits;
  }
}

/**
 * A phone that answers by itself: the far end for tests of the caller, with latencies known by construction. It takes
 * any number of calls at once.
 */
export class AnsweringPhone {
  readonly endpoint: SipEndpoint;
  readonly calls: AnsweredCall[] = [];
  readonly #options: AnsweringOptions;
  readonly #byCallId = new Map<string, AnsweredCall>();
  readonly #stops = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  private constructor(endpoint: SipEndpoint, options: AnsweringOptions) {
    this.endpoint = endpoint;
    this.#options = options;
    endpoint.onRequest = (request, transaction) => void this.#onRequest(request, transaction);
  }

  static async open(options: AnsweringOptions = {}): Promise<AnsweringPhone> {
    return new AnsweringPhone(await SipEndpoint.open(options), options);
  }

  /** What to dial. */
  get uri(): string {
    const { address, port } = this.endpoint.wire.local;
    return `sip:answer@${address}:${port}`;
  }

  /** Idempotent. Ends remaining calls without waiting for the callers. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stop of this.#stops) stop();
    for (const call of this.calls) {
      if (!call.end && call.signalling.state === 'established') void call.signalling.hangup();
      call.signalling.abandon();
      call.line.close();
    }
    this.endpoint.close();
  }

  async #onRequest(request: SipRequest, transaction: ServerTransaction | undefined): Promise<void> {
    const known = this.#byCallId.get(header(request, 'call-id') ?? '');
    if (known) return known.signalling.receive(request, transaction);
    if (!transaction) return;
    if (request.method === 'OPTIONS') return transaction.respond(responseTo(request, 200, 'OK', { toTag: 'options' }));
    if (request.method !== 'INVITE') {
      return transaction.respond(responseTo(request, 481, 'Call/Transaction Does Not Exist', { toTag: 'none' }));
    }
    const line = await RtpLine.open({
      ...this.#options,
      host: this.#options.host ?? '127.0.0.1',
      onAudio: this.#options.echo ? (pcm) => line.mouth.say(pcm) : undefined,
    });
    if (this.#closed) line.close();
    else this.#take(request, transaction, line);
  }

  #take(request: SipRequest, transaction: ServerTransaction, line: RtpLine): void {
    const options = this.#options;
    const signalling = SipCall.incoming(this.endpoint, transaction, 'answer', {
      onRemoteSdp: (sdp) => line.connect(sdp),
      localSdp: (kind) => line.describe(kind),
      onInDialog: (request) => call.received.push(request),
      onEnd: (end) => {
        call.end = end;
        stop();
        line.close();
      },
    });
    const call = new AnsweredCall(signalling, line, request);
    const replaced = this.#byCallId.get(header(request, 'replaces')?.split(';')[0] ?? '');
    this.calls.push(call);
    this.#byCallId.set(signalling.callId, call);
    const policy = createPolicy(options, call);
    const stop = (options.pacer ?? sharedPacer).add((now, skipped) => {
      if (signalling.state === 'established') policy(now);
      line.tick(now, skipped);
    });
    this.#stops.add(stop);
    if (options.refuse) {
      signalling.refuse(options.refuse.status, options.refuse.reason, options.refuse.headers);
      return;
    }
    if (request.body !== '') line.connect(request.body);
    const answer = () => {
      // Given up while it rang.
      if (signalling.state !== 'ringing') return;
      signalling.answer(line.describe(request.body === '' ? 'offer' : 'answer'));
      // The new call takes the old one's place (RFC 3891 3).
      if (replaced) void replaced.signalling.hangup();
    };
    if (!options.ringMs) {
      answer();
      return;
    }
    signalling.ring();
    if (options.ringMs === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(answer, options.ringMs);
    this.#timers.add(timer);
  }
}

/** The answering phone's manners, one decision per tick. */
function createPolicy(options: AnsweringOptions, call: AnsweredCall): (now: Ms) => void {
  let greeted = false;
  let repliedTo: Ms | undefined;
  let playing = false;
  let answeredAt: Ms | undefined;
  return (now) => {
    const { ear, mouth } = call.line;
    answeredAt ??= now;
    call.ackedAt ??= ear.packets[0]?.at;
    if (playing && mouth.idle) {
      playing = false;
      if (options.hangupAfterReplies !== undefined && call.repliesPlayed >= options.hangupAfterReplies) {
        void call.signalling.hangup();
        return;
      }
    }
    if (options.greeting && !greeted && now - answeredAt >= options.greeting.afterMs) {
      greeted = true;
      playing = true;
      mouth.say(options.greeting.pcm);
    }
    const spell = ear.spells.at(-1);
    if (!spell) return;
    if (playing && options.stopAfterMs !== undefined && now - spell.lastSoundAt < 60) {
      if (now - spell.startAt >= options.stopAfterMs) mouth.stop();
    }
    const due = options.reply && spell.lastSoundAt !== repliedTo && !playing;
    // A tick may be up to 20 ms late for the moment it aims at; half a frame early keeps the mean right.
    if (due && options.reply && now - spell.lastSoundAt >= options.reply.afterMs - 10) {
      repliedTo = spell.lastSoundAt;
      playing = true;
      call.repliesPlayed++;
      mouth.say(options.reply.pcm);
    }
  };
}
