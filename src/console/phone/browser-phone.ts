import { Invitation, Inviter, type Session, SessionState, type URI, UserAgent, Web } from 'sip.js';
import type { PhoneSession } from '../api/types.ts';
import { connectAgent } from './agent.ts';
import { GONE, MISSED, refusalOf, UNANSWERED } from './endings.ts';
import { Level } from './level.ts';
import { microphoneIsAllowed, openMicrophone } from './microphone.ts';

/**
 * Moves: idle -> connecting -> ringing -> talking -> idle for calls of ours, idle -> incoming -> connecting -> talking ->
 * idle for those that come; from each of them to idle again.
 */
export type PhoneState = 'idle' | 'incoming' | 'connecting' | 'ringing' | 'talking';

/** A call that comes, from a hand-over. */
export interface IncomingCall {
  /** The caller's call, where its record is. */
  sessionId: string | undefined;
  /** What it is about. */
  briefing: string;
}

export interface PhoneView {
  state: PhoneState;
  muted: boolean;
  /** The call's Call-ID, once it is known; of the last one when idle. */
  callId: string | undefined;
  /** Of a call that came. */
  incoming: IncomingCall | undefined;
  /** Epoch milliseconds. */
  since: number | undefined;
  /** Why the last call came to nothing or ended, when that is worth saying. */
  message: string | undefined;
}

export interface PhoneCall {
  session: PhoneSession;
  /** Number or name to dial. */
  to: string;
  /** Number to be known by; '' for none. */
  as: string;
  /** What it means that the other side ends it, when it was up. */
  gone?: string;
  /** It came to nothing before anybody was reached: what is kept for it can go. */
  giveUp?: () => void;
}

interface ReachedCall extends PhoneCall {
  agent: UserAgent;
  target: URI;
}

const TONE_MS = 120;
const GAP_MS = 80;

const IDLE: PhoneView = {
  state: 'idle',
  muted: false,
  callId: undefined,
  incoming: undefined,
  since: undefined,
  message: undefined,
};

