import { Inviter, type Session, SessionState, UserAgent, Web } from 'sip.js';
import type { PhoneSession } from '../api/types.ts';
import { Level } from './level.ts';
import { openMicrophone } from './microphone.ts';

/** Moves: idle -> connecting -> ringing -> talking -> idle; from each of them to idle again. */
export type PhoneState = 'idle' | 'connecting' | 'ringing' | 'talking';

export interface PhoneView {
  state: PhoneState;
  muted: boolean;
  /** The call's Call-ID, once it is known; of the last one when idle. */
  callId: string | undefined;
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
}

const CONNECT_WITHIN_S = 5;
const GATHER_WITHIN_MS = 1000;
const TONE_MS = 120;
const GAP_MS = 80;

const REFUSALS: Record<number, string> = {
  401: 'The connector did not let this phone in. Try again.',
  403: 'The connector did not let this phone in.',
  404: 'Nobody answers at this number.',
  480: 'Nobody answers at this number now.',
  486: 'The line is busy.',
  488: 'The connector and this browser have no way of speaking in common.',
  503: 'The connector takes no more calls now. Try again in a moment.',
};

const IDLE: PhoneView = { state: 'idle', muted: false, callId: undefined, since: undefined, message: undefined };

/** A SIP phone in the page: WebSocket, DTLS-SRTP, the browser's own microphone and loudspeaker. One call at a time. */
export class BrowserPhone {
  readonly #changed: () => void;
  readonly #speaker = new Audio();
  #view = IDLE;
  #agent: UserAgent | undefined;
  #session: Session | undefined;
  #microphone: MediaStream | undefined;
  #context: AudioContext | undefined;
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

  /** `prepare` gets what is needed to call, while the person is asked for the microphone. */
  async call(prepare: () => Promise<PhoneCall>): Promise<void> {
    if (this.#view.state !== 'idle') return;
    const turn = ++this.#turn;
    this.#show({ ...IDLE, state: 'connecting' });
    try {
      const microphone = await openMicrophone();
      if (turn !== this.#turn) return stop(microphone);
      this.#microphone = microphone;
      this.#context = new AudioContext();
      this.#levels.own = new Level(this.#context, microphone);
      const call = await prepare();
      if (turn !== this.#turn) return;
      await this.#dial(call, turn);
    } catch (error) {
      if (turn === this.#turn) this.#end(error instanceof Error ? error.message : String(error));
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

  /** Ends the call, in whatever state it is. */
  hangUp(): void {
    const session = this.#session;
    if (session?.state === SessionState.Established) void session.bye().catch(() => undefined);
    else if (session instanceof Inviter && session.state === SessionState.Establishing) {
      void session.cancel().catch(() => undefined);
    }
    if (this.#view.state !== 'idle') this.#end(undefined);
  }

  get #handler(): Web.SessionDescriptionHandler | undefined {
    const handler = this.#session?.sessionDescriptionHandler;
    return handler instanceof Web.SessionDescriptionHandler ? handler : undefined;
  }

  async #dial({ session: place, to, as }: PhoneCall, turn: number): Promise<void> {
    const uri = UserAgent.makeURI(`sip:${place.username}@${place.realm}`);
    const target = UserAgent.makeURI(`sip:${encodeURIComponent(to)}@${place.realm}`);
    if (!uri || !target) throw new Error('This number cannot be dialled.');
    const microphone = this.#microphone!;
    const agent = new UserAgent({
      uri,
      authorizationUsername: place.username,
      authorizationPassword: place.password,
      transportOptions: { server: place.webSocket, connectionTimeout: CONNECT_WITHIN_S },
      sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(async () => microphone),
      sessionDescriptionHandlerFactoryOptions: {
        iceGatheringTimeout: GATHER_WITHIN_MS,
        peerConnectionConfiguration: { iceServers: [], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' },
      },
      logBuiltinEnabled: false,
      delegate: {
        onDisconnect: (error) => {
          if (error && turn === this.#turn) this.#end('The connection to the connector is lost.');
        },
      },
    });
    this.#agent = agent;
    // A WebSocket that the browser forbids is neither opened nor refused: it is not waited for.
    await within(agent.start(), (CONNECT_WITHIN_S + 1) * 1000).catch(() => {
      throw new Error(`The connector cannot be reached at ${place.webSocket}. Reload this page, and call again.`);
    });
    if (turn !== this.#turn) return;
    const number = as.replace(/[^0-9+]/g, '');
    const extraHeaders = number === '' ? [] : [`P-Asserted-Identity: <sip:${number}@${place.realm}>`];
    const inviter = new Inviter(agent, target, { extraHeaders });
    this.#session = inviter;
    inviter.stateChange.addListener((state) => {
      if (turn !== this.#turn) return;
      if (state === SessionState.Established) this.#talk();
      else if (state === SessionState.Terminated) {
        // Why, comes a moment later, with the refusal.
        window.setTimeout(() => {
          const talked = this.#view.state === 'talking';
          if (turn === this.#turn) this.#end(talked ? 'The other side has hung up.' : 'The call was not answered.');
        });
      }
    });
    const request = await inviter.invite({
      requestDelegate: {
        onReject: ({ message }) => {
          if (turn !== this.#turn) return;
          const status = message.statusCode ?? 0;
          this.#end(REFUSALS[status] ?? `The connector refused the call (${status} ${message.reasonPhrase ?? ''}).`);
        },
      },
    });
    if (turn === this.#turn) this.#show({ ...this.#view, state: 'ringing', callId: request.message.callId });
  }

  #talk(): void {
    const stream = this.#handler?.remoteMediaStream;
    if (stream) {
      this.#speaker.srcObject = stream;
      void this.#speaker.play().catch(() => undefined);
      this.#levels.theirs = new Level(this.#context!, stream);
    }
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

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => reject(new Error('too late')), ms);
    work.then(resolve, reject).finally(() => window.clearTimeout(timer));
  });
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