/** A SIP phone in the page: the browser's own microphone and loudspeaker. One call at a time. */
export class BrowserPhone {
  readonly #changed: () => void;
  readonly #speaker = new Audio();
  #view = IDLE;
  /** Of a call of ours. */
  #agent: UserAgent | undefined;
  #session: Session | undefined;
  #microphone: MediaStream | undefined;
  #context: AudioContext | undefined;
  /** Of a call that has reached nobody yet. */
  #giveUp: (() => void) | undefined;
  #levels: { own: Level | undefined; theirs: Level | undefined } = { own: undefined, theirs: undefined };
  /** Counts calls, so that what an earlier one still says is not taken for this one's. */
  #turn = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get view(): PhoneView {
    return this.#view;
  }

  /** How loud both sides are now, 0 to 1. */
  levels(): { own: number; theirs: number } {
    return { own: this.#levels.own?.read() ?? 0, theirs: this.#levels.theirs?.read() ?? 0 };
  }

  /** The microphone of the call there is. */
  readonly microphone = async (): Promise<MediaStream> => {
    if (this.#microphone === undefined) throw new Error('no call needs the microphone');
    return this.#microphone;
  };

  /**
   * `prepare` gets what is needed to call: beside the opening of the microphone, or behind it where the person is asked
   * for it, since they may take longer than it is good for.
   */
  async call(prepare: () => Promise<PhoneCall>): Promise<void> {
    if (this.#view.state !== 'idle') return;
    const turn = ++this.#turn;
    this.#show({ ...IDLE, state: 'connecting' });
    try {
      const early = (await microphoneIsAllowed()) ? this.#reach(prepare, turn) : undefined;
      early?.catch(() => undefined);
      if (!(await this.#openMicrophone(turn))) return;
      const call = await (early ?? this.#reach(prepare, turn));
      if (call) await this.#dial(call, turn);
    } catch (error) {
      if (turn === this.#turn) this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  /** A call comes: it rings, or hears that the line is busy. */
  ring(invitation: Invitation): void {
    if (this.#view.state !== 'idle') {
      void invitation.reject({ statusCode: 486 }).catch(() => undefined);
      return;
    }
    const turn = ++this.#turn;
    this.#session = invitation;
    this.#follow(invitation, turn, GONE);
    const { request } = invitation;
    this.#show({ ...IDLE, state: 'incoming', incoming: incomingOf(request), callId: request.callId });
  }

  /** Takes the call that rings. */
  async answer(): Promise<void> {
    const invitation = this.#session;
    if (this.#view.state !== 'incoming' || !(invitation instanceof Invitation)) return;
    const turn = this.#turn;
    this.#show({ ...this.#view, state: 'connecting' });
    try {
      if (await this.#openMicrophone(turn)) await invitation.accept();
    } catch (error) {
      if (turn !== this.#turn) return;
      void invitation.reject({ statusCode: 480 }).catch(() => undefined);
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  mute(muted: boolean): void {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
    this.#show({ ...this.#view, muted });
  }

  press(key: string): void {
    const dtmf = this.#handler?.peerConnection?.getSenders().find((sender) => sender.dtmf)?.dtmf;
    // What is given replaces what waits: keys pressed faster than they sound stand behind each other.
    dtmf?.insertDTMF(dtmf.toneBuffer + key, TONE_MS, GAP_MS);
  }

  /** Ends the call, in whatever state it is; one that rings is declined. */
  hangUp(): void {
    const session = this.#session;
    if (session?.state === SessionState.Established) void session.bye().catch(() => undefined);
    else if (session instanceof Invitation) void session.reject({ statusCode: 603 }).catch(() => undefined);
    else if (session instanceof Inviter && session.state === SessionState.Establishing) {
      void session.cancel().catch(() => undefined);
    }
    if (this.#view.state !== 'idle') this.#end(undefined);
  }

  get #handler(): Web.SessionDescriptionHandler | undefined {
    const handler = this.#session?.sessionDescriptionHandler;
    return handler instanceof Web.SessionDescriptionHandler ? handler : undefined;
  }

  /** False when the call is over meanwhile. */
  async #openMicrophone(turn: number): Promise<boolean> {
    const microphone = await openMicrophone();
    if (turn !== this.#turn) {
      stop(microphone);
      return false;
    }
    this.#microphone = microphone;
    return true;
  }

  /** How loud they are is shown once the call is on its way: nobody waits for the meters. */
  #meter(side: 'own' | 'theirs', stream: MediaStream | undefined): void {
    if (stream === undefined || this.#levels[side] !== undefined) return;
    this.#context ??= new AudioContext();
    this.#levels[side] = new Level(this.#context, stream);
  }

  /** A connection to call over; undefined when the call is over meanwhile. */
  async #reach(prepare: () => Promise<PhoneCall>, turn: number): Promise<ReachedCall | undefined> {
    if (turn !== this.#turn) return undefined;
    const call = await prepare();
    if (turn !== this.#turn) {
      call.giveUp?.();
      return undefined;
    }
    this.#giveUp = call.giveUp;
    const target = UserAgent.makeURI(`sip:${encodeURIComponent(call.to)}@${call.session.realm}`);
    if (!target) throw new Error('This number cannot be dialled.');
    const agent = await connectAgent(call.session, this.microphone, {
      onDisconnect: (error) => {
        if (error && turn === this.#turn) this.#end('The connection to the connector is lost.');
      },
    });
    if (turn !== this.#turn) {
      void agent.stop().catch(() => undefined);
      return undefined;
    }
    this.#agent = agent;
    return { ...call, agent, target };
  }

  async #dial({ agent, target, session: place, as, gone = GONE }: ReachedCall, turn: number): Promise<void> {
    const number = as.replace(/[^0-9+]/g, '');
    const extraHeaders = number === '' ? [] : [`P-Asserted-Identity: <sip:${number}@${place.realm}>`];
    const inviter = new Inviter(agent, target, { extraHeaders });
    this.#session = inviter;
    this.#follow(inviter, turn, gone);
    const request = await inviter.invite({
      requestDelegate: {
        onReject: ({ message }) => {
          if (turn !== this.#turn) return;
          this.#giveUp = undefined;
          this.#end(refusalOf(message.statusCode ?? 0, message.reasonPhrase ?? ''));
        },
      },
    });
    if (turn !== this.#turn) return;
    this.#meter('own', this.#microphone);
    this.#show({ ...this.#view, state: 'ringing', callId: request.message.callId });
  }

  #follow(session: Session, turn: number, gone: string): void {
    session.stateChange.addListener((state) => {
      if (turn !== this.#turn) return;
      if (state === SessionState.Established) this.#talk();
      else if (state === SessionState.Terminated) {
        // Why, comes a moment later, with the refusal.
        window.setTimeout(() => {
          if (turn !== this.#turn) return;
          const { state } = this.#view;
          this.#end(state === 'talking' ? gone : state === 'incoming' ? MISSED : UNANSWERED);
        });
      }
    });
  }

  #talk(): void {
    this.#giveUp = undefined;
    const stream = this.#handler?.remoteMediaStream;
    if (stream) {
      this.#speaker.srcObject = stream;
      void this.#speaker.play().catch(() => undefined);
    }
    this.#meter('own', this.#microphone);
    this.#meter('theirs', stream);
    this.#show({ ...this.#view, state: 'talking', since: Date.now() });
  }

  #end(message: string | undefined): void {
    this.#turn++;
    this.#levels.own?.close();
    this.#levels.theirs?.close();
    this.#levels = { own: undefined, theirs: undefined };
    if (this.#microphone) stop(this.#microphone);
    this.#speaker.srcObject = null;
    void this.#context?.close().catch(() => undefined);
    const agent = this.#agent;
    this.#giveUp?.();
    this.#giveUp = undefined;
    this.#microphone = undefined;
    this.#context = undefined;
    this.#agent = undefined;
    this.#session = undefined;
    // Waits for the BYE to be answered, then closes the WebSocket.
    void agent?.stop().catch(() => undefined);
    this.#show({ ...IDLE, callId: this.#view.callId, message });
  }

  #show(view: PhoneView): void {
    this.#view = view;
    this.#changed();
  }
}

function incomingOf(request: Invitation['request']): IncomingCall {
  const briefing = request.getHeader('X-Call-Briefing') ?? '';
  let text = briefing;
  try {
    text = decodeURIComponent(briefing);
  } catch {
    // Shown as it came: better than nothing.
  }
  return { sessionId: request.getHeader('X-Call-Session'), briefing: text };
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
